"""What travels from the transport to counting: the records of one partition that one fetch returned.

They stay the bytes of the fetch, with arrays that say where each record lies; an object is made only of a record that somebody
looks at, as of one that is refused, and that is a copy: the bytes of a fetch are held by the runs of it, and by nobody else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple, Protocol, overload

import numpy as np
import numpy.typing as npt
from faust.types import TP

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


class Record(Protocol):
    """What a consumed Kafka record offers; its place is that of its run and its offset."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


class Taken(NamedTuple):
    """A record that was made an object of."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True, eq=False)
class Spans:
    """Where the keys, or the values, of records lie in their text: from ``first`` to ``end``; -1: the record has none."""

    first: Ints
    end: Ints

    def __getitem__(self, at: slice) -> Spans:
        return Spans(self.first[at], self.end[at])

    def of(self, text: Bytes, at: int) -> bytes | None:
        """A copy of the bytes of one."""
        return None if self.first[at] < 0 else text[self.first[at] : self.end[at]].tobytes()

    def all(self, text: Bytes) -> list[bytes | None]:
        """Copies of all of them."""
        base: object = text.base
        whole = base if isinstance(base, bytes) and len(base) == len(text) else text.tobytes()
        ends = zip(self.first.tolist(), self.end.tolist(), strict=True)
        return [None if first < 0 else whole[first:end] for first, end in ends]


@dataclass(frozen=True, slots=True, eq=False)
class Records(Sequence[Record]):
    """Records in offset order, each at the same place of every array; what is sliced shares their text."""

    text: Bytes
    offsets: Ints
    timestamps: Ints
    keys: Spans
    values: Spans

    @classmethod
    def of(cls, records: Sequence[Record]) -> Records:
        """Those of a list.

        >>> found = Records.of([Taken(4, 1_357_035_300_000, None, b"{}"), Taken(7, 1_357_035_300_001, b"key", None)])
        >>> found[1], found.values.first.tolist(), found.behind(5)[0].offset
        (Taken(offset=7, timestamp=1357035300001, key=b'key', value=None), [0, -1], 7)
        """
        parts = [record.value for record in records] + [record.key for record in records]
        spans = _spans(parts)
        return cls(
            np.frombuffer(b"".join(part for part in parts if part), np.uint8),
            np.fromiter((record.offset for record in records), np.int64, len(records)),
            np.fromiter((record.timestamp for record in records), np.int64, len(records)),
            spans[len(records) :],
            spans[: len(records)],
        )

    def __len__(self) -> int:
        return len(self.offsets)

    @overload
    def __getitem__(self, at: int) -> Record: ...
    @overload
    def __getitem__(self, at: slice) -> Records: ...
    def __getitem__(self, at: int | slice) -> Record | Records:
        if isinstance(at, slice):
            return Records(self.text, self.offsets[at], self.timestamps[at], self.keys[at], self.values[at])
        key, value = self.keys.of(self.text, at), self.values.of(self.text, at)
        return Taken(int(self.offsets[at]), int(self.timestamps[at]), key, value)

    def __iter__(self) -> Iterator[Record]:
        keys, values = self.keys.all(self.text), self.values.all(self.text)
        return map(Taken, self.offsets.tolist(), self.timestamps.tolist(), keys, values)

    @property
    def next_offset(self) -> int:
        """Behind the last one."""
        return int(self.offsets[-1]) + 1

    def behind(self, offset: int) -> Records:
        """Those from this offset on.

        >>> found = Records.of([Taken(offset, 0, None, b"{}") for offset in (4, 7, 9)])
        >>> [found.behind(offset).offsets.tolist() for offset in (4, 5, 7, 10)]
        [[4, 7, 9], [7, 9], [7, 9], []]
        """
        if len(self) and self.offsets[0] >= offset:
            return self
        return self[int(np.searchsorted(self.offsets, offset)) :]


def _spans(parts: Sequence[bytes | None]) -> Spans:
    """Where each lies when all are joined."""
    ends = np.fromiter(accumulate(len(part or b"") for part in parts), np.int64, len(parts))
    lengths = np.fromiter((len(part or b"") for part in parts), np.int64, len(parts))
    absent = np.fromiter((part is None for part in parts), np.bool_, len(parts))
    return Spans(np.where(absent, -1, ends - lengths), np.where(absent, -1, ends))


@dataclass(frozen=True, slots=True)
class Run:
    """Records of one partition in offset order, and the placement they were read under (see ``RunConsumer.place``)."""

    tp: TP
    placement: int
    records: Records
