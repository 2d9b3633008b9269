"""Serving against the feature store on a real Redis: windows of both streams, found, revised, repeated, ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from schemas.findings import Finding
from schemas.names import Stream
from stream.evaluate.panes.touched import Touched
from stream.evaluate.skew.walk import Comparing
from tests.support.evaluation import HOUR, START, Scene, opened
from tests.support.skewed import ALIKE, OTHER, SHORT, Sides, Story, at, hours, said, sides


def test_a_feature_that_is_served_otherwise_than_the_store_says_is_found_with_its_numbers_and_ends(
    told_of_both: Callable[[Story], None],
) -> None:
    async def story(found: Sides) -> None:
        await hours(found, range(6))
        await hours(found, range(6, 12), served=OTHER)
        await hours(found, range(12, 18))
        await found.evaluate()
        assert said(await found.findings()) == [(10, "firing", 800), (12, "firing", 800), (14, "ok", 800)]
        first = (await found.findings())[1]
        assert (first.key, first.kind, first.severity, first.feature) == (
            "skew|feature:m/temp||day",
            "skew",
            "P3",
            "temp",
        )
        assert first.value == pytest.approx(0.223626, abs=1e-6)  # ten bins of 40 against 26 or 28, and 172 in the last
        assert first.threshold == 0.1
        assert first.n == 400
        assert (first.onset.lo, first.onset.hi) == (at(4), at(10))
        assert {name: first.evidence[name] for name in ("mean", "mean_upstream", "n_upstream", "missing_upstream")} == {
            "mean": pytest.approx(13.4, abs=1e-6), "mean_upstream": pytest.approx(10.0, abs=1e-6), "n_upstream": 400,
            "missing_upstream": 0.0,
        }  # fmt: skip
        reports = await found.reports()
        assert [(report.end - START) / HOUR for report in reports] == list(range(2, 19, 2))
        assert [report.state for report in reports] == ["warming", "ok", "ok", "ok", "drift", "drift", "ok", "ok", "ok"]
        assert (await found.shown())[b"feature:temp"] == b"ok"

    told_of_both(story)


def test_windows_wait_for_the_side_that_is_behind(told_of_both: Callable[[Story], None]) -> None:
    async def story(found: Sides) -> None:
        for hour in range(10):
            await found.hour(hour, served=ALIKE)
        evaluator = await found.evaluate()
        assert await found.reports() == []
        for hour in range(7):
            await found.hour(hour, store=ALIKE)
        await evaluator.run_once()
        assert [(report.end - START) / HOUR for report in await found.reports()] == [2, 4, 6]
        # Told before the store's own mark, so that nothing is decided up to it before the comparison was.
        marks = await found.marks()
        assert [mark for mark in marks if mark[0] != "predictions"] == [
            ("skew", pytest.approx(2, abs=1e-6)), ("features", 7), ("skew", pytest.approx(8, abs=1e-6)),
        ]  # fmt: skip
        assert all(at < 2 or at > 7 for name, at in marks if name == "skew")

    told_of_both(story)


@pytest.mark.parametrize("every", [1, 5, 40])
def test_a_replay_gives_the_same_findings_however_it_is_polled(
    redis_url: str, environment_name: str, every: int
) -> None:
    async def replayed(environment: str, every: int) -> list[Finding]:
        async with sides(redis_url, environment, **SHORT) as found:
            evaluator = found.evaluator()
            for hour in range(40):
                await found.hour(hour, served=OTHER if 10 <= hour < 30 else ALIKE)
                if hour % 7 == 6:  # the store comes in lumps
                    for earlier in range(hour - 6, hour + 1):
                        await found.hour(earlier, store=ALIKE)
                if hour % every == 0:
                    await found.evaluate(evaluator)
            await found.evaluate(evaluator)
            return await found.findings()

    once = asyncio.run(replayed(f"{environment_name}a", 3))
    again = asyncio.run(replayed(f"{environment_name}b", every))
    assert again == once
    assert len({one.id for one in once}) == len(once) == 10


@pytest.mark.parametrize("side", ["served", "store"])
def test_late_events_of_either_side_have_the_windows_that_hold_them_judged_again(
    told_of_both: Callable[[Story], None], side: str
) -> None:
    async def story(found: Sides) -> None:
        await hours(found, range(10))
        evaluator = await found.evaluate()
        before = await found.reports()
        scene = found.served if side == "served" else found.store
        await found.count(scene, 7, [19.0] * 400, clock=at(10), late=400)
        await found.count(scene, 9, [19.0] * 100, clock=at(10), late=100)
        await evaluator.run_once()
        news = (await found.reports())[len(before) :]
        assert [((one.end - START) / HOUR, one.events, one.late) for one in news] == [(8, 1200, 400), (10, 1300, 500)]
        assert said(await found.findings()) == [(10, "firing", 1300)]  # the older window's revision says nothing new
        assert (await found.shown())[b"events"] == b"1300"
        await evaluator.run_once()
        await evaluator.leave()  # another worker knows that these are done
        evaluator = await found.evaluate(found.evaluator("two"))
        assert len(await found.reports()) == len(before) + 2
        await hours(found, range(10, 12))  # goes on from the revised rows
        await evaluator.run_once()
        assert (await found.reports())[-1].events == 2 * 400 + 100

    told_of_both(story)


def test_late_events_are_judged_by_whoever_goes_on(
    told_of_both: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(found: Sides) -> None:
        await hours(found, range(10))
        evaluator = await found.evaluate()
        before = await found.reports()
        await found.count(found.served, 7, [19.0] * 400, clock=at(10), late=400)
        with monkeypatch.context() as stopped:
            stopped.setattr(Comparing, "run", _killed)
            with pytest.raises(asyncio.CancelledError):
                await evaluator.run_once()
        await evaluator.leave()
        await found.evaluate(found.evaluator("two"))
        assert len(await found.reports()) == len(before) + 2
        assert said(await found.findings()) == [
            (10, "firing", 1200)
        ]  # of the older window nobody was told anything newer

    told_of_both(story)


def test_an_event_that_comes_too_late_to_judge_again_counts_in_the_windows_to_come(
    redis_url: str, environment_name: str
) -> None:
    """A partition that stood still brings it: by its own clock it is not late."""

    async def story() -> None:
        async with sides(redis_url, environment_name, revise_within_ms=HOUR, **SHORT) as found:
            await hours(found, range(10))
            evaluator = await found.evaluate()
            before = await found.reports()
            await found.count(found.served, 8, [19.0] * 10, clock=at(10), late=10)
            await evaluator.run_once()
            assert await found.reports() == before
            await hours(found, range(10, 12))
            await evaluator.run_once()
            assert (await found.reports())[-1].events == 2 * 400 + 10

    asyncio.run(story())


def test_what_nobody_compares_yet_is_not_kept(told_of_both: Callable[[Story], None]) -> None:
    """A store that sends for months before the model is served."""

    async def story(found: Sides) -> None:
        for hour in range(6):
            await found.hour(hour, store=ALIKE)
        evaluator = await found.evaluate()
        await found.count(found.store, 4, [19.0] * 10, clock=at(6), late=10)
        await evaluator.run_once()
        await found.hour(6, store=ALIKE)
        await evaluator.run_once()
        assert await _touched(found.store) == Touched(number=1, since=at(0))

    told_of_both(story)


@pytest.mark.parametrize("stream", ["labels", "serving"])
def test_of_a_stream_that_is_not_compared_nothing_is_kept(
    redis_url: str, environment_name: str, stream: Stream
) -> None:
    async def story() -> None:
        async with opened(redis_url, environment_name, stream=stream) as scene:
            await scene.count(0, at(0), events=5, clock=at(2))
            await scene.move(1, at(2))
            evaluator = await scene.evaluate()
            await scene.count(0, at(1), events=3, late=3, clock=at(2))
            await evaluator.run_once()
            assert (await scene.evaluation())["last"] == str(at(2)).encode()
            assert await _touched(scene) == Touched()

    asyncio.run(story())


async def _touched(scene: Scene) -> Touched:
    stored = await cast("Any", scene.redis.hget(scene.names.evaluation("m", scene.stream), "touched"))
    return Touched.from_json(stored or b"{}")


async def _killed(self: Comparing) -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_is_killed_says_what_another_repeats(
    redis_url: str, environment_name: str, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    async def told(environment: str, *, killed: bool) -> list[str]:
        async with sides(redis_url, environment, **SHORT) as found:
            await hours(found, range(4))
            await hours(found, range(4, 16), served=OTHER)
            if killed:
                first = found.evaluator()
                original = first._desk.commits.store

                async def dies(conclusion: Any, *, token: int) -> Any:
                    if conclusion.stream == "skew":
                        if when == "after":
                            await original(conclusion, token=token)
                        raise asyncio.CancelledError
                    return await original(conclusion, token=token)

                monkeypatch.setattr(first._desk.commits, "store", dies)
                with pytest.raises(asyncio.CancelledError):
                    await found.evaluate(first)
                await first.leave()
            await found.evaluate(found.evaluator("two"))
            return [one.id for one in await found.findings()]

    whole = asyncio.run(told(f"{environment_name}a", killed=False))
    assert asyncio.run(told(f"{environment_name}b", killed=True)) == whole
    assert len(set(whole)) == len(whole) == 5


def test_a_side_without_traffic_ends_what_was_found(told_of_both: Callable[[Story], None]) -> None:
    async def story(found: Sides) -> None:
        await hours(found, range(8), served=OTHER)
        for hour in range(8, 14):  # the store's clock goes on without this model's features
            await found.hour(hour, served=OTHER)
            for partition in (0, 1):
                await found.store.move(partition, at(hour + 1))
        await found.evaluate()
        assert said(await found.findings())[-1] == (12, "no_data", 400)
        assert [report.state for report in await found.reports()][-3:] == ["drift", "no_traffic", "no_traffic"]

    told_of_both(story)


def test_many_features_are_compared_beside_the_loop_with_the_same_words(
    told_of_both: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(found: Sides) -> None:
        await hours(found, range(6), served=OTHER)
        monkeypatch.setattr("stream.evaluate.skew.walk.WIDE", 1)
        await found.evaluate()
        assert said(await found.findings()) == [(4, "firing", 800), (6, "firing", 800)]

    told_of_both(story)


def test_a_damaged_comparison_hurts_neither_side_and_is_said(
    told_of_both: Callable[[Story], None], caplog: pytest.LogCaptureFixture
) -> None:
    async def story(found: Sides) -> None:
        await hours(found, range(6))
        await (await found.evaluate()).leave()
        scene = found.served
        await scene.redis.hset(scene.names.evaluation("m", "skew"), "standing", "{")
        await hours(found, range(6, 12))
        evaluator = await found.evaluate(found.evaluator("two"))
        await evaluator.run_once()
        assert "skew of model 'm' cannot be evaluated" in caplog.text
        assert evaluator.tally.failed == 1
        assert (await scene.evaluation())["last"] == str(at(12)).encode()
        assert [(report.end - START) / HOUR for report in await found.reports()] == [2, 4, 6]
        await scene.redis.hset(scene.names.evaluation("m", "skew"), "standing", "{}")
        await evaluator.leave()
        await found.evaluate(found.evaluator("three"))
        assert [(report.end - START) / HOUR for report in await found.reports()] == [2, 4, 6, 8, 10, 12]

    told_of_both(story)
