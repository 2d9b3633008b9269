"""Memory of the open partials: one flat vector of counters, so a whole block is counted by one scatter-add.

A partial owns a run of cells (and of sums and extrema); freed runs are reused by partials of the same layout, and closed up
(``closing``) where nobody reuses them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from stream.state.layout import Layout, Shape
from stream.state.packing import Partial

Floats = npt.NDArray[np.float64]

#: A vector grows by an eighth, and by no more than so many bytes: what is held and not used is little.
MOST_GROWN = 8 << 20
#: Bytes of a sum and of an extremum together.
SUM_BYTES = 16


class Room(NamedTuple):
    """Where a partial's cells and sums begin, and all of them."""

    cells: int
    sums: int
    of_cells: slice
    of_sums: slice

    @property
    def shape(self) -> Shape:
        """How many cells and sums."""
        return self.of_cells.stop - self.cells, self.of_sums.stop - self.sums


class Arena:
    """Grows in place; a ``Room`` stays valid until it is freed or moved, a view of a vector until the next one is made."""

    def __init__(self, counts: type[np.unsignedinteger] = np.uint32) -> None:
        self.cells: npt.NDArray[np.unsignedinteger] = np.zeros(1 << 16, counts)
        #: What a cell holds at most, and its bytes.
        self.most, self.width = int(np.iinfo(counts).max), self.cells.itemsize
        self.sums = np.zeros(1 << 12, np.int64)
        self.extrema = np.zeros(1 << 12, np.float64)
        #: Bytes of the rooms that are not free.
        self.used = 0
        self._next = (0, 0)
        #: While gaps are closed: where what was moved ends, and what was not begins at the earliest.
        self._front: tuple[int, int] | None = None
        self._free: dict[Shape, list[Room]] = defaultdict(list)

    def allocate(self, layout: Layout, start: Partial | None = None) -> Room:
        """A room for a partial of ``layout`` that starts from ``start``, or from nothing."""
        (room,) = self._several(layout.shape, 1)
        if start is not None:
            self.cells[room.of_cells] = start.cells
            self.sums[room.of_sums], self.extrema[room.of_sums] = start.sums, start.extrema
        return room

    def allocate_all(self, shapes: Sequence[Shape]) -> list[Room]:
        """A room of each shape, in which nothing is counted."""
        several = {shape: self._several(shape, count) for shape, count in Counter(shapes).items()}
        return [several[shape].pop() for shape in shapes]

    def read(self, room: Room, *, revision: int) -> Partial:
        """A copy of what the room holds; the waste cell reads 0."""
        counted = self.cells[room.of_cells].astype(np.int64)
        counted[0] = 0
        return Partial(counted, self.sums[room.of_sums].copy(), self.extrema[room.of_sums].copy(), revision)

    def clear(self, room: Room) -> None:
        """Count from nothing again in the room."""
        self.cells[room.of_cells] = 0
        self.sums[room.of_sums] = 0
        self.extrema[room.of_sums] = _nothing(room.of_sums.stop - room.sums)

    def free(self, room: Room) -> None:
        """Give the room back; one that others are about to be moved over is a gap like any other."""
        self.used -= self.size_of(room.shape)
        if self._front is None or room.cells < self._front[0]:
            self._free[room.shape].append(room)

    @contextmanager
    def closing(self) -> Iterator[None]:
        """Within, every room in use is ``moved``, in their order, and nothing is allocated; then the rest is given back.

        Cut short, rooms stay valid, and gaps stay gaps until the next time.
        """
        self._free.clear()
        self._front = (0, 0)
        try:
            yield
            self._cut(*self._front)
        finally:
            self._front = None

    def moved(self, room: Room) -> Room:
        """The room at the front, which is before it or its own."""
        assert self._front is not None
        (cells, sums), (at, at_sum) = room.shape, self._front
        self._front = at + cells, at_sum + sums
        to = Room(at, at_sum, slice(at, at + cells), slice(at_sum, at_sum + sums))
        for vector, begin, end in (
            (self.cells, room.of_cells, to.of_cells),
            (self.sums, room.of_sums, to.of_sums),
            (self.extrema, room.of_sums, to.of_sums),
        ):
            vector[end] = vector[begin]
        return to

    def size_of(self, shape: Shape) -> int:
        """Bytes of a room."""
        return shape[0] * self.width + shape[1] * SUM_BYTES

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.cells.nbytes + self.sums.nbytes + self.extrema.nbytes

    def _several(self, shape: Shape, count: int) -> list[Room]:
        free = self._free[shape]
        reused = free[-count:]
        del free[-count:]
        for room in reused:
            self.clear(room)
        self.used += count * self.size_of(shape)
        return reused + self._fresh(shape, count - len(reused)) if len(reused) < count else reused

    def _fresh(self, shape: Shape, count: int) -> list[Room]:
        """New rooms at the end, where every cell is 0."""
        (cells, sums), (first, first_sum) = shape, self._next
        self._next = end, end_sum = first + count * cells, first_sum + count * sums
        _grow(self.cells, end)
        _grow(self.sums, end_sum)
        _grow(self.extrema, end_sum)
        self.extrema[first_sum:end_sum] = np.tile(_nothing(sums), count)
        begins = ((first + at * cells, first_sum + at * sums) for at in range(count))
        return [Room(at, at_sum, slice(at, at + cells), slice(at_sum, at_sum + sums)) for at, at_sum in begins]

    def _cut(self, cells: int, sums: int) -> None:
        """Nothing is behind these any more."""
        self._next = cells, sums
        for vector, end in ((self.cells, cells), (self.sums, sums), (self.extrema, sums)):
            vector.resize(max(1 << 12, end), refcheck=False)
            vector[end:] = 0


@lru_cache(maxsize=1024)
def _nothing(extrema: int) -> Floats:
    """Minima and maxima of no value at all."""
    return np.tile((np.inf, -np.inf), extrema // 2)


def _grow(vector: npt.NDArray[Any], size: int) -> None:
    """In place: to copy a gigabyte into one twice as large took longer than what was counted in it."""
    if size > len(vector):
        vector.resize(max(size, len(vector) + min(len(vector) // 8, MOST_GROWN // vector.itemsize)), refcheck=False)
