"""How much memory open partials may take, and which leave first where they take more.

Nothing that is not stored ever leaves: over the ceiling everything is stored first, and what is touched again is loaded again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from operator import itemgetter

from stream.ingest.rooms import Rooms
from stream.ingest.tenure import PaneId, Tenure


@dataclass(frozen=True, slots=True)
class Ceiling:
    """Bytes: more than ``high`` begins to make room, until ``low`` is reached; what one block opens fits in between."""

    whole: int

    @property
    def high(self) -> int:
        return self.whole * 3 // 4

    @property
    def low(self) -> int:
        return self.whole // 2

    def rows(self, widest: int, *, most: int) -> int:
        """So many rows are counted together, each of which may open a pane of ``widest`` bytes.

        >>> Ceiling(400 << 20).rows(13_000, most=4_096), Ceiling(400 << 20).rows(1 << 20, most=4_096), Ceiling(1).rows(9, most=7)
        (4032, 50, 1)
        """
        return max(1, min(most, self.whole // 8 // widest))


#: What a counter takes that was told nothing.
DEFAULT_CEILING = Ceiling(400 << 20)


def least_recent(tenures: Collection[Tenure], rooms: Rooms, *, at_most: int) -> Iterator[tuple[Tenure, PaneId]]:
    """The stored panes that are to leave until no more than so many bytes are used, the one untouched for longest first."""
    surplus = rooms.used - at_most
    stored = [
        (pane.touched, rooms.size_of(pane), tenure, key)
        for tenure in tenures
        for key, pane in tenure.panes.items()
        if key not in tenure.changed
    ]
    for _, size, tenure, key in sorted(stored, key=itemgetter(0)):
        if surplus <= 0:
            return
        surplus -= size
        yield tenure, key
