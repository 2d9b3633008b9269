"""How much memory open partials may take, and which leave first where they take more.

Nothing that is not stored ever leaves: over the ceiling everything is stored first, and what is touched again is loaded again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from heapq import merge

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


#: Panes that leave at a turn: about a millisecond's.
LEAVE_AT_ONCE = 500
#: What a counter takes that was told nothing.
DEFAULT_CEILING = Ceiling(400 << 20)


def least_recent(tenures: Collection[Tenure], rooms: Rooms, *, at_most: int) -> Iterator[tuple[Tenure, PaneId]]:
    """The stored panes that are to leave until no more than so many bytes are used, the one untouched for longest first.

    Each tenure has its own in that order, so what is asked for costs, and not what is there.
    """
    surplus = rooms.used - at_most
    for tenure, key in merge(*map(_stored, tenures), key=_touched):
        if surplus <= 0:
            return
        surplus -= rooms.size_of(tenure.panes[key])
        yield tenure, key


def _stored(tenure: Tenure) -> Iterator[tuple[Tenure, PaneId]]:
    return ((tenure, key) for key in tenure.panes if key not in tenure.changed)


def _touched(of: tuple[Tenure, PaneId]) -> int:
    tenure, key = of
    return tenure.panes[key].touched
