"""The series of models on a real Redis: shown by the worker that holds the lease, from what is stored, through every move."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from schemas import reports
from schemas.monitored import ModelMonitor
from schemas.names import Names
from schemas.reference import Reference
from schemas.release import ReleaseMonitor
from schemas.reports import Column, Report
from stream.expose.model_series import MOST_VERSIONS
from stream.expose.models import MOST_AT_ONCE, REREAD_S, ModelExporter
from stream.state.patience import Patience
from tests.support.exposition import numbers
from tests.support.models import HOUR, monitor, numeric, reference

MONITOR, REFERENCE = monitor(), reference()


@dataclass(frozen=True)
class Model:
    """A model in force."""

    model: str
    monitor: ModelMonitor = MONITOR
    reference: Reference = REFERENCE


class Worker:
    """An exporter as one worker has it; ``holds`` are the models that it evaluates."""

    def __init__(self, redis: Redis, names: Names) -> None:
        self.holds: list[Model] = []
        self.exporter = ModelExporter(redis, names, lambda: list(self.holds), patience=Patience())
        self._registry = CollectorRegistry()
        self._registry.register(self.exporter)

    async def read(self) -> None:
        """Read everything that is held, whenever it was read last."""
        self.exporter.expire()
        await self.exporter.run_once()

    def shown(self) -> dict[str, float]:
        """What Prometheus would read."""
        return numbers(self._registry)


class Site:
    """Redis, and two workers on it."""

    def __init__(self, redis: Redis, names: Names) -> None:
        self.redis, self.names = redis, names
        self.first, self.second = Worker(redis, names), Worker(redis, names)

    async def add(self, model: str, **amounts: int) -> None:
        """What evaluation does at the end of a pane."""
        for name, amount in amounts.items():
            await self.redis.hincrby(self.names.totals(model), f"predictions:{name}", amount)

    async def put(self, model: str, report: Report) -> None:
        await self.redis.hset(self.names.report(model, report.window), "document", reports.encode(report))


Story = Callable[[Site], Awaitable[None]]
EVENTS = 'model_predictions_total{model_name="m",service="m"}'


@pytest.fixture
def told(redis_url: str, environment_name: str) -> Callable[[Story], None]:
    """Runs a story in an environment of its own."""

    async def run(story: Story) -> None:
        async with AsyncExitStack() as stack:
            redis = await stack.enter_async_context(Redis.from_url(redis_url))
            await story(Site(redis, Names(environment_name)))

    return lambda story: asyncio.run(run(story))


def of_model(shown: Mapping[str, float], model: str = "m") -> set[str]:
    return {name for name in shown if f'model_name="{model}"' in name}


def test_a_release_is_shown_from_its_first_decision_and_damage_leaves_its_share_out(
    told: Callable[[Story], None],
) -> None:
    released = monitor().model_copy(update={"release": ReleaseMonitor(champion="3", challenger="4")})
    share = 'driftline_release_share_ratio{model_name="m",version="4"}'

    async def story(site: Site) -> None:
        site.first.holds = [Model("m", released), Model("n")]
        await site.first.read()
        assert [name for name in site.first.shown() if name.startswith("driftline_release")] == []
        for stored, found in (("0.25", 0.25), ("0", 0.0), ("much", None), ("1.5", None), ("nan", None)):
            await site.redis.hset(site.names.release("m"), mapping={"challenger": "4", "share": stored})
            await site.first.read()
            assert site.first.shown().get(share) == found
        assert site.first.shown()['model_predictions_total{model_name="n",service="n"}'] == 0

    told(story)


def test_a_move_goes_on_from_the_same_sums_and_shows_them_once(told: Callable[[Story], None]) -> None:
    async def story(site: Site) -> None:
        await site.add("m", events=1000)
        site.first.holds = [Model("m")]
        await site.first.read()
        await site.second.read()
        assert site.first.shown()[EVENTS] == 1000
        assert of_model(site.second.shown()) == set()

        await site.add("m", events=5)
        site.first.holds, site.second.holds = [], [Model("m")]  # at once: nothing is read in between
        assert of_model(site.first.shown()) == set()
        await site.second.read()
        assert site.second.shown()[EVENTS] == 1005

        await site.add("m", events=1)
        await site.first.read()
        site.first.holds, site.second.holds = [Model("m")], []
        assert of_model(site.first.shown()) == set()  # what it knew before the move is forgotten
        await site.first.read()
        assert site.first.shown()[EVENTS] == 1006

    told(story)


def test_a_held_model_is_there_from_its_first_reading_with_zeros(told: Callable[[Story], None]) -> None:
    async def story(site: Site) -> None:
        site.first.holds = [Model("m")]
        await site.first.read()
        assert site.first.shown()[EVENTS] == 0
        assert site.first.shown()['model_prediction_errors_total{model_name="m",service="m"}'] == 0

    told(story)


def test_the_gauges_are_those_of_the_stored_report(told: Callable[[Story], None]) -> None:
    async def story(site: Site) -> None:
        site.first.holds = [Model("m")]
        report = Report(
            model="m", stream="predictions", window="day", start=0, end=24 * HOUR, seen=24 * HOUR, state="ok", events=4,
            features={"temp": Column("ok", 4, missing_ratio=0.5)}, drift_score=0.25,
        )  # fmt: skip
        await site.put("m", report)
        await site.first.read()
        assert site.first.shown()['model_drift_score{model_name="m"}'] == 0.25
        assert site.first.shown()['feature_missing_ratio{feature_name="temp",model_name="m"}'] == 0.5

    told(story)


def test_a_report_that_cannot_be_read_costs_its_gauges_and_nothing_else(told: Callable[[Story], None]) -> None:
    async def story(site: Site) -> None:
        site.first.holds = [Model("m")]
        await site.add("m", events=3)
        await site.redis.hset(site.names.report("m", "day"), "document", b'{"model": 7}')
        await site.first.read()
        assert site.first.shown()[EVENTS] == 3
        assert 'model_drift_score{model_name="m"}' not in site.first.shown()

    told(story)


def test_many_models_are_read_in_turns_and_none_is_forgotten(told: Callable[[Story], None]) -> None:
    async def story(site: Site) -> None:
        models = [Model(f"m{at}") for at in range(2 * MOST_AT_ONCE + 1)]
        site.first.holds = models
        seen = []
        for _ in range(3):
            await site.first.exporter.run_once()
            shown = site.first.shown()
            seen.append(sum(bool(of_model(shown, one.model)) for one in models))
        assert seen == [MOST_AT_ONCE, 2 * MOST_AT_ONCE, 2 * MOST_AT_ONCE + 1]

    told(story)


def test_what_is_shown_is_read_again_after_its_time(
    told: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("stream.expose.models.monotonic", lambda: now[0])

    async def story(site: Site) -> None:
        site.first.holds = [Model("m")]
        await site.first.exporter.run_once()
        await site.add("m", events=3)
        await site.first.exporter.run_once()
        assert site.first.shown()[EVENTS] == 0
        now[0] += REREAD_S
        await site.first.exporter.run_once()
        assert site.first.shown()[EVENTS] == 3

    told(story)


def test_a_new_configuration_is_shown_at_the_next_look(told: Callable[[Story], None]) -> None:
    async def story(site: Site) -> None:
        site.first.holds = [Model("m")]
        await site.first.read()
        site.first.holds = [Model("m", monitor().model_copy(update={"service": "flight-api"}))]
        await site.first.read()
        names = {name for name in site.first.shown() if name.startswith("model_predictions_total")}
        assert names == {'model_predictions_total{model_name="m",service="flight-api"}'}

    told(story)


def test_a_reference_with_a_score_gives_a_baseline(told: Callable[[Story], None]) -> None:
    async def story(site: Site) -> None:
        site.first.holds = [Model("m", reference=replace(REFERENCE, score=numeric(0.0, 0.5, 1.0)))]
        await site.first.read()
        assert site.first.shown()['model_baseline_mean{model_name="m"}'] == 10.0

    told(story)


def test_a_producer_that_writes_a_new_version_an_event_fills_neither_redis_nor_prometheus(
    told: Callable[[Story], None],
) -> None:
    async def story(site: Site) -> None:
        site.first.holds = [Model("m")]
        key = site.names.totals("m")
        await site.add("m", events=3)
        await site.redis.hset(key, mapping={f"version:{at}": at for at in range(1, 500)})
        await site.first.read()
        fields: list[Any] = await site.redis.hkeys(key)
        kept = {name for name in fields if name.startswith(b"version:")}
        assert kept == {b"version:%d" % at for at in range(500 - MOST_VERSIONS, 500)}
        assert sum(name.startswith("model_version_info") for name in site.first.shown()) == MOST_VERSIONS
        assert site.first.shown()[EVENTS] == 3

    told(story)
