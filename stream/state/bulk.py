"""Many partials of one layout at once: stored ones added up by pane, and made ones packed, in a few passes of numpy.

Bit for bit what :mod:`stream.state.packing` does one by one; there a partial costs a dozen calls of numpy, here a block of them
costs some fifty.  So a few are left to it: a live model closes one pane at a time.  So are stored bytes that do not fit, for it
says what is wrong with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from schemas.errors import StoreError
from stream.state.flat import flat_of
from stream.state.packing import (
    FLOAT,
    FORMAT,
    HEAD,
    HEADS,
    INTEGER,
    SHORT,
    UNSIGNED,
    Ints,
    Partial,
    narrowest,
    pack,
    unpack,
)

#: Cells that one pass goes over: a few milliseconds.
CELLS_AT_ONCE = 500_000
#: Stored bytes that are added in one pass.
BYTES_AT_ONCE = 64 * 1024
#: So many cost less one by one than together.
FEW = 8
_Heads = npt.NDArray[np.void]
T = TypeVar("T")


class Added:
    """Sums by pane: a row for each of ``starts``, to which stored partials are added."""

    def __init__(self, starts: Sequence[int], *, cells: int, columns: int) -> None:
        count = len(starts)
        self._rows = {start: row for row, start in enumerate(starts)}
        self._cells = np.zeros((count, cells), np.int64)
        self._sums = np.zeros((count, 2 * columns), np.int64)
        self._extrema = np.empty((count, 2 * columns))
        self._extrema[:, 0::2], self._extrema[:, 1::2] = np.inf, -np.inf
        self._revisions = [0] * count
        self._touched: set[int] = set()

    def add(self, stored: Sequence[tuple[int, bytes]]) -> None:
        """Add these (start of the pane, stored form).

        :raises StoreError: one is damaged or of another format; nothing that is read from here is of any use then.
        """
        if not stored:
            return
        rows = [self._rows[start] for start, _ in stored]
        packed = [each for _, each in stored]
        heads = _heads_of(packed)
        if heads is None or not self._add_all(np.array(rows), packed, heads):
            self._add_each(rows, packed)
        self._touched.update(rows)

    def partials(self) -> dict[int, Partial]:
        """The sums of the panes that something was added to, by start, in the order of ``starts``."""
        return {
            start: Partial(self._cells[row], self._sums[row], self._extrema[row], self._revisions[row])
            for start, row in self._rows.items()
            if row in self._touched
        }

    def _add_all(self, rows: Ints, packed: Sequence[bytes], heads: _Heads) -> bool:
        """False, and nothing is done, where the bytes are not what the heads and the layout promise."""
        cells, sums = self._cells.shape[1], self._sums.shape[1]
        if (heads["columns"] * 2 != sums).any() or ((heads["widths"] >> 4) != narrowest(cells).itemsize).any():
            return False
        read = _read(packed, heads, index_type=narrowest(cells))
        if _beyond(read.index, cells) or _beyond(read.where, sums):
            return False
        if not (_rising(read.index, heads["filled"]) and _rising(read.where, heads["summed"])):
            return False
        np.add.at(self._cells.reshape(-1), np.repeat(rows * cells, heads["filled"]) + read.index, read.counts)
        np.add.at(self._sums.reshape(-1), np.repeat(rows * sums, heads["summed"]) + read.where, read.sums)
        self._widen(rows, read.extrema.reshape(len(rows), sums))
        for row, revision in zip(rows.tolist(), heads["revision"].tolist(), strict=True):
            self._revisions[row] += revision
        return True

    def _add_each(self, rows: Sequence[int], packed: Sequence[bytes]) -> None:
        for row, each in zip(rows, packed, strict=True):
            one = _unpacked(each, self._cells.shape[1], self._sums.shape[1])
            self._cells[row] += one.cells
            self._sums[row] += one.sums
            self._widen(np.array([row]), one.extrema[np.newaxis])
            self._revisions[row] += one.revision

    def _widen(self, rows: Ints, extrema: npt.NDArray[np.float64]) -> None:
        order = np.argsort(rows, kind="stable")
        rows, extrema = rows[order], extrema[order]
        begins = np.flatnonzero(np.diff(rows, prepend=-1))
        for side, reach in ((0, np.minimum), (1, np.maximum)):
            found = reach.reduceat(extrema[:, side::2], begins, axis=0)
            self._extrema[rows[begins], side::2] = reach(self._extrema[rows[begins], side::2], found)


def added_singly(stored: Iterable[tuple[int, bytes]], *, cells: int, columns: int) -> dict[int, Partial]:
    """The sums by pane of a few stored partials, as ``Added`` has them.

    :raises StoreError: one is damaged or of another format.
    """
    found: dict[int, Partial] = {}
    for start, packed in stored:
        each = _unpacked(packed, cells, 2 * columns)
        found[start] = found[start] + each if start in found else each
    return dict(sorted(found.items()))


def _unpacked(packed: bytes, cells: int, sums: int) -> Partial:
    one = unpack(packed, cells)
    if len(one.sums) != sums:
        raise StoreError(
            f"stored pane of {len(packed)} bytes is damaged: it has {len(one.sums) // 2} numeric columns, its layout {sums // 2}"
        )
    return one


def sum_of(partials: Sequence[Partial]) -> Partial:
    """The exact merge of partials of one layout, one at least."""
    if len(partials) <= 2:
        return partials[0] if len(partials) == 1 else partials[0] + partials[1]
    extrema = np.stack([each.extrema for each in partials])
    reached = np.empty_like(extrema[0])
    extrema[:, 0::2].min(axis=0, out=reached[0::2])
    extrema[:, 1::2].max(axis=0, out=reached[1::2])
    return Partial(
        np.stack([each.cells for each in partials]).sum(axis=0),
        np.stack([each.sums for each in partials]).sum(axis=0),
        reached,
        sum(each.revision for each in partials),
    )


def portions(stored: Iterable[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    """What ``Added`` takes in one pass, piece by piece."""
    portion: list[tuple[int, bytes]] = []
    held = 0
    for start, packed in stored:
        portion.append((start, packed))
        held += len(packed)
        if held >= BYTES_AT_ONCE:
            yield portion
            portion, held = [], 0
    if portion:
        yield portion


def pack_all(partials: Sequence[Partial]) -> list[bytes]:
    """The stored forms of some partials of one layout, as ``pack`` makes them."""
    if len(partials) <= FEW:
        return [pack(each) for each in partials]
    return flat_of(partials).packed([each.revision for each in partials])


def passes(things: Iterable[T], *, cells: int, at_once: int = CELLS_AT_ONCE) -> Iterator[list[T]]:
    """So many panes of a layout together as one pass may go over.

    >>> list(passes("abcde", cells=250_000)), list(passes("ab", cells=10**7))
    ([['a', 'b'], ['c', 'd'], ['e']], [['a'], ['b']])
    """
    left, step = list(things), max(1, at_once // cells)
    return (left[first : first + step] for first in range(0, len(left), step))


@dataclass(frozen=True, eq=False, slots=True)
class _Read:
    """What stands behind the heads of some stored partials, one behind the other."""

    index: npt.NDArray[Any]
    counts: Ints
    where: npt.NDArray[Any]
    sums: npt.NDArray[Any]
    extrema: npt.NDArray[np.float64]


def _read(packed: Sequence[bytes], heads: _Heads, *, index_type: np.dtype[np.unsignedinteger]) -> _Read:
    filled, summed = heads["filled"].astype(np.int64), heads["summed"].astype(np.int64)
    widths = (heads["widths"] & 15).astype(np.int64)
    index_ends = HEAD.size + filled * index_type.itemsize
    count_ends = index_ends + filled * widths
    where_ends = count_ends + summed * SHORT.itemsize
    sum_ends = where_ends + summed * INTEGER.itemsize
    index = _joined(_slices(packed, np.full_like(filled, HEAD.size), index_ends), index_type)
    pieces = list(_slices(packed, index_ends, count_ends))
    counts = np.empty(len(index), np.int64)
    for width in set(widths.tolist()):
        of_width = (piece for piece, own in zip(pieces, widths.tolist(), strict=True) if own == width)
        counts[np.repeat(widths == width, filled)] = _joined(of_width, UNSIGNED[width])
    return _Read(
        index, counts, _joined(_slices(packed, count_ends, where_ends), SHORT),
        _joined(_slices(packed, where_ends, sum_ends), INTEGER),
        _joined((each[end:] for each, end in zip(packed, sum_ends.tolist(), strict=True)), FLOAT).astype(np.float64),
    )  # fmt: skip


def _heads_of(packed: Sequence[bytes]) -> _Heads | None:
    """The heads; None where one has not the format or not the length that it promises."""
    if min(map(len, packed)) < HEAD.size:
        return None
    heads = np.frombuffer(b"".join(each[: HEAD.size] for each in packed), HEADS)
    index, count = heads["widths"] >> 4, heads["widths"] & 15
    if (heads["format"] != FORMAT).any() or not {*index.tolist(), *count.tolist()} <= UNSIGNED.keys():
        return None
    filled, summed, columns = (heads[name].astype(np.int64) for name in ("filled", "summed", "columns"))
    sizes = HEAD.size + filled * (index + count) + 10 * summed + 16 * columns
    return heads if sizes.tolist() == list(map(len, packed)) else None


def _slices(packed: Iterable[bytes], begins: Ints, ends: Ints) -> Iterator[bytes]:
    return (each[begin:end] for each, begin, end in zip(packed, begins.tolist(), ends.tolist(), strict=True))


def _joined(parts: Iterable[bytes], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    return np.frombuffer(b"".join(parts), dtype)


def _beyond(index: npt.NDArray[Any], size: int) -> bool:
    return bool(len(index)) and int(index.max()) >= size


def _rising(index: npt.NDArray[Any], lengths: npt.NDArray[Any]) -> bool:
    """Whether no index comes twice in its own piece: of damaged bytes, which count then depends on how they are read."""
    steps = index[1:] > index[:-1]
    begins = np.cumsum(lengths.astype(np.int64))[:-1]
    steps[begins[(begins > 0) & (begins < len(index))] - 1] = True
    return bool(steps.all())
