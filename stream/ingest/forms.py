"""The stored forms of changed panes, packed together straight from the arena.

Most panes of many models counted little since the last checkpoint; one by one, the calls of numpy cost more than the counts.
"""

from __future__ import annotations

from collections.abc import Sequence

from stream.ingest.counter import OUTGROWN, Counter
from stream.ingest.tenure import OpenPane
from stream.state.arms import is_of_arms, stored_form
from stream.state.bulk import passes

#: Cells that one pass goes over: so many that its calls cost little, so few that they stay in the cache.
CELLS_AT_ONCE = 250_000


def stored_forms(panes: Sequence[OpenPane], counter: Counter) -> list[bytes]:
    """What is stored of each of these panes now."""
    together = [at for at, pane in enumerate(panes) if pane.carried is None and not is_of_arms(pane.layout)]
    widest = max((panes[at].layout.cells for at in together), default=1)
    found: dict[int, bytes] = {}
    for some in passes(together, cells=widest, at_once=CELLS_AT_ONCE):
        flat = counter.arena.together([(panes[at].room, panes[at].layout) for at in some])
        packed = flat.packed([panes[at].revision for at in some])
        whole = flat.largest() < OUTGROWN
        found |= (pair for pair, held in zip(zip(some, packed, strict=True), whole.tolist(), strict=True) if held)
    return [found[at] if at in found else _alone(pane, counter) for at, pane in enumerate(panes)]


def _alone(pane: OpenPane, counter: Counter) -> bytes:
    return stored_form(pane.layout, counter.content(pane))
