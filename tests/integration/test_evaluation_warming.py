"""While an emptied Redis is filled again nothing is told that only missing counts make; then each thing's newest word is, once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from schemas.findings import Finding
from schemas.gpus import LATENESS_MS
from schemas.names import Stream
from stream.state.generations import publish
from stream.state.gpus import MINUTE
from tests.support import models
from tests.support.evaluation import HOUR, START, Scene, opened
from tests.support.gpus_judged import NOON, Gpus, minutely
from tests.support.skewed import OTHER, SHORT, Sides, Story, hours, said, sides

FAR = 1_000_000


async def emptied(scene: Scene, *, read_to: int) -> None:
    """As after a ``FLUSHALL``: so many records of each partition were counted before, and are to be counted again."""
    for partition in range(scene.partitions):
        key = scene.names.offset(scene.stream, partition)
        await scene.redis.hset(key, mapping={"rebuild_to": read_to, "state": "warming"})


async def filled(scene: Scene) -> None:
    """All of it is counted now."""
    for partition in range(scene.partitions):
        await scene.redis.hset(scene.names.offset(scene.stream, partition), "rebuild_to", scene.offsets[partition])


async def state(scene: Scene, partition: int = 0) -> tuple[bytes | None, bytes | None]:
    """What people read of a partition, and up to when nothing is told."""
    found: Any = await scene.redis.hmget(scene.names.offset(scene.stream, partition), ["state", "quiet_to"])
    return found[0], found[1]


def test_of_the_comparison_with_the_store_nothing_is_told_before_redis_is_filled_again(
    told_of_both: Callable[[Story], None],
) -> None:
    async def story(found: Sides) -> None:
        for side in (found.served, found.store):
            await emptied(side, read_to=FAR)
        await hours(found, range(6))
        await hours(found, range(6, 12), served=OTHER)
        evaluator = await found.evaluate()
        assert [report.state for report in await found.reports()] == ["warming", "ok", "ok", "ok", "drift", "drift"]
        assert await found.findings() == []
        for side in (found.served, found.store):
            await filled(side)
        await evaluator.run_once()
        assert await found.findings() == []
        await evaluator.run_once()
        assert said(await found.findings()) == [(12, "firing", 800)], "although nothing more has ended"

    told_of_both(story)


def test_what_is_new_is_told_once_all_is_counted_again_although_nothing_ends_any_more(
    redis_url: str, environment_name: str
) -> None:
    """Where events come once a day what ends next ends a day later: nobody would be rung for a day."""

    async def story() -> None:
        async with opened(redis_url, environment_name) as scene:
            await emptied(scene, read_to=FAR)
            for hour in range(40):
                await scene.count(hour % 2, START + hour * HOUR, events=200, clock=START + (hour + 1) * HOUR)
            await scene.move(0, START + 40 * HOUR)
            evaluator = await scene.evaluate()
            await filled(scene)
            await evaluator.run_once()
            assert await heard(scene) == []
            await evaluator.run_once()
            told = await heard(scene)
            assert ("psi|feature:m/temp||day", 40, "firing") in told
            assert len({key for key, _, _ in told}) == len(told), "of each its newest word"
            await evaluator.run_once()
            assert await heard(scene) == told, "and once"

    asyncio.run(story())


async def heard(scene: Scene) -> list[tuple[str, float, str]]:
    """(key, hours, state) of everything told of the model."""
    told = [message for _, message in await scene.outbox() if isinstance(message, Finding)]
    return [(one.key, (one.at - START) / HOUR, one.state) for one in told]


def test_what_is_over_by_then_is_told_as_over(told_of_both: Callable[[Story], None]) -> None:
    async def story(found: Sides) -> None:
        for side in (found.served, found.store):
            await emptied(side, read_to=FAR)
        await hours(found, range(6))
        await hours(found, range(6, 12), served=OTHER)
        await hours(found, range(12, 18))
        evaluator = await found.evaluate()
        for side in (found.served, found.store):
            await filled(side)
        await evaluator.run_once()
        await evaluator.leave()  # whoever goes on knows what is not told yet
        evaluator = await found.evaluate(found.evaluator("two"))
        await hours(found, range(18, 20))
        await evaluator.run_once()
        assert said(await found.findings()) == [(14, "ok", 800)]

    told_of_both(story)


def test_another_stream_that_is_warming_keeps_no_comparison_from_being_told(
    redis_url: str, environment_name: str
) -> None:
    async def story() -> None:
        async with sides(redis_url, environment_name, **SHORT) as found:
            evaluator = found.evaluator()
            labels = found.served.names.offset("labels", 0)
            await found.served.redis.hset(labels, mapping={"next": 5, "state": "warming", "idle": 1})
            evaluator._sealing._partitions = lambda stream: 0 if stream == "serving" else 1 if stream == "labels" else 2
            await hours(found, range(6))
            await hours(found, range(6, 12), served=OTHER)
            await found.evaluate(evaluator)
            assert [one.state for one in await found.findings()] == ["firing"] * 2

    asyncio.run(story())


def test_of_gpus_nothing_is_told_before_redis_is_filled_again(redis_url: str, environment_name: str) -> None:
    async def story() -> None:
        async with opened(redis_url, environment_name, partitions=1, stream="serving") as scene:
            gpus = Gpus(scene)
            await emptied(scene, read_to=FAR)
            await gpus.write(*minutely(0, 12, temperature_celsius=92), *minutely(0, 4, "1", temperature_celsius=92))
            await gpus.write(*minutely(4, 12, "1", temperature_celsius=60))
            await gpus.judge(5)
            await scene.move(0, NOON + 10 * MINUTE + LATENESS_MS)
            await filled(scene)
            evaluator = await scene.evaluate()
            assert await state(scene) == (None, str(NOON + 10 * MINUTE + LATENESS_MS).encode())
            gpus.fleet, gpus.leases.held = gpus.made(), 2  # another worker's
            await gpus.judge(10)  # and what nobody had come to judge yet
            assert await gpus.findings() == []
            await gpus.judge(11)
            assert await gpus.findings() == [
                (5, "gpu_temperature", "gpu:n7/1", "ok"), (11, "gpu_temperature", "gpu:n7/0", "firing"),
            ]  # fmt: skip
            await evaluator.leave()

    asyncio.run(story())


def test_what_fell_silent_meanwhile_is_told_by_the_wall_clock_where_no_event_moves_time_on(
    redis_url: str, environment_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        async with opened(redis_url, environment_name, partitions=1, stream="serving") as scene:
            now = [NOON + 20 * MINUTE]

            async def at_ms(fleet: object) -> int:
                return now[0]

            monkeypatch.setattr("stream.evaluate.gpus.fleet.Fleet._now", at_ms)
            gpus = Gpus(scene, event_clock=False)
            await emptied(scene, read_to=FAR)
            await gpus.write(*minutely(0, 2, temperature_celsius=60), *minutely(0, 9, "1", temperature_celsius=60))
            await gpus.judge(18)
            await scene.idle(0)
            now[0] += 60 * MINUTE
            await gpus.fleet.run_once()
            assert await gpus.findings() == []  # nor is the silence of what is still to be read
            await filled(scene)
            await scene.evaluate()
            for _ in range(2):
                now[0] += 60 * MINUTE
                await gpus.fleet.run_once()
            assert [one for one in await gpus.findings() if one[1:] == ("gpu_silent", "host:n7", "firing")]

    asyncio.run(story())


@pytest.mark.parametrize("stream", ["predictions", "serving"])
def test_a_stream_whose_events_are_all_gone_from_kafka_is_filled_at_once(
    redis_url: str, environment_name: str, stream: Stream
) -> None:
    async def story() -> None:
        async with opened(redis_url, environment_name, partitions=2, stream=stream) as scene:
            await emptied(scene, read_to=0)
            evaluator = await scene.evaluate()
            assert await state(scene) == (b"warming", None)  # a partition that is not quiet yet may hold something
            await scene.idle(0, 1)
            await evaluator.run_once()
            assert (await state(scene), await state(scene, 1)) == ((None, b"0"), (None, b"0"))

    asyncio.run(story())


def test_a_stream_that_no_model_is_judged_by_does_not_stay_warming(redis_url: str, environment_name: str) -> None:
    async def story() -> None:
        async with opened(redis_url, environment_name, partitions=1) as scene:
            await publish(scene.redis, scene.names, models.monitors(), references={}, now_ms=2, clock_ms=None)
            await emptied(scene, read_to=1)
            await scene.move(0, START + HOUR)
            evaluator = await scene.evaluate()
            for _ in range(10):
                await evaluator.run_once()
            assert await state(scene) == (None, str(START + HOUR).encode())

    asyncio.run(story())
