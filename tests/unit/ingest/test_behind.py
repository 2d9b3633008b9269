"""Models over their quota are held back and said to be, partition by partition; nothing is asked where there is no quota."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from faust.types import TP

from stream.ingest.behind import Queue
from stream.ingest.ceiling import Ceiling
from stream.ingest.intake import Intake
from stream.ingest.ownership import Claim, Ownership
from stream.ingest.tenure import Tenure
from stream.state.behind import MOST_HERE
from stream.state.epochs import Epoch
from stream.state.patience import Patience
from tests.support.ingest import NOON, Shelf, Stored, both, counter, event, run, tenure

LONG = 1_000


@dataclass(eq=False)
class Kafka:
    """A consumer's stand-in: every log is long, but for those of ``short``."""

    short: set[TP] = field(default_factory=set)
    held: set[TP] = field(default_factory=set)

    def hold(self, tps: Iterable[TP]) -> None:
        self.held = set(tps)

    def log_end(self, tp: TP) -> int:
        return 0 if tp in self.short else LONG

    def read_offset(self, tp: TP) -> int | None:
        return None

    def reached_end(self, tp: TP) -> bool:
        return False


@dataclass(eq=False)
class Hashes:
    """A store's stand-in: what the hash of each partition says; ``fenced`` takes nothing."""

    said: dict[int, Any] = field(default_factory=dict)
    writes: int = 0
    fenced: bool = False

    async def resume(self, stream: str, partition: int, *, epoch: Epoch, fields: Mapping[str, str | int]) -> bool:
        self.writes += 1
        if not self.fenced:
            self.said[partition] = json.loads(str(fields["behind"]) or "null")
        return not self.fenced


class Scene:
    """``trees`` come in partition 0, ``prices`` in 1, each a second after the one before."""

    def __init__(self, **quotas: float) -> None:
        self.kafka, self.hashes, self.now = Kafka(), Hashes(), 0.0
        self.counter = counter(both(), shelf=Shelf())
        nothing, patience = cast(Any, None), Patience()
        claim = Claim("driftline", False, "here:1")
        ownership = Ownership(nothing, self.counter, claim=claim, survey=nothing, patience=patience)
        self.tenures = [tenure(0), tenure(1)]
        ownership.tenures = {one.tp: one for one in self.tenures}
        self.intake = Intake(self.counter, ownership, patience=patience, configured=asyncio.Event())
        self.intake.consumer = cast(Any, self.kafka)
        self.follower = SimpleNamespace(quotas=dict(quotas))
        self.queue = Queue(
            cast(Any, self.hashes), self.intake, cast(Any, self.follower), patience=patience, clock=lambda: self.now
        )

    async def count(self, owner: Tenure, model: str, events: int) -> None:
        first = owner.read
        values = [event(model=model) for _ in range(events)]
        if values:
            await self.counter.add(run([Stored(one, first + at, NOON) for at, one in enumerate(values)], owner), owner)
        await self.counter.drain()

    async def serve(self, owner: Tenure, *, trees: int, samples: int) -> None:
        first = owner.read
        events = [b'{"model": "trees", "timestamp": %d, "status": "success", "latency_s": 0.1}' % NOON] * trees
        events += [b'{"timestamp": %d, "gpu": 0, "host": "n7", "metrics": {"xid": 0}}' % NOON] * samples
        records = [Stored(one, first + at, NOON, "serving") for at, one in enumerate(events)]
        await self.counter.add(run(records, owner), owner)
        await self.counter.drain()

    async def second(self, *, trees: int, prices: int) -> None:
        await self.count(self.tenures[0], "trees", trees)
        await self.count(self.tenures[1], "prices", prices)
        self.now += 1
        await self.queue.run_once()


