"""Panes that count by version in a checkpoint: beside those of their stream, shorter, and with a revision of their own."""

from __future__ import annotations

import asyncio

from stream.state.arms import is_of_arms
from stream.state.packing import FORMAT, FULL, unpack
from tests.support.arms import RELEASE
from tests.support.ingest import HOUR, NOON, Stored, both, event, run
from tests.unit.ingest.test_checkpoint import Scene


def test_arms_are_stored_with_their_stream_shorter_and_revised_by_what_is_late() -> None:
    scene = Scene()
    scene.counter.plans = both(release=RELEASE)
    values = [event(version="4", id=f"user-{number}") for number in range(6_000)]
    values.append(event(version="4", timestamp=NOON + 2 * HOUR))

    async def store() -> None:
        read = run([Stored(value, at, NOON + 2 * HOUR) for at, value in enumerate(values)], scene.first)
        while scene.first.read < len(values):
            await scene.counter.add(read, scene.first)
        await scene.checkpointer.run_once()
        late = [Stored(values[0], len(values), NOON + 2 * HOUR)]
        await scene.counter.add(run(late, scene.first), scene.first)
        await scene.checkpointer.run_once()

    asyncio.run(store())
    written = [
        {is_of_arms(key.layout): packed for key, packed in one.panes if key.start_ms == NOON}
        for (one,) in scene.store.asked
    ]
    assert [[panes[arms][0] for arms in (False, True)] for panes in written] == [[FORMAT, FULL]] * 2
    cells = {is_of_arms(key.layout): key.layout.cells for (one,) in scene.store.asked for key, _ in one.panes}
    assert [[unpack(panes[arms], cells[arms]).revision for arms in (False, True)] for panes in written] == [
        [0, 0],
        [1, 1],
    ]
