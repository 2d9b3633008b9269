"""Panes that count by version are closed behind their stream's: merged, kept by tiers, revised; nothing is counted twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from random import Random
from typing import Any, cast

import numpy as np
import pytest

from schemas.release import ReleaseMonitor
from stream.command import counts
from stream.evaluate import evaluator
from stream.evaluate.panes.tiers import tiers_of
from stream.ingest.counter import Counter
from stream.ingest.newest import Newest
from stream.ingest.plan import plans
from stream.state import generations
from stream.state.arms import arms_layout
from stream.state.layout import Layout
from stream.state.packing import Partial, empty, pack, unpack
from stream.state.reading import read_counts
from stream.state.store import Checkpoint, PaneKey
from tests.support import ingest
from tests.support.evaluation import DAY, HOUR, START, Scene, opened

RELEASE = ReleaseMonitor(champion="3", challenger="4")
PANE, DAYS = tiers_of(HOUR)


async def count(scene: Scene, partition: int, start_ms: int, *, events: int, clock: int) -> None:
    """Count events of both arms into a pane: as many requests of the challenger, thrice as many of the champion."""
    await scene.count(partition, start_ms, events=4 * events, clock=clock)
    layout = by_version(scene)
    made = empty(layout.cells, len(layout.numeric))
    first = layout.categorical_starts[0]
    made.cells[1], made.cells[first], made.cells[first + 1] = 4 * events, 3 * events, events
    made.sums[:] = np.arange(len(made.sums)) * events
    made.extrema[0::2], made.extrema[1::2] = -partition, partition
    place = partition, layout.hash, start_ms
    scene.held[place] = scene.held[place] + made if place in scene.held else made
    await scene.checkpoint(partition, {"clock": clock, "idle": 0}, [(layout, start_ms)])


def by_version(scene: Scene) -> Layout:
    layout = arms_layout(scene.layouts["m"], RELEASE)
    assert layout is not None
    return layout


async def closed(scene: Scene, tier: str) -> dict[int, bytes]:
    """Rows of the arms' layout by start, as packed anew."""
    found: dict[int, bytes] = {}
    layout = by_version(scene)
    pattern = scene.names.of_model("m", "closed", scene.stream, layout.hash, tier, "*")
    async for key in scene.redis.scan_iter(match=pattern, count=1000):
        for start, packed in cast("Mapping[bytes, bytes]", await scene.redis.hgetall(key)).items():
            found[int(start)] = pack(unpack(packed, layout.cells))
    return found


def merged(scene: Scene, *, length_ms: int) -> dict[int, bytes]:
    """The same from what was counted by hand."""
    sums: dict[int, Partial] = {}
    for (_, digest, start), partial in scene.held.items():
        if digest == by_version(scene).hash:
            at = start // length_ms * length_ms
            sums[at] = sums[at] + partial if at in sums else partial
    return {start: pack(partial) for start, partial in sums.items()}


async def notes(scene: Scene) -> int:
    return sum([int(await scene.redis.hlen(scene.names.revised(scene.stream, number))) for number in range(2)])


async def totals(scene: Scene) -> dict[str, int]:
    found = cast("Mapping[bytes, bytes]", await scene.redis.hgetall(scene.names.totals("m")))
    return {name.decode(): int(value) for name, value in found.items() if value.lstrip(b"-").isdigit()}


async def counted(scene: Scene, hours: int) -> None:
    for hour in range(hours):
        for partition in range(2):
            await count(scene, partition, START + hour * HOUR, events=hour + 1, clock=START + (hour + 1) * HOUR)


def test_panes_by_version_are_closed_with_their_stream_and_add_nothing_to_its_sums(
    redis_url: str, environment_name: str
) -> None:
    async def story() -> None:
        async with opened(redis_url, environment_name) as scene:
            await scene.apply(release=RELEASE)
            await counted(scene, 30)
            held = await scene.evaluate()
            assert await closed(scene, PANE.name) == merged(scene, length_ms=HOUR)
            assert await closed(scene, DAYS.name) == merged(scene, length_ms=DAY)
            assert await notes(scene) == 0
            before = await totals(scene)
            assert before["predictions:events"] == 4 * sum(range(1, 31)) * 2
            # Late: one partition counts more into a closed pane, and only that pane and its day change.
            await count(scene, 1, START + 3 * HOUR, events=5, clock=START + 30 * HOUR)
            await scene.evaluate(held)
            assert await closed(scene, PANE.name) == merged(scene, length_ms=HOUR)
            assert await closed(scene, DAYS.name) == merged(scene, length_ms=DAY)
            assert await notes(scene) == 0
            assert (await totals(scene))["predictions:events"] == before["predictions:events"] + 20

    asyncio.run(story())


