"""The stored forms of changed panes, packed together straight from the arena.

Most panes of many models counted little since the last checkpoint; one by one, the calls of numpy cost more than the counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stream.ingest.arena import Arena
from stream.ingest.compiled.packing import packed
from stream.ingest.rooms import OUTGROWN, Rooms
from stream.ingest.tenure import OpenPane
from stream.state.arms import is_of_arms, stored_form


def stored_forms(panes: Sequence[OpenPane], rooms: Rooms) -> list[bytes]:
    """What is stored of each of these panes now."""
    together = [at for at, pane in enumerate(panes) if pane.carried is None and not is_of_arms(pane.layout)]
    found: dict[int, bytes] = {}
    for arena in rooms.arenas:
        if those := [at for at in together if panes[at].arena is arena]:
            found |= _together([panes[at] for at in those], those, arena)
    return [
        found[at] if at in found else stored_form(pane.layout, rooms.content(pane)) for at, pane in enumerate(panes)
    ]


def _together(panes: Sequence[OpenPane], places: Sequence[int], arena: Arena) -> dict[int, bytes]:
    """By place, of those panes of an arena that have not outgrown their rooms."""
    rooms = [pane.room for pane in panes]
    at = np.array([(room.of_cells.start, room.of_cells.stop, room.of_sums.start, room.of_sums.stop) for room in rooms])
    revisions = np.array([pane.revision for pane in panes], np.int64)
    forms, largest = packed(arena.cells, arena.sums, arena.extrema, places=at, revisions=revisions)
    if arena.most < OUTGROWN or largest.max(initial=0) < OUTGROWN:
        return dict(zip(places, forms, strict=True))
    return {place: form for place, form, most in zip(places, forms, largest.tolist(), strict=True) if most < OUTGROWN}
