"""Decoded events of one stream on their way to a block: plain lists, appended to once an event, and slabs of whole columns.

A listed row is a model's shape number, a timestamp as written, the record it came from, and its values in the shape's order.
Three kinds of row carry no values: a ``TICK`` only moves the partition's clock, so does a ``SAMPLE`` of a GPU, which is kept
beside, and a ``CLOSE`` sets the partition's watermark.
Rows are numbered: the listed ones first, behind them those of the slabs, in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from schemas.errors import Reason
from schemas.gpus import Sampled
from stream.ingest.matrices import matrix
from stream.ingest.reading import Read
from stream.ingest.slab import Slab
from stream.ingest.strict import Row
from stream.ingest.tenure import Tenure
from stream.transport import Record

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

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

    A row is ``read``, then ``pack``ed with others.  Everything but ``record`` is of packed rows.
    """

    record: list[Record] = field(default_factory=list)
    read: list[Read] = field(default_factory=list)
    shape: list[int] = field(default_factory=list)
    timestamp: list[Any] = field(default_factory=list)
    categorical: list[tuple[Any, ...]] = field(default_factory=list)
    #: (row, unknown features, unknown keys) of the few rows that had any
    unknown: list[tuple[int, int, int]] = field(default_factory=list)
    #: The place in its record of each row of a record of several events.
    place: dict[int, int] = field(default_factory=dict)
    #: The samples of GPUs by their rows.
    samples: dict[int, Sampled] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    reached: dict[Tenure, int] = field(default_factory=dict)
    _narrow: list[Floats] = field(default_factory=list)
    _wide: list[Floats] = field(default_factory=list)
    _slab_rows: int = 0
    #: Listed rows that are in a segment.
    _closed: int = 0

    def __len__(self) -> int:
        return self.listed + self._slab_rows

    @property
    def listed(self) -> int:
        """How many rows are not of slabs."""
        return len(self.record)

    def numbers(self, columns: tuple[int, int]) -> tuple[Floats, Floats]:
        """The narrow and the wide values of all listed rows, a row each, of so many columns."""
        narrow, wide = self._narrow or [np.empty((0, columns[0]))], self._wide or [np.empty((0, columns[1]))]
        return np.concatenate(narrow), np.concatenate(wide)

    @property
    def slabs(self) -> list[Slab]:
        """In the order in which their rows are numbered."""
        return [slab for segment in self.segments for slab in segment.slabs]

    def note_unknown(self, features: int, keys: int) -> None:
        """The next row's event holds this many undeclared features and keys."""
        if features or keys:
            self.unknown.append((self.listed, features, keys))

    def append(self, shape: int, timestamp_ms: int, *, record: Record, row: Row, index: int | None = None) -> None:
        """Add a row that came through the strict path; ``index`` is its event's place in a record of several."""
        if index is not None:
            self.place[self.listed] = index
        self.note_unknown(row.unknown_features, row.unknown_keys)
        self.read.append((shape, timestamp_ms, row.narrow, row.wide, row.categorical))
        self.record.append(record)

    def pack(self, columns: tuple[int, int]) -> None:
        """Make arrays of the numbers of what was read since, narrow and wide ones with so many columns.

        While they are in the processor's cache: a block later, to look at each number again takes as long as to parse it.
        """
        if self.read:
            shape, timestamp, narrow, wide, categorical = zip(*self.read, strict=True)
            self.shape += shape
            self.timestamp += timestamp
            self.categorical += categorical
            self._narrow.append(matrix(narrow, columns[0]))
            self._wide.append(matrix(wide, columns[1]))
            self.read.clear()

    def append_sample(self, found: Sampled, *, record: Record, index: int | None = None) -> None:
        """Add a sample of a GPU."""
        self.samples[self.listed] = found
        self.append(SAMPLE, found.sample.timestamp, record=record, row=_NO_VALUES, index=index)

    def append_slabs(self, slabs: tuple[Slab, ...], tenure: Tenure) -> None:
        """Add a batch, of each model that counts it."""
        self._close_listed(tenure)
        if rows := sum(map(len, slabs)):
            self.segments.append(Segment(tenure, 0, 0, slabs))
            self._slab_rows += rows

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
        for mine, theirs in zip(self._lists(), later._lists(), strict=True):
            mine.extend(theirs)
        self.unknown += [(row + shift, features, keys) for row, features, keys in later.unknown]
        self.place |= {row + shift: index for row, index in later.place.items()}
        self.samples |= {row + shift: found for row, found in later.samples.items()}
        self.segments += [Segment(one.tenure, one.first + shift, one.end + shift, one.slabs) for one in later.segments]
        self.reached.update(later.reached)
        self._slab_rows += later._slab_rows
        self._closed += later._closed
        return self

    def _lists(self) -> tuple[list[Any], ...]:
        return (
            self.record, self.read, self.shape, self.timestamp, self.categorical, self._narrow, self._wide,
            self.rejections,
        )  # fmt: skip

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
            return self.record[row], self.place.get(row)
        row -= self.listed
        for slab in self.slabs:
            if row < len(slab):
                return slab.record, slab.place(row)
            row -= len(slab)
        raise IndexError(row)
