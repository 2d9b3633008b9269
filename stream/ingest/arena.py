"""Memory of the open partials: one flat vector of counters, so a whole block is counted by one scatter-add.

A partial owns a run of cells (and of sums and extrema); freed runs are reused by partials of the same layout.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from stream.state.flat import Flat, begins_of
from stream.state.layout import Layout
from stream.state.packing import Partial

Floats = npt.NDArray[np.float64]


class Room(NamedTuple):
    """Where a partial's cells and sums begin, and all of them."""

    cells: int
    sums: int
    of_cells: slice
    of_sums: slice

    @property
    def shape(self) -> tuple[int, int]:
        """How many cells and sums."""
        return self.of_cells.stop - self.cells, self.of_sums.stop - self.sums


class Arena:
    """Grows in place, an eighth at a time; a ``Room`` stays valid until it is freed, a view of a vector until the next one."""

    def __init__(self, counts: type[np.unsignedinteger] = np.uint32) -> None:
        self.cells: npt.NDArray[np.unsignedinteger] = np.zeros(1 << 16, counts)
        self.one = counts(1)  # of another type, numpy would add it ten times as slowly
        self.sums = np.zeros(1 << 12, np.int64)
        self.extrema = np.zeros(1 << 12, np.float64)
        self._next = (0, 0)
        self._free: dict[tuple[int, int], list[Room]] = defaultdict(list)

    def allocate(self, layout: Layout, start: Partial | None = None) -> Room:
        """A room for a partial of ``layout`` that starts from ``start``, or from nothing."""
        shape = layout.cells, 2 * len(layout.numeric)
        free = self._free.get(shape)
        room = free.pop() if free else self._fresh(*shape)
        if start is None:
            self.clear(room)
        else:
            self.cells[room.of_cells] = start.cells
            self.sums[room.of_sums], self.extrema[room.of_sums] = start.sums, start.extrema
        return room

    def read(self, room: Room, *, revision: int) -> Partial:
        """A copy of what the room holds; the waste cell reads 0."""
        counted = self.cells[room.of_cells].astype(np.int64)
        counted[0] = 0
        return Partial(counted, self.sums[room.of_sums].copy(), self.extrema[room.of_sums].copy(), revision)

    def together(self, rooms: Sequence[Room]) -> Flat:
        """A copy of what these rooms hold, one behind the other; the waste cells read 0."""
        shapes = np.array([room.shape for room in rooms])
        cells = np.concatenate([self.cells[room.of_cells] for room in rooms])
        cells[begins_of(shapes[:, 0])] = 0
        sums = np.concatenate([self.sums[room.of_sums] for room in rooms])
        return Flat(cells, sums, np.concatenate([self.extrema[room.of_sums] for room in rooms]), shapes)

    def clear(self, room: Room) -> None:
        """Count from nothing again in the room."""
        self.cells[room.of_cells] = 0
        self.sums[room.of_sums] = 0
        self.extrema[room.of_sums] = _nothing(room.of_sums.stop - room.sums)

    def free(self, room: Room) -> None:
        """Give the room back."""
        self._free[room.shape].append(room)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.cells.nbytes + self.sums.nbytes + self.extrema.nbytes

    def _fresh(self, cells: int, sums: int) -> Room:
        first, first_sum = self._next
        self._next = end, end_sum = first + cells, first_sum + sums
        if end > len(self.cells) or end_sum > len(self.sums):
            _grow(self.cells, end)
            _grow(self.sums, end_sum)
            _grow(self.extrema, end_sum)
        return Room(first, first_sum, slice(first, end), slice(first_sum, end_sum))


@lru_cache(maxsize=1024)
def _nothing(extrema: int) -> Floats:
    """Minima and maxima of no value at all."""
    return np.tile((np.inf, -np.inf), extrema // 2)


def _grow(vector: npt.NDArray[Any], size: int) -> None:
    """In place: to copy a gigabyte into one twice as large took longer than what was counted in it."""
    if size > len(vector):
        vector.resize(max(size, len(vector) + len(vector) // 8), refcheck=False)
