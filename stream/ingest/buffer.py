"""Decoded rows of one stream on their way to a block: plain lists, appended to once an event.

A row is a model's shape number, a timestamp as written, the record it came from, and its values in the shape's order.
Two kinds of row carry no values: a ``TICK`` only moves the partition's clock, a ``CLOSE`` sets its watermark.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.errors import Reason
from stream.ingest.strict import Row
from stream.ingest.tenure import Tenure
from stream.transport import Record

TICK: Final = -1
CLOSE: Final = -2


@dataclass(frozen=True, slots=True, eq=False)
class Rejection:
    """A refused event: the record it was in (``index``: its place in a record of several) and why."""

    tenure: Tenure
    record: Record
    reason: Reason
    field: str
    detail: str
    index: int | None = None


@dataclass(slots=True, eq=False)
class Buffer:
    """Rows in arrival order; ``segments`` says which tenure each stretch of rows belongs to."""

    shape: list[int] = field(default_factory=list)
    timestamp: list[Any] = field(default_factory=list)
    record: list[Record] = field(default_factory=list)
    narrow: list[tuple[Any, ...]] = field(default_factory=list)
    wide: list[tuple[Any, ...]] = field(default_factory=list)
    categorical: list[tuple[Any, ...]] = field(default_factory=list)
    #: (row, unknown features, unknown keys) of the few rows that had any
    unknown: list[tuple[int, int, int]] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    segments: list[tuple[Tenure, int, int]] = field(default_factory=list)
    reached: dict[Tenure, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.shape)

    def note_unknown(self, features: int, keys: int) -> None:
        """The next row's event holds this many undeclared features and keys."""
        if features or keys:
            self.unknown.append((len(self), features, keys))

    def append(self, shape: int, timestamp_ms: int, *, record: Record, row: Row) -> None:
        """Add a row that came through the strict path."""
        self.note_unknown(row.unknown_features, row.unknown_keys)
        self.shape.append(shape)
        self.timestamp.append(timestamp_ms)
        self.record.append(record)
        self.narrow.append(row.narrow)
        self.wide.append(row.wide)
        self.categorical.append(row.categorical)

    def close_segment(self, tenure: Tenure, *, first: int, next_offset: int) -> None:
        """All rows from ``first`` on are of ``tenure``, which has been read up to ``next_offset``."""
        if first < len(self):
            self.segments.append((tenure, first, len(self)))
        self.reached[tenure] = next_offset
        tenure.read = next_offset

    def followed_by(self, later: Buffer) -> Buffer:
        """This buffer with the rows of ``later`` behind its own."""
        shift = len(self)
        for mine, theirs in zip(self._lists(), later._lists(), strict=True):
            mine.extend(theirs)
        self.unknown += [(row + shift, features, keys) for row, features, keys in later.unknown]
        self.segments += [(tenure, first + shift, end + shift) for tenure, first, end in later.segments]
        self.reached.update(later.reached)
        return self

    def _lists(self) -> tuple[list[Any], ...]:
        return (
            self.shape, self.timestamp, self.record, self.narrow, self.wide, self.categorical, self.rejections,
        )  # fmt: skip

    def by_tenure(self) -> Iterator[tuple[Tenure, list[tuple[int, int]]]]:
        """Each tenure with its stretches of rows, in arrival order."""
        found: dict[Tenure, list[tuple[int, int]]] = {}
        for tenure, first, end in self.segments:
            found.setdefault(tenure, []).append((first, end))
        yield from found.items()
