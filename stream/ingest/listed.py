"""Rows that came one by one, as arrays that grow: the scanner writes most of them, the few that it left are put in their places.

A row's names are places in ``rows.text``, so that nothing of what was read has to be kept for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
import numpy.typing as npt

from stream.ingest.codes import ABSENT as ABSENT_MARK
from stream.ingest.codes import category_name
from stream.ingest.compiled.values import ABSENT, META, MISSING, NAME, WRONG, Rows
from stream.ingest.matrices import matrix
from stream.ingest.shape import Shape

Ints = npt.NDArray[np.int64]

#: Rows that there is room for at first: pages of memory that nothing is written to cost nothing.
FIRST_ROOM = 4096
FIRST_TEXT = 1 << 16
#: How many narrow, wide and named columns rows have.
Columns = tuple[int, int, int]


def columns_of(shapes: Sequence[Shape]) -> Columns:
    """As many as the widest of these has, of each kind."""
    held = [(len(one.narrow), len(one.wide), len(one.categorical)) for one in shapes]
    narrow, wide, named = (max(group) for group in zip((0, 0, 0), *held, strict=True))
    return narrow, wide, named


class Row(NamedTuple):
    """A row that was read by Python: which one it is, what stands in ``meta``, and its values."""

    number: int
    meta: tuple[int, ...]
    narrow: tuple[float | None, ...]
    wide: tuple[float | None, ...]
    names: tuple[Any, ...]


@dataclass(slots=True, eq=False)
class Listed:
    """``rows`` are as long as there is room, ``used`` bytes of their text are taken."""

    rows: Rows
    used: int = 0

    @classmethod
    def of(cls, columns: Columns) -> Listed:
        """None yet."""
        return cls(_room(FIRST_ROOM, FIRST_TEXT, columns))

    def reserve(self, rows: int, text: int) -> None:
        """Make room for so many rows in all, and so many more bytes of names."""
        held = self.rows
        if len(held.meta) < rows:
            more = max(rows, 2 * len(held.meta))
            meta, narrow, wide, named = (_longer(one, more) for one in held[:4])
            held = Rows(meta, narrow, wide, named, held.text)
        if len(held.text) < self.used + text:
            held = held._replace(text=_longer(held.text, max(self.used + text, 2 * len(held.text))))
        self.rows = held

    def put(self, found: Sequence[Row], *, first: int, scanned: int) -> None:
        """Put rows in their places among those that the scanner wrote one behind the other from ``first`` on."""
        own = np.array([row.number for row in found], np.int64)
        self.reserve(max(first + scanned + len(found), int(own[-1]) + 1), 0)
        self._spread(own, first=first, scanned=scanned)
        rows = self.rows
        rows.meta[own] = [row.meta for row in found]
        rows.narrow[own] = matrix([row.narrow for row in found], rows.narrow.shape[1])
        rows.wide[own] = matrix([row.wide for row in found], rows.wide.shape[1])
        self._put_names(found, own)

    def _spread(self, own: Ints, *, first: int, scanned: int) -> None:
        """Move the scanner's rows to the places that the others leave them."""
        others = np.ones(scanned + len(own), np.bool_)
        others[own - first] = False
        places = first + np.flatnonzero(others)
        for held in self.rows[:4]:
            held[places] = held[first : first + scanned].copy()

    def _put_names(self, found: Sequence[Row], own: Ints) -> None:
        """Where they lie, and no list a row as long as the widest: of half a million rows that was a gigabyte more."""
        self.rows.named[own, :, 0] = MISSING
        text, widths = bytearray(), np.fromiter((len(row.names) for row in found), np.int64, len(found))
        names = [_kept(name, text, self.used) for row in found for name in row.names]
        if names:
            _, column = np.nonzero(np.arange(widths.max()) < widths[:, None])
            self.rows.named[np.repeat(own, widths), column] = names
            self.reserve(0, len(text))
            self.rows.text[self.used : self.used + len(text)] = np.frombuffer(text, np.uint8)
            self.used += len(text)

    def follow(self, later: Listed, *, first: int, count: int) -> None:
        """Put so many rows of another one's behind ``first`` of these."""
        self.reserve(first + count, later.used)
        for mine, theirs in zip(self.rows[:4], later.rows[:4], strict=True):
            mine[first : first + count] = theirs[:count]
        begin = self.rows.named[first : first + count, :, 0]
        begin[begin >= 0] += self.used
        self.rows.text[self.used : self.used + later.used] = later.rows.text[: later.used]
        self.used += later.used

    def name(self, row: int, column: int) -> str | None:
        """A name as it was read; None: there is none."""
        begin, told = self.rows.named[row, column].tolist()
        return (
            None
            if begin < 0
            else self.rows.text[begin : begin + (told >> 32)].tobytes().decode("utf-8", "surrogatepass")
        )


def _kept(name: Any, text: bytearray, used: int) -> tuple[int, int]:
    if name is None:
        return MISSING, 0
    if name is ABSENT_MARK:
        return ABSENT, 0
    written = name if isinstance(name, str) else category_name(name)
    if written is None:
        return WRONG, 0
    found, at = written.encode("utf-8", "surrogatepass"), used + len(text)
    text += found
    return at, len(found) << 32 | crc32(found)


def _room(rows: int, text: int, columns: Columns) -> Rows:
    narrow, wide, named = columns
    return Rows(
        np.empty((rows, META), np.int64), np.empty((rows, narrow)), np.empty((rows, wide)),
        np.empty((rows, named, NAME), np.int64), np.empty(text, np.uint8),
    )  # fmt: skip


def _longer(held: npt.NDArray[Any], length: int) -> npt.NDArray[Any]:
    found = np.empty((length, *held.shape[1:]), held.dtype)
    found[: len(held)] = held
    return found
