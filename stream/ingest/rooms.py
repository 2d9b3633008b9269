"""Where each open pane is counted: in cells of 8 bits until so many events came that one could overflow, then in 16, then in 32.

Of many models over many partitions most panes see few events, and what is spent on them is spent on touching memory: a room of
a byte a cell is a quarter of it.  What outgrows 32 bits as well is carried beside its room.
"""

from __future__ import annotations

from array import array
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from stream.ingest.arena import Arena
from stream.ingest.tenure import OpenPane
from stream.state.layout import Layout, Shape
from stream.state.packing import Partial

Ints = npt.NDArray[np.int64]

#: Half of what a cell of 32 bits holds: no more than that is counted from one checkpoint to the next.
OUTGROWN = 1 << 31
#: What a cell of 8 bits holds.
SMALL = 255
#: What Python keeps of an open pane beside its room, in bytes.
OVERHEAD = 1_000
#: Bytes of rooms that a processor's second cache holds; beyond them a pane is touched once a block.
CACHED = 1 << 20
#: Rooms that are moved at a turn: about a millisecond's.
MOVED_AT_ONCE = 250
#: Panes whose rooms are looked up at a turn: as long.
SEEN_AT_ONCE = 5_000


@dataclass(frozen=True, eq=False, slots=True)
class Places:
    """For each row first cell and first sum of its pane, and how many bytes a cell has there."""

    cells: Ints
    sums: Ints
    width: Ints

    def of(self, rows: Ints) -> Places:
        return Places(self.cells[rows], self.sums[rows], self.width[rows])


class Rooms:
    """All memory of open panes."""

    def __init__(self) -> None:
        self.small, self.middle, self.large = Arena(np.uint8), Arena(np.uint16), Arena(np.uint32)
        self.arenas = (self.small, self.middle, self.large)
        #: Open panes.
        self.panes = 0

    def opened(self, layout: Layout, start_ms: int, stored: Partial) -> OpenPane:
        """A pane that goes on from what is stored of it."""
        self.panes += 1
        most = int(stored.cells.max())
        if most < OUTGROWN:
            arena = self._holding(most)
            return OpenPane(layout, start_ms, arena, arena.allocate(layout, stored), stored.revision, most=most)
        room = self.large.allocate(layout)
        return OpenPane(layout, start_ms, self.large, room, stored.revision, carried=stored)

    def begun(self, layouts: Sequence[Layout], starts_ms: Iterable[int]) -> list[OpenPane]:
        """Panes that begin with nothing."""
        self.panes += len(layouts)
        rooms, small = self.small.allocate_all([layout.shape for layout in layouts]), self.small
        found = zip(layouts, starts_ms, rooms, strict=True)
        return [OpenPane(layout, start, small, room, 0) for layout, start, room in found]

    def prepare(self, panes: Sequence[OpenPane | None], rows: Ints, *, weight: int) -> None:
        """Make room for so many more rows in each pane, none of which adds more than ``weight`` to a cell."""
        for pane, more in zip(panes, (rows * weight).tolist(), strict=True):
            if pane is not None and pane.arena is not self.large:
                pane.most += more
                if pane.most > pane.arena.most:
                    self._widen(pane)

    def places(self, panes: Sequence[OpenPane | None]) -> Places:
        """Of each pane; rows of none are not counted."""
        return Places(
            np.array([pane.room.cells if pane else 0 for pane in panes], np.int64),
            np.array([pane.room.sums if pane else 0 for pane in panes], np.int64),
            np.array([pane.arena.width if pane else 0 for pane in panes], np.int64),
        )

    def parts(self, places: Places) -> list[tuple[Arena, Ints]]:
        """The rows of each arena that has any, those of a pane together where not all panes stay in the processor's cache."""
        split = ((arena, np.flatnonzero(places.width == arena.width)) for arena in self.arenas)
        return [(arena, _ordered(rows, places, arena)) for arena, rows in split if len(rows)]

    def content(self, pane: OpenPane) -> Partial:
        """All that was counted of a pane; what outgrows the room's 32 bits is carried beside it from then on."""
        counted = pane.arena.read(pane.room, revision=pane.revision)
        whole = counted if pane.carried is None else replace(pane.carried + counted, revision=pane.revision)
        if counted.cells.max() >= OUTGROWN:
            pane.carried = whole
            pane.arena.clear(pane.room)
        return whole

    def free(self, pane: OpenPane) -> None:
        """Give a pane's room back."""
        self.panes -= 1
        pane.held = False
        pane.arena.free(pane.room)

    def compact(self, panes: Iterable[OpenPane]) -> Generator[None, None, None]:
        """Close the gaps, some at each turn; ``panes`` are all that are open.  Between turns some may be freed, none opened."""
        everything = list(panes)
        open_in: dict[int, tuple[list[OpenPane], array[int]]] = {id(arena): ([], array("q")) for arena in self.arenas}
        for first in range(0, len(everything), SEEN_AT_ONCE):
            if first:
                yield
            for pane in everything[first : first + SEEN_AT_ONCE]:
                if pane.held:
                    own, begins = open_in[id(pane.arena)]
                    own.append(pane)
                    begins.append(pane.room.cells)
        for arena in self.arenas:
            own, begins = open_in[id(arena)]
            yield from _closed_up(arena, own, begins)

    def size_of(self, pane: OpenPane) -> int:
        """Bytes that it takes."""
        return OVERHEAD + pane.arena.size_of(pane.room.shape)

    def most_of(self, shape: Shape) -> int:
        """Bytes that a pane of this shape may take."""
        return OVERHEAD + self.large.size_of(shape)

    @property
    def used(self) -> int:
        """Bytes that open panes take."""
        return sum(arena.used for arena in self.arenas) + self.panes * OVERHEAD

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(arena.nbytes for arena in self.arenas) + self.panes * OVERHEAD

    def _holding(self, most: int) -> Arena:
        return next((arena for arena in self.arenas if most <= arena.most), self.large)

    def _widen(self, pane: OpenPane) -> None:
        arena, wider = pane.arena, self._holding(pane.most)
        held = arena.read(pane.room, revision=0)
        arena.free(pane.room)
        pane.arena, pane.room = wider, wider.allocate(pane.layout, held)


def _ordered(rows: Ints, places: Places, arena: Arena) -> Ints:
    return rows if arena.used <= CACHED else rows[np.argsort(places.cells[rows], kind="stable")]


def _closed_up(arena: Arena, panes: list[OpenPane], begins: array[int]) -> Iterator[None]:
    order = np.argsort(np.frombuffer(begins, np.int64) if begins else np.zeros(0, np.int64))
    with arena.closing():
        for first in range(0, len(panes), MOVED_AT_ONCE):
            for at in order[first : first + MOVED_AT_ONCE].tolist():
                if panes[at].held:
                    panes[at].room = arena.moved(panes[at].room)
            yield
