"""Decoded events of one stream on their way to a block: listed rows, one by one in arrays, and slabs of whole columns.

A listed row is a model's shape number, its event's time, the record it came from, and its values in the shape's order.
Three kinds of row carry no values: a ``TICK`` only moves the partition's clock, so does a ``SAMPLE`` of a GPU, which is kept
beside, and a ``CLOSE`` sets the partition's watermark.
Rows are numbered: the listed ones first, behind them those of the slabs, in order.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.errors import Reason
from schemas.gpus import Sampled
from stream.ingest.compiled.values import RECORD
from stream.ingest.listed import Columns, Listed
from stream.ingest.listed import Row as Read
from stream.ingest.slab import Slab
from stream.ingest.strict import Row
from stream.ingest.tenure import Tenure
from stream.records import Records
from stream.transport import Record

Ints = npt.NDArray[np.int64]

TICK: Final = -1
CLOSE: Final = -2
SAMPLE: Final = -3
_NO_VALUES: Final = Row((), (), ())


@dataclass(frozen=True, slots=True, eq=False)
class Rejection:
    """A refused event: the record it was in (``index``: its place in a record of several) and why."""

    tenure: Tenure
    record: Record
    reason: Reason
    field: str
    detail: str
    index: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """A stretch of a tenure's rows: listed ones from ``first`` to ``end``, or those of the slabs of one batch, one a model."""

    tenure: Tenure
    first: int
    end: int
    slabs: tuple[Slab, ...] = ()


