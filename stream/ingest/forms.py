"""The stored forms of changed panes, packed together straight from the arena.

Most panes of many models counted little since the last checkpoint; one by one, the calls of numpy cost more than the counts.
"""

from __future__ import annotations

from collections.abc import Sequence

from stream.ingest.arena import Arena
from stream.ingest.rooms import OUTGROWN, Rooms
from stream.ingest.tenure import OpenPane
from stream.state.arms import is_of_arms, stored_form
from stream.state.bulk import passes

#: Cells that one pass goes over: so many that its calls cost little, so few that they stay in the cache.
CELLS_AT_ONCE = 250_000


def stored_forms(panes: Sequence[OpenPane], rooms: Rooms) -> list[bytes]:
    """What is stored of each of these panes now."""
    together = [at for at, pane in enumerate(panes) if pane.carried is None and not is_of_arms(pane.layout)]
    found: dict[int, bytes] = {}
    for arena in (rooms.small, rooms.large):
        found |= _together(panes, [at for at in together if panes[at].arena is arena], arena)
    return [
        found[at] if at in found else stored_form(pane.layout, rooms.content(pane)) for at, pane in enumerate(panes)
    ]


def _together(panes: Sequence[OpenPane], those: Sequence[int], arena: Arena) -> dict[int, bytes]:
    """Of those panes of an arena that have not outgrown their rooms."""
    widest = max((panes[at].layout.cells for at in those), default=1)
    found: dict[int, bytes] = {}
    for some in passes(those, cells=widest, at_once=CELLS_AT_ONCE):
        flat = arena.together([panes[at].room for at in some])
        packed = flat.packed([panes[at].revision for at in some])
        fits = (flat.largest() < OUTGROWN).tolist()
        found |= (pair for pair, held in zip(zip(some, packed, strict=True), fits, strict=True) if held)
    return found
