"""Whole stories of evaluation on a real Redis: replays that are alike, what a configuration drops, other streams, silence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from schemas.findings import Finding, Progress
from schemas.monitored import ServingMonitor
from schemas.names import Stream
from stream.evaluate.evaluator import Evaluator
from stream.evaluate.panes.tiers import tiers_of
from stream.state.behind import Behind
from tests.support.evaluation import HOUR, START, Scene, Story, assert_same, monitor, opened

PANE, _ = tiers_of(HOUR)


def at(hours: float) -> int:
    return START + int(hours * HOUR)


async def findings(scene: Scene, model: str = "m") -> list[Finding]:
    return [message for _, message in await scene.outbox(model=model) if isinstance(message, Finding)]


async def drifting(scene: Scene, *, hours: int = 40, model: str = "m") -> None:
    """Hours of events that are nothing like the reference."""
    for hour in range(hours):
        await scene.count(hour % 2, at(hour), events=200, clock=at(hour + 1), model=model)
    for partition in (0, 1):
        await scene.move(partition, at(hours))


@pytest.mark.parametrize("every", [1, 7, 40])
def test_a_replay_gives_the_same_findings_however_it_is_polled(
    redis_url: str, environment_name: str, every: int
) -> None:
    async def replayed(environment: str, every: int) -> list[Finding]:
        async with opened(redis_url, environment) as scene:
            evaluator = scene.evaluator()
            for hour in range(60):
                await scene.count(hour % 2, at(hour), events=200, clock=at(hour + 1))
                await scene.move(1 - hour % 2, at(hour + 1))
                if hour % every == 0:
                    await scene.evaluate(evaluator)
            await scene.evaluate(evaluator)
            return sorted(await findings(scene), key=lambda one: (one.at, one.key))

    once = asyncio.run(replayed(f"{environment_name}a", 5))
    again = asyncio.run(replayed(f"{environment_name}b", every))
    assert [one.id for one in again] == [one.id for one in once]
    assert again == once
    assert len({one.id for one in once}) == len(once) > 10


def test_a_feature_that_is_taken_out_of_the_file_takes_its_findings_with_it(told: Callable[[Story], None]) -> None:
    async def story(scene: Scene) -> None:
        await drifting(scene)
        evaluator = await scene.evaluate()
        firing = {one.key: one for one in await findings(scene)}
        gone = {key for key, one in firing.items() if one.feature == "temp" and one.state == "firing"}
        assert gone
        left = {name: one for name, one in monitor().features.items() if name != "temp"}
        await scene.apply(features=left, clock_ms=at(40))
        await scene.count(0, at(44), events=200, clock=at(45))
        await scene.move(1, at(45))
        await evaluator.run_once()
        removed = [one for one in await findings(scene) if one.state == "removed"]
        assert gone <= {one.key for one in removed}
        assert all(one.rev > firing[one.key].rev for one in removed)
        assert not [one for one in await findings(scene) if one.feature == "temp" and one.at > removed[0].at]

    told(story)


@pytest.mark.parametrize("stream", ["serving", "features", "labels"])
def test_other_streams_are_closed_and_judged_like_predictions(
    redis_url: str, environment_name: str, stream: Stream
) -> None:
    async def story() -> None:
        async with opened(redis_url, environment_name, stream=stream) as scene:
            await scene.apply(serving=ServingMonitor(stream="serving", error_rate=0.01, latency_p95_ms=100))
            await drifting(scene)
            await scene.evaluate()
            assert_same(await scene.closed(PANE), scene.merged())
            totals = await scene.redis.hgetall(scene.names.totals("m"))
            assert totals[f"{stream}:events".encode()] == str(40 * 200).encode()
            marks = [message.at for _, message in await scene.outbox() if isinstance(message, Progress)]
            assert marks[-1] == at(40)
            shown = await scene.redis.hgetall(scene.names.model_state("m"))
            assert shown.get(f"{stream}:judged_to".encode(), str(at(40)).encode()) == str(at(40)).encode()

    asyncio.run(story())


def test_a_new_silence_is_told_once_its_time_is_over_and_ends_with_an_event(told: Callable[[Story], None]) -> None:
    patience_ms = 1_000

    async def story(scene: Scene) -> None:
        await scene.apply(no_traffic_after_ms=patience_ms)
        await scene.count(0, at(0), events=5, clock=at(1))
        await scene.move(1, at(1))
        await scene.idle(0, 1)
        evaluator = await scene.evaluate(scene.evaluator(event_clock=False))
        await silence(evaluator, scene, patience_ms)
        told_so_far = [one for one in await findings(scene) if one.rule == "no_traffic"]
        first = told_so_far[0]
        assert (first.key, first.state, first.severity) == (told_so_far[-1].key, "firing", "P0")
        assert (first.subject, first.onset.lo, first.onset.hi) == ("model:m", at(0), at(1))
        # Event time is the model's own, years before Redis' clock; further looks are revisions of the first.
        assert {one.at for one in told_so_far} == {at(1)}
        assert len({one.rev for one in told_so_far}) == len(told_so_far) > 1
        assert [one.rev for one in told_so_far] == sorted(one.rev for one in told_so_far)
        assert first.seen > at(24 * 365)
        await scene.count(1, at(1), events=1, clock=at(1.5))  # in a pane that is still open
        await silence(evaluator, scene, patience_ms // 4)
        last = [one for one in await findings(scene) if one.rule == "no_traffic"][-1]
        assert (last.key, last.state, last.at) == (first.key, "ok", at(1))
        assert last.rev > told_so_far[-1].rev

    told(story)


def test_a_silence_that_nobody_asks_about_any_more_is_withdrawn_though_nothing_comes(
    told: Callable[[Story], None],
) -> None:
    async def story(scene: Scene) -> None:
        await scene.apply(no_traffic_after_ms=400)
        await scene.count(0, at(0), events=5, clock=at(1))
        await scene.move(1, at(1))
        await scene.idle(0, 1)
        evaluator = await scene.evaluate(scene.evaluator(event_clock=False))
        await silence(evaluator, scene, 400)
        before = [one for one in await findings(scene) if one.rule == "no_traffic"][-1]
        await scene.apply(clock_ms=at(1))
        await evaluator.run_once()
        after = [one for one in await findings(scene) if one.rule == "no_traffic"][-1]
        assert (before.state, after.state, after.key) == ("firing", "removed", before.key)
        assert after.rev > before.rev

    told(story)


def test_a_window_that_gains_events_in_time_by_their_partition_s_clock_has_a_greater_revision(
    told: Callable[[Story], None],
) -> None:
    async def story(scene: Scene) -> None:
        await drifting(scene)
        evaluator = await scene.evaluate()
        before = {one.key: one for one in await findings(scene) if one.window == "day"}
        await scene.count(1, at(39), events=7, clock=at(40), late=0)
        await evaluator.run_once()
        after = {one.key: one for one in await findings(scene) if one.window == "day"}
        firing = {key for key, one in before.items() if one.state == "firing"}
        assert firing
        assert {before[key].rev for key in firing} == {(at(40), 24 * 200)}
        assert {after[key].rev for key in firing} == {(at(40), 24 * 200 + 7)}

    told(story)


@pytest.mark.parametrize("fields", [{"idle": 1}, {"behind": Behind(frozenset({"n"}), frozenset({"n"})).to_text()}])
def test_a_partition_that_lags_may_hold_what_is_missed(
    told: Callable[[Story], None], fields: Mapping[str, str | int]
) -> None:
    """Not one that is read to its end, nor one that is put behind the others and holds another model."""

    async def story(scene: Scene) -> None:
        await scene.apply(no_traffic_after_ms=400)
        await scene.count(0, at(0), events=5, clock=at(1))
        await scene.idle(0)
        await scene.move(1, at(1))  # not idle: behind by years
        evaluator = await scene.evaluate(scene.evaluator(event_clock=False))
        await silence(evaluator, scene, 900)
        assert [one for one in await findings(scene) if one.rule == "no_traffic"] == []
        await scene.checkpoint(1, fields, [])
        await silence(evaluator, scene, 500)
        assert [one.state for one in await findings(scene) if one.rule == "no_traffic"][:1] == ["firing"]

    told(story)


async def silence(evaluator: Evaluator, scene: Scene, ms: int) -> None:
    """Nothing comes for twice so long, by Redis' clock: looks are a quarter of it apart."""
    seconds, micros = await scene.redis.time()
    began = seconds * 1000 + micros // 1000
    while True:
        await evaluator.tend()
        await evaluator.run_once()
        seconds, micros = await scene.redis.time()
        if seconds * 1000 + micros // 1000 > began + 2 * ms:
            return
        await asyncio.sleep(0.05)