def test_a_model_over_its_quota_is_held_and_its_partition_says_so_until_it_is_read_to_its_end() -> None:
    async def play() -> None:
        scene = Scene(trees=10)
        noisy, quiet = scene.tenures
        await scene.second(trees=0, prices=0)
        await scene.second(trees=100, prices=5)
        assert (scene.kafka.held, scene.hashes.said) == ({noisy.tp}, {0: {"models": ["trees"], "here": ["trees"]}})
        scene.kafka.short.add(quiet.tp)  # all of it is read: nobody waits any more
        await scene.second(trees=0, prices=0)
        assert (scene.kafka.held, scene.hashes.said[0]["models"]) == (set(), ["trees"])
        scene.kafka.short.add(noisy.tp)
        await scene.second(trees=5, prices=0)
        assert (scene.hashes.said, scene.hashes.writes) == ({0: None}, 2)

    asyncio.run(play())


def test_what_else_a_partition_holds_is_said_with_it() -> None:
    async def play() -> None:
        scene = Scene(trees=10)
        await scene.count(scene.tenures[0], "prices", 3)
        await scene.second(trees=0, prices=0)
        await scene.second(trees=100, prices=5)
        assert scene.hashes.said[0]["here"] == ["prices", "trees"]

    asyncio.run(play())


def test_whose_panes_left_memory_is_still_said_to_be_there() -> None:
    async def play() -> None:
        scene = Scene(trees=10)
        noisy = scene.tenures[0]
        await scene.count(noisy, "prices", 3)
        await scene.second(trees=0, prices=0)
        noisy.changed.clear()  # they are stored
        scene.counter.ceiling = Ceiling(1)
        scene.counter.relieve(scene.tenures)
        assert noisy.panes == {}
        await scene.second(trees=100, prices=5)
        assert scene.hashes.said[0]["here"] == ["prices", "trees"]

    asyncio.run(play())


def test_where_models_become_too_many_everybody_waits_at_every_look_from_then_on(monkeypatch: Any) -> None:
    monkeypatch.setattr("stream.ingest.behind.MOST_HERE", 1)

    async def play() -> None:
        scene = Scene(trees=10)
        await scene.second(trees=0, prices=0)
        await scene.second(trees=100, prices=5)
        assert scene.hashes.said[0]["here"] == ["trees"]
        noisy = scene.tenures[0]
        await scene.count(noisy, "prices", 1)
        await scene.second(trees=100, prices=5)
        for pane in list(noisy.panes):
            if noisy.panes[pane].layout.model == "prices":
                noisy.put_away(pane)
        await scene.second(trees=100, prices=5)
        assert (len(scene.kafka.held), scene.hashes.said, scene.hashes.writes) == (1, {0: None}, 2)

    asyncio.run(play())


def test_of_too_many_models_nothing_is_said_and_everybody_waits(monkeypatch: Any) -> None:
    monkeypatch.setattr("stream.ingest.behind.MOST_HERE", 0)
    assert MOST_HERE == 100

    async def play() -> None:
        scene = Scene(trees=10)
        await scene.second(trees=0, prices=0)
        await scene.second(trees=100, prices=5)
        assert (len(scene.kafka.held), scene.hashes.said) == (1, {})

    asyncio.run(play())


def test_without_a_quota_nothing_is_asked_and_nobody_is_held() -> None:
    async def play() -> None:
        scene = Scene()
        await scene.second(trees=0, prices=0)
        await scene.second(trees=100, prices=5)
        assert (scene.counter.counted, scene.kafka.held, scene.hashes.writes) == (None, set(), 0)

    asyncio.run(play())


def test_a_quota_that_is_taken_out_of_the_file_lets_go_and_is_said_until_all_is_read() -> None:
    async def play() -> None:
        scene = Scene(trees=10)
        await scene.second(trees=0, prices=0)
        await scene.second(trees=100, prices=5)
        scene.follower.quotas = {}
        await scene.second(trees=5, prices=5)
        assert (scene.kafka.held, scene.counter.counted) == (set(), None)
        assert scene.hashes.said[0]["models"] == ["trees"]
        scene.kafka.short.add(scene.tenures[0].tp)
        await scene.second(trees=5, prices=5)
        assert scene.hashes.said == {0: None}

    asyncio.run(play())


