"""A release after Redis was emptied: by what was told of it, it is where it was, and nobody is told anew."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from confluent_kafka import Producer

from schemas import releases
from schemas.actions import OrderRelease, encode
from schemas.names import Names
from schemas.release import ReleaseMonitor
from schemas.releases import Decision
from stream.evaluate.evaluator import Evaluator
from stream.evaluate.releases.memory import Memory, remembered
from stream.evaluate.releases.naming import named
from stream.evaluate.releases.state import State
from stream.local.broker import create_topic
from stream.state.orders import ORDERS
from tests.support.evaluation import HOUR, START
from tests.support.released import monitor
from tests.support.released_live import Site, said, site

#: (requests, errors) of champion and challenger, hour by hour.
Hours = Sequence[tuple[tuple[int, int], tuple[int, int]]]
GOOD: Hours = [((10_000, 100), (0, 0)), ((9_500, 95), (500, 5))]
BAD: Hours = [*GOOD, ((9_000, 90), (1_000, 200)), ((10_000, 100), (0, 0))]


async def told(url: str, environment: str, hours: Hours, *, hold: bool = False) -> list[Decision]:
    """What was decided before."""
    async with site(url, environment) as found:
        evaluator = found.scene.evaluator()
        for answered in hours:
            await found.answered(*answered)
            await found.evaluate(evaluator)
        if hold:
            release = (await found.shown())["release"]
            order = OrderRelease(model="m", release=release, order="hold", by="ann", at=7, comment="why")
            await found.scene.redis.hset(found.scene.names.incidents(ORDERS), "m", encode(order))
            await found.evaluate(evaluator)
        return found.told


async def filled(found: Site, hours: Hours, decisions: Sequence[Decision]) -> Evaluator:
    """The same hours again, read from Kafka by a Redis that knows nothing, until all are counted."""
    scene = found.scene
    keys = [scene.names.offset("predictions", partition) for partition in range(2)]
    for key in keys:
        await scene.redis.hset(key, mapping={"rebuild_to": 1_000, "state": "warming"})
    evaluator = scene.evaluator(recall=lambda model: remembered(decisions))
    for answered in hours:
        await found.answered(*answered)
        await found.evaluate(evaluator)
    assert found.told == [], "while it is filled nobody knows enough to decide"
    for partition, key in enumerate(keys):
        await scene.redis.hset(key, "rebuild_to", scene.offsets[partition])
    for _ in range(2):
        await found.evaluate(evaluator)
    return evaluator


def test_what_was_rolled_back_is_not_begun_again_and_is_told_as_over_once_another_is_named(
    redis_url: str, environment_name: str
) -> None:
    async def story() -> None:
        before = await told(redis_url, f"{environment_name}a", BAD)
        assert said(before)[-1] == (3, "roll_back", 0.0, ("errors", "worse_success"))
        async with site(redis_url, f"{environment_name}b") as found:
            evaluator = await filled(found, BAD, before)
            await found.routed(4, errors=0.01, evaluator=evaluator)
            assert (found.told, await found.findings()) == ([], [])
            shown = await found.shown()
            assert (shown["state"], shown["challenger"], shown["release"]) == ("rolled_back", "4", before[0].release)
            await found.apply(ReleaseMonitor(champion="3", challenger="5"))
            await found.routed(3, errors=0.01, evaluator=evaluator)
            assert next((one.decision, one.challenger) for one in found.told) == ("begin", "5")
            assert [one.state for one in await found.findings()] == ["ok"]

    asyncio.run(story())


@pytest.mark.parametrize("hold", [False, True])
def test_one_on_its_way_goes_on_from_its_share_and_a_hold_holds(
    redis_url: str, environment_name: str, hold: bool
) -> None:
    async def story() -> None:
        before = await told(redis_url, f"{environment_name}a", GOOD, hold=hold)
        assert [one.decision for one in before] == ["begin", "promote", *(["hold"] if hold else [])]
        async with site(redis_url, f"{environment_name}b") as found:
            evaluator = await filled(found, GOOD, before)
            found.told = before  # a router knows what it was told
            for _ in range(2):
                await found.answered((9_000, 90), (1_000, 10))
                await found.evaluate(evaluator)
            assert said(found.told)[:1] == ([] if hold else [(3, "promote", 0.25, ("healthy",))])
            shown = await found.shown()
            assert (shown["release"], shown["share"]) == (before[0].release, "0.1" if hold else "0.25")
            assert [one.number for one in found.told][:1] == ([] if hold else [3])

    asyncio.run(story())


def test_one_of_which_nothing_was_told_begins_behind_what_was_counted_again(
    redis_url: str, environment_name: str
) -> None:
    async def story() -> None:
        async with site(redis_url, environment_name) as found:
            evaluator = await filled(found, BAD, [])
            assert said(found.told) == [(4, "begin", 0.05, ("begun",))]
            assert found.told[0].at == START + 4 * HOUR
            await evaluator.leave()

    asyncio.run(story())


def test_decisions_of_all_partitions_are_read(embedded_bootstrap: str, environment_name: str) -> None:
    topic = Names(environment_name).topic("releases")
    partitions = create_topic(embedded_bootstrap, topic)
    producer = Producer({"bootstrap.servers": embedded_bootstrap, "log_level": 0})
    models = [f"m{partition}" for partition in range(partitions)]
    for partition, model in enumerate(models):
        begun = named(State(model=model), monitor(), at_ms=HOUR)[1]
        producer.produce(topic, releases.encode(begun[0]), model, partition=partition)
    assert (producer.flush(10), partitions > 1) == (0, True)
    memory = Memory({"bootstrap.servers": embedded_bootstrap, "log_level": 0}, topic)
    found = [memory.recall(model) for model in models]
    assert [one.state.phase for one in found if one is not None] == ["running"] * partitions
    assert memory.recall("another") is None
