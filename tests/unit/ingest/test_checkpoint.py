"""Checkpoints: what is written together, in which order, and what follows from each answer of the store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from redis.exceptions import ConnectionError as NotConnected

from stream.ingest.checkpoint import Checkpointer, Followers
from stream.ingest.ownership import Claim, Ownership
from stream.ingest.tenure import Tenure
from stream.state.layout import EVENTS
from stream.state.packing import unpack
from stream.state.patience import Patience
from stream.state.store import Checkpoint, Outcome, PaneStore
from tests.support.ingest import HOUR, NOON, Stored, both, counter, event, run, tenure


@dataclass(eq=False)
class Written:
    """A store that notes what it is asked to write, and answers ``outcome``; it fails ``outages`` times first."""

    log: list[str]
    outcome: Outcome = "stored"
    outages: int = 0
    asked: list[list[Checkpoint]] = field(default_factory=list)

    async def checkpoint(self, checkpoints: Sequence[Checkpoint]) -> list[Outcome]:
        self.log.append("stored")
        self.asked.append(list(checkpoints))
        if len(self.asked) <= self.outages:
            raise NotConnected("refused")
        return [self.outcome] * len(checkpoints)


class Scene:
    """A checkpointer over a real counter with two partitions, and a log of who was told what, in order."""

    def __init__(self, *, outcome: Outcome = "stored", outages: int = 0, at_latest_s: float = 0.0) -> None:
        self.log: list[str] = []
        self.store = Written(self.log, outcome, outages)
        self.counter = counter(both())
        store, survey = cast(PaneStore, self.store), cast(Any, None)
        claim = Claim("driftline", False, "here:1")
        self.ownership = Ownership(store, self.counter, claim=claim, survey=survey, patience=Patience())
        self.first, self.second = tenure(0), tenure(1, stored=70)
        self.ownership.tenures = {one.tp: one for one in (self.first, self.second)}
        self.checkpointer = Checkpointer(
            store, self.counter, self.ownership, settle=self._settle, followers=self._followers(), patience=Patience(),
            at_latest_s=at_latest_s, clock=lambda: self.now,
        )  # fmt: skip
        self.now, self.end = 0.0, 1000

    async def _settle(self) -> None:
        self.log.append("letters settled")

    def _followers(self) -> Followers:
        async def fenced(tenure: Tenure) -> None:
            self.log.append(f"fenced {tenure.partition}")

        async def elsewhere(tenure: Tenure) -> None:
            self.log.append(f"elsewhere {tenure.partition}")

        def stored(tenure: Tenure) -> None:
            self.log.append(f"follows {tenure.stored}")

        return Followers(stored, fenced, elsewhere, at_end=lambda tenure: tenure.read >= self.end)

    async def add(self, *offsets: int, hour: int = 0) -> None:
        """Read events of the first partition at these offsets."""
        records = [Stored(event(timestamp=NOON + hour * HOUR), offset=offset) for offset in offsets]
        await self.counter.add(run(records, self.first), self.first)

    async def add_hours(self, times: int = 1, *, owner: Tenure | None = None) -> None:
        """Read events of a partition, so many of each of the 20 hours up to noon."""
        tenure = owner or self.first
        values = [event(timestamp=NOON - hour * HOUR) for hour in range(20) for _ in range(times)]
        records = [Stored(value, offset=tenure.read + at) for at, value in enumerate(values)]
        await self.counter.add(run(records, tenure), tenure)


def events_of(checkpoint: Checkpoint) -> dict[int, int]:
    """Events in each pane that a checkpoint writes, by the pane's start."""
    return {key.start_ms: int(unpack(packed, key.layout.cells).cells[EVENTS]) for key, packed in checkpoint.panes}


