"""Memory of the open partials: one flat vector of counters, so a whole block is counted by one scatter-add.

A partial owns a run of cells (and of sums and extrema); freed runs are reused by partials of the same layout.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from stream.state.layout import Layout
from stream.state.packing import Partial, empty


@dataclass(frozen=True, slots=True)
class Room:
    """Where a partial's cells and sums begin."""

    cells: int
    sums: int


class Arena:
    """Grows by doubling; a ``Room`` stays valid until it is freed."""

    def __init__(self) -> None:
        self.cells = np.zeros(1 << 16, np.uint32)
        self.sums = np.zeros(1 << 12, np.int64)
        self.extrema = np.zeros(1 << 12, np.float64)
        self._next = Room(0, 0)
        self._free: dict[tuple[int, int], list[Room]] = defaultdict(list)

    def allocate(self, layout: Layout, start: Partial) -> Room:
        """A room for a partial of ``layout`` that starts from ``start``."""
        room = self._reused(layout) or self._fresh(layout)
        self._set(room, layout, start)
        return room

    def read(self, room: Room, layout: Layout, *, revision: int) -> Partial:
        """A copy of what the room holds; the waste cell reads 0."""
        cells, sums = _slices(room, layout)
        counted = self.cells[cells].astype(np.int64)
        counted[0] = 0
        return Partial(counted, self.sums[sums].copy(), self.extrema[sums].copy(), revision)

    def clear(self, room: Room, layout: Layout) -> None:
        """Count from nothing again in the room."""
        self._set(room, layout, empty(layout.cells, len(layout.numeric)))

    def free(self, room: Room, layout: Layout) -> None:
        """Give the room back."""
        self._free[_shape(layout)].append(room)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.cells.nbytes + self.sums.nbytes + self.extrema.nbytes

    def _set(self, room: Room, layout: Layout, start: Partial) -> None:
        cells, sums = _slices(room, layout)
        self.cells[cells] = start.cells
        self.sums[sums] = start.sums
        self.extrema[sums] = start.extrema

    def _reused(self, layout: Layout) -> Room | None:
        free = self._free[_shape(layout)]
        return free.pop() if free else None

    def _fresh(self, layout: Layout) -> Room:
        cells, sums = _shape(layout)
        room = self._next
        self._next = Room(room.cells + cells, room.sums + sums)
        self.cells = _grown(self.cells, self._next.cells)
        self.sums = _grown(self.sums, self._next.sums)
        self.extrema = _grown(self.extrema, self._next.sums)
        return room


def _shape(layout: Layout) -> tuple[int, int]:
    return layout.cells, 2 * len(layout.numeric)


def _slices(room: Room, layout: Layout) -> tuple[slice, slice]:
    cells, sums = _shape(layout)
    return slice(room.cells, room.cells + cells), slice(room.sums, room.sums + sums)


def _grown(vector: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    if size <= len(vector):
        return vector
    grown = np.zeros(max(size, 2 * len(vector)), vector.dtype)
    grown[: len(vector)] = vector
    return grown
