"""Memory of the open partials: one flat vector of counters, so a whole block is counted by one scatter-add.

A partial owns a run of cells (and of sums and extrema); freed runs are reused by partials of the same layout.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from stream.state.flat import Flat, begins_of
from stream.state.layout import Layout
from stream.state.packing import Partial

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Room:
    """Where a partial's cells and sums begin."""

    cells: int
    sums: int


class Arena:
    """Grows in place, an eighth at a time; a ``Room`` stays valid until it is freed, a view of a vector until the next one."""

    def __init__(self, counts: type[np.unsignedinteger] = np.uint32) -> None:
        self.cells: npt.NDArray[np.unsignedinteger] = np.zeros(1 << 16, counts)
        self.one = counts(1)  # of another type, numpy would add it ten times as slowly
        self.sums = np.zeros(1 << 12, np.int64)
        self.extrema = np.zeros(1 << 12, np.float64)
        self._next = Room(0, 0)
        self._free: dict[tuple[int, int], list[Room]] = defaultdict(list)

    def allocate(self, layout: Layout, start: Partial | None = None) -> Room:
        """A room for a partial of ``layout`` that starts from ``start``, or from nothing."""
        free = self._free.get(_shape(layout))
        room = free.pop() if free else self._fresh(layout)
        if start is None:
            self.clear(room, layout)
        else:
            cells, sums = _slices(room, layout)
            self.cells[cells], self.sums[sums], self.extrema[sums] = start.cells, start.sums, start.extrema
        return room

    def read(self, room: Room, layout: Layout, *, revision: int) -> Partial:
        """A copy of what the room holds; the waste cell reads 0."""
        cells, sums = _slices(room, layout)
        counted = self.cells[cells].astype(np.int64)
        counted[0] = 0
        return Partial(counted, self.sums[sums].copy(), self.extrema[sums].copy(), revision)

    def together(self, rooms: Sequence[tuple[Room, Layout]]) -> Flat:
        """A copy of what these rooms hold, one behind the other; the waste cells read 0."""
        spans = [_slices(room, layout) for room, layout in rooms]
        shapes = np.array([_shape(layout) for _, layout in rooms])
        cells = np.concatenate([self.cells[own] for own, _ in spans])
        cells[begins_of(shapes[:, 0])] = 0
        sums = np.concatenate([self.sums[own] for _, own in spans])
        return Flat(cells, sums, np.concatenate([self.extrema[own] for _, own in spans]), shapes)

    def clear(self, room: Room, layout: Layout) -> None:
        """Count from nothing again in the room."""
        cells, sums = _slices(room, layout)
        self.cells[cells], self.sums[sums], self.extrema[sums] = 0, 0, _nothing(len(layout.numeric))

    def free(self, room: Room, layout: Layout) -> None:
        """Give the room back."""
        self._free[_shape(layout)].append(room)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.cells.nbytes + self.sums.nbytes + self.extrema.nbytes

    def _fresh(self, layout: Layout) -> Room:
        cells, sums = _shape(layout)
        room = self._next
        self._next = Room(room.cells + cells, room.sums + sums)
        _grow(self.cells, self._next.cells)
        _grow(self.sums, self._next.sums)
        _grow(self.extrema, self._next.sums)
        return room


def _shape(layout: Layout) -> tuple[int, int]:
    return layout.cells, 2 * len(layout.numeric)


def _slices(room: Room, layout: Layout) -> tuple[slice, slice]:
    cells, sums = _shape(layout)
    return slice(room.cells, room.cells + cells), slice(room.sums, room.sums + sums)


@lru_cache(maxsize=1024)
def _nothing(columns: int) -> Floats:
    """Minima and maxima of no value at all."""
    return np.tile((np.inf, -np.inf), columns)


def _grow(vector: npt.NDArray[Any], size: int) -> None:
    """In place: to copy a gigabyte into one twice as large took longer than what was counted in it."""
    if size > len(vector):
        vector.resize(max(size, len(vector) + len(vector) // 8), refcheck=False)