def test_panes_and_offset_are_written_together_after_the_letters() -> None:
    scene = Scene()

    async def play() -> None:
        await scene.add(0, 1, 2)
        await scene.checkpointer.run_once()

    asyncio.run(play())
    [[written]] = scene.store.asked
    assert (written.partition, written.start, written.next_offset, written.fields["clock"]) == (0, 0, 3, NOON)
    assert events_of(written) == {NOON: 3}
    assert scene.log == ["letters settled", "stored", "follows 3"]


def test_only_what_changed_is_written_again_and_whole() -> None:
    scene = Scene()

    async def play() -> None:
        await scene.add(0, 1)
        await scene.add(2, hour=-1)
        await scene.checkpointer.run_once()
        await scene.add(3)
        await scene.checkpointer.run_once()
        await scene.checkpointer.run_once()  # nothing has changed: nothing is asked

    asyncio.run(play())
    assert [[(one.start, one.next_offset, events_of(one)) for one in asked] for asked in scene.store.asked] == [
        [(0, 3, {NOON - HOUR: 1, NOON: 2})],
        [(3, 4, {NOON: 3})],
    ]


def test_what_was_packed_is_sent_again_unchanged_until_redis_answers() -> None:
    scene = Scene(outages=2)

    async def play() -> None:
        await scene.add(0, 1, 2)
        await scene.checkpointer.run_once()

    asyncio.run(play())
    first, second, third = scene.store.asked
    assert first == second == third
    assert scene.log[-1] == "follows 3"


def waiting() -> Scene:
    """An event of each of 20 hours is to be stored, after 5 s at the latest."""
    scene = Scene(at_latest_s=5.0)
    asyncio.run(scene.add_hours())
    return scene


def stored_after(scene: Scene, *seconds: float) -> list[bool]:
    """Whether looks at these times stored anything."""

    async def play() -> list[bool]:
        found = []
        for at in seconds:
            before, scene.now = len(scene.store.asked), at
            await scene.checkpointer.run_due()
            found.append(len(scene.store.asked) > before)
        return found

    return asyncio.run(play())


def test_a_partition_whose_events_change_a_pane_each_waits_for_more_of_them() -> None:
    scene = waiting()
    assert stored_after(scene, 10, 12, 14.9, 15) == [False, False, False, True]
    asyncio.run(scene.add_hours(5))
    assert stored_after(scene, 16) == [False]
    asyncio.run(scene.add_hours(1))
    assert stored_after(scene, 16.5) == [True]


@pytest.mark.parametrize(("end", "expected"), [(20, [False, True]), (21, [False, False])])
def test_a_partition_that_is_read_to_its_end_waits_for_no_more(end: int, expected: list[bool]) -> None:
    scene = waiting()
    scene.end = end
    assert stored_after(scene, 0, 0.5) == expected


def test_a_partition_with_few_changed_panes_is_stored_at_once() -> None:
    scene = Scene(at_latest_s=5.0)
    asyncio.run(scene.add(0, 1, 2))
    assert stored_after(scene, 0) == [True]


@pytest.mark.parametrize(("minutes", "closes"), [(9, False), (10, True), (70, True)])
def test_what_lets_a_pane_close_is_stored_at_once(minutes: int, closes: bool) -> None:
    scene = waiting()
    value = event(timestamp=NOON + minutes * 60_000)
    records = [Stored(value, scene.first.read, NOON + 2 * HOUR)]
    asyncio.run(scene.counter.add(run(records, scene.first), scene.first))
    assert stored_after(scene, 0) == [closes]


@pytest.mark.parametrize(("seconds", "closes"), [(29, False), (30, True)])
def test_what_lets_a_gpus_minute_close_is_stored_at_once(seconds: int, closes: bool) -> None:
    """Of ``serving``, whose models' panes are of an hour; of noon itself nothing is waited for until half a minute later."""
    scene, owner = Scene(at_latest_s=5.0), tenure(stream="serving", clock=NOON)
    scene.ownership.tenures = {owner.tp: owner}
    hours = [event(timestamp=NOON - hour * HOUR, status="success") for hour in range(20)]
    sample = {
        "timestamp": NOON + seconds * 1000,
        "gpu": 0,
        "uuid": "GPU-1",
        "host": "n7",
        "metrics": {"power_watts": 71},
    }
    records = [Stored(value, at, NOON) for at, value in enumerate([*hours, json.dumps(sample).encode()])]
    asyncio.run(scene.counter.add(run(records, owner), owner))
    owner.packed = (NOON, owner.closed)
    assert stored_after(scene, 0) == [closes]
    assert len(owner.panes) == 20