def test_a_worker_that_dies_between_a_stream_and_its_arms_leaves_them_to_the_next(
    redis_url: str, environment_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object, **__: object) -> None:
        raise RuntimeError("killed")

    async def story() -> None:
        async with opened(redis_url, environment_name) as scene:
            await scene.apply(release=RELEASE)
            await counted(scene, 5)
            with monkeypatch.context() as patched:
                patched.setattr(evaluator, "close_arms", dies)
                before = await scene.evaluate()
            assert len(await scene.closed(PANE)) == 5
            assert await closed(scene, PANE.name) == {}
            await before.leave()
            await scene.evaluate(scene.evaluator("two"))
            assert await closed(scene, PANE.name) == merged(scene, length_ms=HOUR)

    asyncio.run(story())


async def take_in(scene: Scene, values: list[bytes], *, killed_after: int) -> None:
    """Count events into Redis as a worker does that is killed once, having stored so many of them and counted all."""
    generation = await generations.read(scene.redis, scene.names)
    assert generation is not None
    plan = plans(generation, await generations.read_references(scene.redis, scene.names, generation))["predictions"]
    records = [ingest.Stored(value, offset, START + DAY) for offset, value in enumerate(values)]
    clock = START - 1
    for upto, stored in ((len(records), killed_after), (len(records), len(records))):
        owner = ingest.tenure(stored=scene.offsets[0], clock=clock)
        counting = Counter(
            {"predictions": plan},
            load=scene.store.load,
            refuse=lambda refused: None,
            keep=lambda found: None,
            newest=Newest(),
            skew_ms=DAY,
        )
        for first, end in ((owner.stored, stored), (stored, upto)):
            if records[first:end]:
                await counting.add(ingest.run(records[first:end], owner), owner)
                await counting.drain()
            if end == stored:
                panes = [
                    (PaneKey("predictions", 0, 0, pane.layout, pane.start_ms), pack(counting.rooms.content(pane)))
                    for pane in owner.panes.values()
                ]
                made = Checkpoint(
                    "predictions", 0, scene.epochs[0], first, end, {"clock": owner.clock, "idle": 0}, {}, panes
                )
                assert await scene.store.checkpoint([made]) == ["stored"]
                scene.offsets[0], clock = end, owner.clock


def test_events_are_counted_by_version_exactly_through_a_kill_and_shown(redis_url: str, environment_name: str) -> None:
    chance = Random(4)
    events: list[dict[str, Any]] = [
        {"model": "m", "timestamp": START + chance.randrange(4 * HOUR), "version": chance.choice(["3", 4, "x", None])}
        | {"latency_s": chance.choice([0.25, 0.5]), "status": chance.choice(["success", "error"]), "id": f"u{at}"}
        for at in range(400)
    ]

    async def story() -> None:
        async with opened(redis_url, environment_name) as scene:
            await scene.apply(release=RELEASE)
            await scene.store.note_owner(scene.stream, 0, owner="w")
            await take_in(scene, [json.dumps(event).encode() for event in events], killed_after=150)
            found = await read_counts(scene.redis, scene.names, model="m", from_ms=START, to_ms=START + DAY)
            assert (found["events"], found["panes"], found["other_layouts"]) == (400, 4, {})
            (arms,) = found["arms"]
            assert (arms["layout"], arms["events"]) == (by_version(scene).hash, 400)
            for arm, version in (("champion", "3"), ("challenger", "4")):
                own = [event for event in events if str(event["version"]) == version]
                assert (arms[arm]["version"], arms[arm]["events"], arms[arm]["ids"]["n"]) == (
                    version,
                    len(own),
                    len(own),
                )
                errors = sum(event["status"] == "error" for event in own)
                assert arms[arm]["status"]["categories"] == {"success": len(own) - errors, "error": errors}
                assert arms[arm]["latency_s"]["mean"] == sum(event["latency_s"] for event in own) / len(own)
            by_name = [sum(event["version"] == version for event in events) for version in ("x", None)]
            assert [arms["other"], arms["none"]] == by_name
            counts.show(found)

    asyncio.run(story())