def test_where_nothing_could_be_said_a_quota_that_is_taken_away_lets_go_all_the_same() -> None:
    async def play() -> None:
        scene = Scene(trees=10)
        scene.hashes.fenced = True
        await scene.second(trees=0, prices=0)
        await scene.second(trees=100, prices=5)
        assert len(scene.kafka.held) == 1
        scene.follower.quotas = {}
        await scene.second(trees=0, prices=5)
        assert scene.kafka.held == set()

    asyncio.run(play())


def test_who_runs_ahead_stays_held_and_makes_nobody_wait() -> None:
    """Its records are not read either, for a reason of their own."""

    async def play() -> None:
        scene = Scene(trees=10)
        noisy, quiet = scene.tenures
        scene.intake.hold("ahead", {quiet.tp})
        await scene.second(trees=0, prices=0)
        await scene.second(trees=100, prices=5)
        assert scene.kafka.held == {quiet.tp}
        scene.intake.hold("ahead", {noisy.tp})
        await scene.second(trees=0, prices=0)
        await scene.second(trees=100, prices=5)
        scene.intake.hold("ahead", set())
        assert scene.kafka.held == {noisy.tp}

    asyncio.run(play())


def test_events_of_the_feature_store_are_of_no_model() -> None:
    async def play() -> None:
        scene = Scene(trees=1)
        store = tenure(3, stream="features")
        scene.intake.ownership.tenures[store.tp] = store
        await scene.second(trees=0, prices=0)
        values = b'{"feature": "temp", "source": "s", "timestamp": %d, "values": [%s]}' % (NOON, b"1" + b", 1" * 99)
        await scene.counter.add(run([Stored(values, 0, NOON)], store), store)
        await scene.second(trees=0, prices=5)
        assert scene.queue.order.mixes[store.tp].events == 0
        assert scene.kafka.held == set()

    asyncio.run(play())


def test_a_partition_that_samples_of_gpus_share_is_not_held_and_one_that_holds_a_few_says_so() -> None:
    async def play() -> None:
        scene = Scene(trees=10)
        shared, few = (tenure(at, stream="serving") for at in (3, 4))
        scene.intake.ownership.tenures |= {shared.tp: shared, few.tp: few}
        await scene.second(trees=0, prices=0)
        await scene.serve(shared, trees=100, samples=100)
        await scene.serve(few, trees=100, samples=5)
        await scene.second(trees=0, prices=5)
        assert [scene.queue.order.mixes[one.tp].events for one in (shared, few)] == [200, 105]
        assert (scene.kafka.held, scene.hashes.said) == (
            {few.tp},
            {4: {"models": ["trees"], "here": ["gpus", "trees"]}},
        )

    asyncio.run(play())


def test_a_partition_that_is_taken_anew_is_not_held_before_something_of_it_is_read() -> None:
    """Whom it holds is not known before: nobody else would wait for what they have there."""

    async def play() -> None:
        scene = Scene(trees=10)
        await scene.second(trees=0, prices=0)
        await scene.second(trees=100, prices=5)
        await scene.count(scene.tenures[0], "trees", 50)  # since the last look
        scene.counter.forget(scene.tenures[0])
        scene.tenures[0] = taken = tenure(0)
        scene.intake.ownership.tenures[taken.tp] = taken
        scene.hashes.said.clear()  # as taking does
        await scene.second(trees=0, prices=0)
        assert (scene.kafka.held, scene.hashes.said) == (set(), {})
        await scene.count(taken, "prices", 1)
        await scene.second(trees=99, prices=0)
        assert (scene.kafka.held, scene.hashes.said[0]["here"]) == ({taken.tp}, ["prices", "trees"])

    asyncio.run(play())