@pytest.mark.parametrize(("times", "due"), [(5, False), (6, True)])
def test_what_a_pane_holds_is_told_by_events_and_not_by_the_records_they_came_in(times: int, due: bool) -> None:
    scene = Scene(at_latest_s=5.0)
    batch = {
        "model": "trees",
        "timestamp": [NOON - at % 20 * HOUR for at in range(20 * times)],
        "prediction": {"label": "no"},
    }
    records = [Stored(json.dumps(batch).encode())]
    asyncio.run(scene.counter.add(run(records, scene.first), scene.first))
    assert stored_after(scene, 0, 1) == [due, False]


def test_one_partition_is_stored_for_itself_and_many_panes_in_several_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.ingest.checkpoint.PACKED_AT_ONCE", 20)
    scene = Scene()

    async def play() -> None:
        for owner in (scene.first, scene.second):
            await scene.add_hours(owner=owner)
        await scene.checkpointer.run_for(scene.second)
        await scene.add_hours(owner=scene.second)
        await scene.checkpointer.run_once()

    asyncio.run(play())
    assert [[one.partition for one in asked] for asked in scene.store.asked] == [[1], [1], [0]]


@pytest.mark.parametrize("outcome", ["fenced", "elsewhere"])
def test_a_refused_partition_leaves_memory_and_its_offset_stays(outcome: Outcome) -> None:
    scene = Scene(outcome=outcome)

    async def play() -> None:
        await scene.add(0, 1, 2)
        await scene.checkpointer.run_once()
        await scene.add(3)  # what is read under the ended tenure counts nothing
        await scene.checkpointer.run_once()

    asyncio.run(play())
    assert scene.log == ["letters settled", "stored", f"{outcome} 0"]
    assert list(scene.ownership.tenures) == [scene.second.tp]
    assert (scene.first.live, scene.first.stored, scene.first.panes) == (False, 0, {})


def test_a_tenure_that_ended_on_the_way_is_not_followed() -> None:
    scene = Scene(outages=1)

    async def play() -> None:
        await scene.add(0)
        scene.store.outcome = "fenced"
        checkpoint = asyncio.create_task(scene.checkpointer.run_once())
        while not scene.store.asked:
            await asyncio.sleep(0)
        scene.ownership.drop(scene.first)  # an assignment, while Redis does not answer
        await checkpoint

    asyncio.run(play())
    assert scene.log[-1] == "stored"


def test_quiet_partitions_are_verified_without_changing_anything() -> None:
    scene = Scene()

    async def play() -> None:
        await scene.add(0)
        await scene.counter.drain()
        await scene.checkpointer.verify()

    asyncio.run(play())
    [[written]] = scene.store.asked
    assert (written.partition, written.start, written.next_offset) == (1, 70, 70)
    assert (set(written.fields), dict(written.rejected), list(written.panes)) == ({"updated_ms"}, {}, [])


def test_a_checkpoint_that_is_cut_short_ends_its_tenures() -> None:
    """What it packed is marked as stored; a later checkpoint would store the offset without those panes."""

    async def cut() -> tuple[bool, bool]:
        scene = Scene()
        await scene.add(0, 1)

        async def never() -> None:
            await asyncio.Event().wait()

        scene.checkpointer._settle = never
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(scene.checkpointer.run_once(), timeout=0.05)
        return scene.first.live, scene.second.live

    assert asyncio.run(cut()) == (False, True)
