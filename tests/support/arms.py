"""Events with versions, what they leave in the panes that count by version, and what plain Python counts of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from schemas.config import InForce
from schemas.names import Stream
from schemas.release import ReleaseMonitor
from stream.evaluate.columns.arms import arm_of
from stream.ingest.plan import StreamPlan
from stream.state.arms import ArmName, is_of_arms
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
        (pane.layout.model, pane.start_ms): (pane.layout, counting.rooms.content(pane))
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


def expected(events: Events, version: str, *, edges: Sequence[float]) -> dict[str, Any]:
    """What an arm holds of these events, counted by a way that shares no code with the stream's; ``edges`` are the score's."""
    own = [each for each in events if str(each.get("version")) == version]
    latencies = [each.get("latency_s") for each in own]
    scores = [(each.get("prediction") or {}).get("score") for each in own]
    numbers = [value for value in latencies if value is not None]
    held = [value for value in scores if value is not None]
    rounded = [round(max(-64, min(64, value)) * 4096) for value in numbers]
    return {
        "requests": len(own),
        "errors": sum(each.get("status") == "error" for each in own),
        "latency": (
            len(numbers),
            sum(rounded) / 4096,
            sum(q * q for q in rounded) / 4096**2,
            len(latencies) - len(numbers),
        ),
        "scores": [
            sum(low <= value < high for value in held) for low, high in pairwise((float("-inf"), *edges, float("inf")))
        ],
        "ids": sum(each.get("id") not in (None, "") for each in own),
    }


def held_by(layout: Layout, partial: Partial, name: ArmName) -> dict[str, Any]:
    """The same of a stored pane."""
    arm = arm_of(layout, partial, name)
    latency = arm.latency_s
    return {
        "requests": arm.requests,
        "errors": arm.errors,
        "latency": (latency.n, latency.total, latency.squares, latency.missing),
        "scores": arm.score.counts.tolist(),
        "ids": arm.with_id,
    }
