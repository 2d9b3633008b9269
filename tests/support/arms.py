"""Events with versions, and what they leave in the panes that count by version."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from typing import Any

from schemas.config import InForce
from schemas.names import Stream
from schemas.release import ReleaseMonitor
from stream.ingest.plan import StreamPlan
from stream.state.arms import is_of_arms
from stream.state.layout import Layout
from stream.state.packing import Partial
from tests.support.ingest import HOUR, NOON, OLD, Shelf, Stored, applied, counter, monitor, run, tenure

RELEASE = ReleaseMonitor(champion="3", challenger="4")
Events = Sequence[dict[str, Any]]
Panes = dict[tuple[str, int], tuple[Layout, Partial]]


def counted(plan: StreamPlan, records: Iterable[bytes], *, at_once: int = 1000, shelf: Shelf | None = None) -> Panes:
    """The panes of arms that these records leave, by model and start."""
    stream = plan.decoder.stream
    owner, counting = tenure(stream=stream), counter({stream: plan}, shelf=shelf)

    async def count() -> None:
        held = [Stored(value, offset, NOON + HOUR) for offset, value in enumerate(records)]
        for first in range(0, len(held), at_once):
            await counting.add(run(held[first : first + at_once], owner), owner)
            await counting.drain()

    asyncio.run(count())
    return {
        (pane.layout.model, pane.start_ms): (pane.layout, counting.content(pane))
        for pane in owner.panes.values()
        if is_of_arms(pane.layout)
    }


def one(stream: Stream, events: Events, **release: Any) -> tuple[Layout, Partial]:
    """The one pane of ``trees`` that these events leave."""
    plan = applied(trees=InForce(reference=OLD, monitor=monitor(release=RELEASE, **release)))[stream]
    ((_, found),) = counted(plan, [json.dumps(each).encode() for each in events]).items()
    return found


def answered(version: Any = None, **fields: Any) -> dict[str, Any]:
    found = {"model": "trees", "timestamp": NOON} | fields
    return found if version is None else found | {"version": version}
