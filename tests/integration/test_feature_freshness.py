"""When features were updated, from events to the series: a user's own rule tells stale from fresh, however long a pane is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import permutations

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from schemas.config import InForce
from schemas.monitored import ModelMonitor
from schemas.names import Names, Stream
from schemas.reference import Reference
from schemas.settings import Settings
from stream.expose.models import ModelExporter
from stream.ingest.newest import FeatureUpdates, Newest
from stream.redis_client import worker_client
from stream.state.patience import Patience
from stream.state.updated import write_updated
from tests.support.exposition import numbers
from tests.support.ingest import FEATURES, HOUR, NOON, OLD, Stored, applied, counter, monitor, reference, run, tenure

SLA_S = 60
#: Panes of an hour that are waited for ten minutes longer, and features that are promised to be a minute old at most.
MONITOR = monitor(
    features={name: of.model_copy(update={"freshness_sla_ms": SLA_S * 1000}) for name, of in FEATURES.items()}
)


@dataclass(frozen=True)
class Trees:
    """The model in force."""

    model: str = "trees"
    monitor: ModelMonitor = MONITOR
    reference: Reference = field(default_factory=lambda: reference("trees"))


class Worker:
    """What a worker does of this: it counts, stores before its offset, and shows what is stored."""

    def __init__(self, redis: Redis, names: Names) -> None:
        self.newest, self.patience = Newest(), Patience()
        self.counter = counter(applied(trees=InForce(reference=OLD, monitor=MONITOR)), newest=self.newest)
        self.updates = FeatureUpdates(redis, names, self.newest, patience=self.patience)
        self.exporter = ModelExporter(redis, names, lambda: [Trees()], patience=self.patience)
        self.registry = CollectorRegistry()
        self.registry.register(self.exporter)

    async def count(self, *events: tuple[int, Mapping[str, object]], stream: Stream = "predictions") -> None:
        """Events at these seconds after noon, with these features or fields."""
        owner = tenure(stream=stream)
        about = [dict(held) if stream == "features" else {"model": "trees", "features": held} for _, held in events]
        values = [
            json.dumps({"timestamp": NOON + at * 1000} | of).encode() for (at, _), of in zip(events, about, strict=True)
        ]
        records = [Stored(value, at, NOON + HOUR, stream) for at, value in enumerate(values)]
        await self.counter.add(run(records, owner), owner)
        await self.counter.drain()

    async def firing(self, now: int) -> set[str]:
        """The features for which ``time() - feature_last_updated_timestamp > feature_freshness_sla_seconds`` at this second."""
        self.exporter.expire()
        await self.exporter.run_once()
        shown = numbers(self.registry)
        of = {name: f'{{feature_name="{name}",model_name="trees"}}' for name in FEATURES}
        last = {name: shown.get(f"feature_last_updated_timestamp{labels}") for name, labels in of.items()}
        promised = {name: shown[f"feature_freshness_sla_seconds{labels}"] for name, labels in of.items()}
        return {name for name, at in last.items() if at is not None and NOON / 1000 + now - at > promised[name]}


Story = Callable[[Redis, Names], Awaitable[None]]


@pytest.fixture
def told(redis_url: str, environment_name: str) -> Callable[[Story], None]:
    """Runs a story in an environment of its own."""

    async def lived(story: Story) -> None:
        redis = worker_client(Settings(redis=redis_url), answers_within_s=5.0)
        try:
            await story(redis, Names(environment_name))
        finally:
            await redis.aclose()

    return lambda story: asyncio.run(lived(story))


def test_a_rule_with_an_sla_shorter_than_a_pane_is_silent_fires_and_clears(told: Callable[[Story], None]) -> None:
    async def story(redis: Redis, names: Names) -> None:
        worker = Worker(redis, names)
        assert await worker.firing(0) == set()
        await worker.count((0, {"temp": 1.0, "carrier": "UA"}), (1200, {"temp": 1.0, "carrier": "UA"}))
        await worker.updates.settle()
        assert await worker.firing(1201) == set()  # twenty minutes into a pane of an hour

        await worker.count((1255, {"temp": None, "carrier": "UA"}), (1260, {"temp": None, "carrier": "UA"}))
        await worker.updates.settle()
        assert await worker.firing(1200 + SLA_S) == set()
        assert await worker.firing(1201 + SLA_S) == {"temp"}

        await worker.count((1270, {"temp": 2.0, "carrier": "UA"}))
        await worker.updates.settle()
        assert await worker.firing(1271) == set()

    told(story)


def test_the_feature_store_is_believed_where_it_has_events_and_a_store_that_stopped_stays_at_its_last(
    told: Callable[[Story], None],
) -> None:
    async def story(redis: Redis, names: Names) -> None:
        worker = Worker(redis, names)
        await worker.count((0, {"feature": "temp", "source": "feed", "values": [3.0]}), stream="features")
        await worker.count((100, {"temp": 1.0}))
        await worker.updates.settle()
        assert await worker.firing(SLA_S) == set()
        assert await worker.firing(SLA_S + 1) == {"temp"}

    told(story)


def test_nothing_goes_back_or_is_doubled_where_two_count_the_same_and_one_is_killed(
    told: Callable[[Story], None],
) -> None:
    """The killed one had stored when the features were updated, and not yet the offset behind: all is read once more."""

    async def story(redis: Redis, names: Names) -> None:
        killed, survivor = Worker(redis, names), Worker(redis, names)
        events = [(at, {"temp": None if at > 300 else 1.0, "carrier": "UA"}) for at in range(0, 600, 10)]
        await killed.count(*events)
        await killed.updates.settle()
        seen = await redis.zrange(names.updated("trees"), 0, -1, withscores=True)
        assert seen == [(b"predictions:temp", NOON + 300_000), (b"predictions:carrier", NOON + 590_000)]
        for upto in (20, 45, 60):
            await survivor.count(*events[:upto])
            await survivor.updates.settle()
            assert await redis.zrange(names.updated("trees"), 0, -1, withscores=True) == seen

    told(story)


def test_whatever_order_they_are_written_in_the_same_is_stored(told: Callable[[Story], None]) -> None:
    parts = [{"m": {"a": 5, "b": 1}}, {"m": {"a": 3, "c": 2}, "n": {"a": 9}}, {"m": {"b": 7}}]

    async def story(redis: Redis, names: Names) -> None:
        for order in permutations(parts):
            await redis.delete(names.updated("m"), names.updated("n"))
            for part in order:
                await write_updated(redis, names, part)
            assert await redis.zrange(names.updated("m"), 0, -1, withscores=True) == [(b"c", 2), (b"a", 5), (b"b", 7)]
            assert await redis.zrange(names.updated("n"), 0, -1, withscores=True) == [(b"a", 9)]

    told(story)


def test_a_key_that_is_something_else_keeps_nobody_waiting(told: Callable[[Story], None]) -> None:
    async def story(redis: Redis, names: Names) -> None:
        await redis.set(names.updated("m"), "mine")
        await asyncio.wait_for(write_updated(redis, names, {"m": {"a": 1}, "n": {"a": 2}}), timeout=5)
        assert await redis.zrange(names.updated("n"), 0, -1, withscores=True) == [(b"a", 2)]

    told(story)
