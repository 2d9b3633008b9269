"""Where each open pane is counted: in cells of 8 bits until so many events came that one could overflow, then in 32.

Of many models over many partitions most panes see few events, and what is spent on them is spent on touching memory: a room of
a byte a cell is a quarter of it.  What outgrows 32 bits as well is carried beside its room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from stream.ingest.arena import Arena
from stream.ingest.tenure import OpenPane
from stream.state.layout import Layout
from stream.state.packing import Partial

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: Half of what a cell of 32 bits holds: no more than that is counted from one checkpoint to the next.
OUTGROWN = 1 << 31
#: What a cell of 8 bits holds.
SMALL = 255


@dataclass(frozen=True, eq=False, slots=True)
class Places:
    """For each row first cell and first sum of its pane, and whether those are of 8 bits."""

    cells: Ints
    sums: Ints
    small: Bools

    def of(self, rows: Ints) -> Places:
        return Places(self.cells[rows], self.sums[rows], self.small[rows])


class Rooms:
    """All memory of open panes."""

    def __init__(self) -> None:
        self.small, self.large = Arena(np.uint8), Arena(np.uint32)

    def opened(self, layout: Layout, start_ms: int, stored: Partial | None) -> OpenPane:
        """A pane that goes on from what is stored of it, or from nothing."""
        if stored is None:
            return OpenPane(layout, start_ms, self.small, self.small.allocate(layout), 0)
        most = int(stored.cells.max())
        if most < OUTGROWN:
            arena = self.small if most < SMALL else self.large
            return OpenPane(layout, start_ms, arena, arena.allocate(layout, stored), stored.revision, most=most)
        room = self.large.allocate(layout)
        return OpenPane(layout, start_ms, self.large, room, stored.revision, carried=stored)

    def prepare(self, panes: Sequence[OpenPane | None], rows: Ints, *, weight: int) -> None:
        """Make room for so many more rows in each pane, none of which adds more than ``weight`` to a cell."""
        for pane, more in zip(panes, (rows * weight).tolist(), strict=True):
            if pane is not None and pane.arena is self.small:
                pane.most += more
                if pane.most > SMALL:
                    self._widen(pane)

    def places(self, panes: Sequence[OpenPane | None]) -> Places:
        """Of each pane; rows of none are not counted."""
        return Places(
            np.array([pane.room.cells if pane else 0 for pane in panes], np.int64),
            np.array([pane.room.sums if pane else 0 for pane in panes], np.int64),
            np.array([pane is not None and pane.arena is self.small for pane in panes], np.bool_),
        )

    def parts(self, places: Places) -> list[tuple[Arena, Ints]]:
        """The rows of each arena that has any."""
        split = (self.small, np.flatnonzero(places.small)), (self.large, np.flatnonzero(~places.small))
        return [(arena, rows) for arena, rows in split if len(rows)]

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
        pane.arena.free(pane.room)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.small.nbytes + self.large.nbytes

    def _widen(self, pane: OpenPane) -> None:
        held = self.small.read(pane.room, revision=0)
        self.small.free(pane.room)
        pane.arena, pane.room = self.large, self.large.allocate(pane.layout, held)