@dataclass(slots=True, eq=False)
class Buffer:
    """Rows in arrival order; ``segments`` says which tenure each stretch of rows belongs to.

    The records of a run are ``receive``d, rows of them that the scanner wrote are passed ``over``, others appended, and in the end
    those are put among them.
    """

    #: How many rows are not of slabs.
    listed: int = 0
    #: The place in its record of each row of a record of several events.
    place: dict[int, int] = field(default_factory=dict)
    #: The samples of GPUs by their rows.
    samples: dict[int, Sampled] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    reached: dict[Tenure, int] = field(default_factory=dict)
    #: The records that objects were made of, by their rows.
    _made: dict[int, Record] = field(default_factory=dict)
    _appended: list[Read] = field(default_factory=list)
    _arrays: Listed | None = None
    #: The records of each run, and the first of its rows.
    _runs: list[tuple[int, Records]] = field(default_factory=list)
    _slab_rows: int = 0
    #: Of each slab the number of its first row among those of slabs.
    _slab_firsts: list[int] = field(default_factory=list)
    _slabs: list[Slab] = field(default_factory=list)
    #: Listed rows that are in a segment.
    _closed: int = 0

    def __len__(self) -> int:
        return self.listed + self._slab_rows

    def arrays(self, columns: Columns = (0, 0, 0)) -> Listed:
        """The listed rows, of which there are ``listed``; of so many columns, where there are none yet."""
        if self._arrays is None:
            self._arrays = Listed.of(columns)
        return self._arrays

    def meta(self, kind: int) -> Ints:
        """Of each listed row one of the numbers that say what it is: see ``compiled.values``."""
        return np.zeros(0, np.int64) if self._arrays is None else self._arrays.rows.meta[: self.listed, kind].copy()

    @property
    def slabs(self) -> list[Slab]:
        """In the order in which their rows are numbered."""
        return self._slabs

    def receive(self, records: Records, columns: Columns) -> Listed:
        """Rows are to come of these records: there is room for one of each, and for the names in it."""
        found = self.arrays(columns)
        found.reserve(self.listed + len(records), int((records.values.end - records.values.first).sum()))
        self._runs.append((self.listed, records))
        return found

    def over(self, rows: int) -> None:
        """The scanner wrote so many rows that stand here."""
        self.listed += rows

    def append(self, shape: int, timestamp_ms: int, *, record: Record, row: Row, index: int | None = None) -> None:
        """Add a row that Python has read; ``index`` is its event's place in a record of several."""
        if index is not None:
            self.place[self.listed] = index
        self._made[self.listed] = record
        meta = (shape, timestamp_ms, record.timestamp, -1, row.unknown_features, row.unknown_keys, 0, 0)
        self._appended.append(Read(self.listed, meta, row.narrow, row.wide, row.categorical))
        self.listed += 1

    def settle(self, *, first: int, scanned: int) -> None:
        """Put what was appended among the rows that the scanner wrote from ``first`` on."""
        if self._appended and self._arrays is not None:
            self._arrays.put(self._appended, first=first, scanned=scanned)
            self._appended.clear()

    def append_sample(self, found: Sampled, *, record: Record, index: int | None = None) -> None:
        """Add a sample of a GPU."""
        self.samples[self.listed] = found
        self.append(SAMPLE, found.sample.timestamp, record=record, row=_NO_VALUES, index=index)

    def append_slabs(self, slabs: tuple[Slab, ...], tenure: Tenure) -> None:
        """Add a batch, of each model that counts it."""
        self._close_listed(tenure)
        if any(map(len, slabs)):
            self.segments.append(Segment(tenure, 0, 0, slabs))
            self._number(slabs)

    def _number(self, slabs: Sequence[Slab]) -> None:
        for slab in slabs:
            self._slab_firsts.append(self._slab_rows)
            self._slab_rows += len(slab)
        self._slabs += slabs

    def close_segment(self, tenure: Tenure, *, next_offset: int) -> None:
        """All rows since the last call are of ``tenure``, which has been read up to ``next_offset``."""
        self._close_listed(tenure)
        self.reached[tenure] = next_offset
        tenure.read = next_offset

    def _close_listed(self, tenure: Tenure) -> None:
        if self._closed < self.listed:
            self.segments.append(Segment(tenure, self._closed, self.listed))
            self._closed = self.listed

    def followed_by(self, later: Buffer) -> Buffer:
        """This buffer with the rows of ``later`` behind its own."""
        shift = self.listed
        if self._arrays is None:
            self._arrays = later._arrays
        elif later._arrays is not None:
            self._arrays.follow(later._arrays, first=shift, count=later.listed)
        self.rejections += later.rejections
        self.place |= {row + shift: index for row, index in later.place.items()}
        self.samples |= {row + shift: found for row, found in later.samples.items()}
        self._made |= {row + shift: record for row, record in later._made.items()}
        self._runs += [(first + shift, records) for first, records in later._runs]
        self.segments += [Segment(one.tenure, one.first + shift, one.end + shift, one.slabs) for one in later.segments]
        self.reached.update(later.reached)
        self.listed += later.listed
        self._number(later._slabs)
        self._closed += later._closed
        return self

    def by_tenure(self) -> Iterator[tuple[Tenure, Ints]]:
        """Each tenure with its rows, in arrival order."""
        found: dict[Tenure, list[Ints]] = {}
        at = self.listed
        for segment in self.segments:
            rows = np.arange(segment.first, segment.end)
            if segment.slabs:
                rows = np.arange(at, at := at + sum(map(len, segment.slabs)))
                rows = rows.reshape(len(segment.slabs), -1).T.ravel()  # event by event, each for every model
            found.setdefault(segment.tenure, []).append(rows)
        for tenure, stretches in found.items():
            yield tenure, np.concatenate(stretches)

    def event_of(self, row: int) -> tuple[Record, int | None]:
        """The record that a row came from, and which of its events the row is of, where it holds several."""
        if row < self.listed:
            return self._record(row), self.place.get(row)
        at = bisect_right(self._slab_firsts, row - self.listed) - 1
        slab = self._slabs[at]
        return slab.record, slab.place(row - self.listed - self._slab_firsts[at])

    def _record(self, row: int) -> Record:
        """One object a record, however often it is asked for: what is refused of a record is told together."""
        if row not in self._made and self._arrays is not None:
            _, records = self._runs[bisect_right(self._runs, row, key=itemgetter(0)) - 1]
            self._made[row] = records[int(self._arrays.rows.meta[row, RECORD])]
        return self._made[row]
