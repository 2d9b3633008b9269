"""Nothing is left out and nothing is counted twice: races with checkpoints, late events, zombies and restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from schemas.findings import Progress
from schemas.names import Stream
from stream.evaluate.evaluator import Evaluator
from stream.evaluate.panes.tiers import tiers_of
from stream.evaluate.storing.notes import Note
from stream.evaluate.storing.shards import shard_of
from tests.support.evaluation import HOUR, START, Scene, Story, assert_same
from tests.support.models import numeric, reference

PANE, DAYS = tiers_of(HOUR)


def at(hours: float) -> int:
    return START + int(hours * HOUR)


async def both_days(scene: Scene) -> list[int]:
    """Events by day, as the day's rows say."""
    return [int(row.cells[1]) for row in (await scene.closed(DAYS)).values()]


def between(evaluator: Evaluator, step: str, what: Callable[[], Awaitable[None]]) -> None:
    """Have something happen once, right after ``step`` of the next poll."""
    desk = evaluator._desk
    held: Any = {"seal": evaluator._sealing, "notes": desk.notes, "partials": desk.merged, "stored": desk.commits}[step]
    name = {"seal": "seal", "notes": "read", "partials": "noted", "stored": "store"}[step]
    original = getattr(held, name)

    async def and_then(*args: Any, **kwargs: Any) -> Any:
        found = await original(*args, **kwargs)
        setattr(held, name, original)
        await what()
        return found

    setattr(held, name, and_then)


@pytest.mark.parametrize("step", ["seal", "notes", "partials", "stored"])
def test_a_checkpoint_at_any_moment_of_closing_is_in_the_pane(told: Callable[[Story], None], step: str) -> None:
    async def story(scene: Scene) -> None:
        for partition in (0, 1):
            await scene.count(partition, at(0), events=5, clock=at(1))
        evaluator = scene.evaluator()

        async def late() -> None:
            await scene.count(1, at(0), events=3, clock=at(1), late=3)

        between(evaluator, step, late)
        await scene.evaluate(evaluator)
        for _ in range(2):
            await evaluator.run_once()
        assert_same(await scene.closed(PANE), scene.merged())
        assert int((await scene.closed(PANE))[at(0)].cells[1]) == 13
        assert await both_days(scene) == [13]
        assert await scene.notes() == {0: 0, 1: 0}

    told(story)


def test_an_idle_partition_that_wakes_up_with_an_old_event_revises_the_closed_pane(
    told: Callable[[Story], None],
) -> None:
    async def story(scene: Scene) -> None:
        await scene.count(0, at(0), events=5, clock=at(30))
        await scene.idle(1)
        evaluator = await scene.evaluate()
        assert_same(await scene.closed(PANE), scene.merged())
        await scene.count(1, at(0), events=2, clock=at(0.5))
        await scene.count(1, at(3), events=4, clock=at(3.5))
        await evaluator.run_once()
        assert_same(await scene.closed(PANE), scene.merged())
        assert await both_days(scene) == [11]
        assert (await scene.evaluation())["last"] == str(at(30)).encode()
        totals = await scene.redis.hgetall(scene.names.totals("m"))
        assert totals[b"predictions:events"] == b"11"

    told(story)


def test_a_revision_gives_each_window_that_it_changes_one_report_numbered_by_its_events(
    told: Callable[[Story], None],
) -> None:
    async def story(scene: Scene) -> None:
        for hour in range(30):
            await scene.count(0, at(hour), events=10, clock=at(hour))
        for partition in (0, 1):
            await scene.move(partition, at(30))
        evaluator = await scene.evaluate()
        before = await scene.reports()
        for _ in range(3):
            await scene.count(1, at(27), events=1, clock=at(30), late=1)
        await evaluator.run_once()
        [older, newer] = (await scene.reports())[len(before) :]
        assert [(r.start, r.end, r.events, r.late) for r in (older, newer)] == [
            (at(4), at(28), 243, 3), (at(6), at(30), 243, 3)
        ]  # fmt: skip
        shown = await scene.redis.hgetall(scene.names.report("m", "day"))
        assert (shown[b"end"], shown[b"late"]) == (str(at(30)).encode(), b"3")
        assert evaluator.tally.revised == 2  # windows, though it is one pane
        await evaluator.run_once()
        assert len(await scene.reports()) == len(before) + 2
        await scene.count(0, at(31), events=10, clock=at(32))
        await scene.move(1, at(32))
        await evaluator.run_once()
        assert (await scene.reports())[-1].events == 22 * 10 + 3 + 10

    told(story)


def test_the_backlog_is_the_panes_that_are_complete_and_not_closed(told: Callable[[Story], None]) -> None:
    async def story(scene: Scene) -> None:
        for hour in range(4):  # the last one is open
            for partition in (0, 1):
                await scene.count(partition, at(hour), events=5, clock=at(hour + 0.5))
        evaluator, seen = scene.evaluator(), []

        async def look() -> None:
            seen.append(dict(evaluator.tally.backlog))

        between(evaluator, "partials", look)
        await scene.evaluate(evaluator)
        assert (seen, evaluator.tally.backlog) == ([{"predictions": 3}], {"predictions": 0})

    told(story)


def test_a_restart_in_the_middle_ends_as_if_nothing_had_happened(told: Callable[[Story], None]) -> None:
    async def story(scene: Scene) -> None:
        for hour in range(70):
            await scene.count(hour % 2, at(hour), events=hour + 1, clock=at(hour + 1))
            if hour % 7 == 0:  # each time another worker, with nothing in memory
                await scene.move(1 - hour % 2, at(hour + 1))
                evaluator = await scene.evaluate(scene.evaluator(f"worker-{hour}"))
                await evaluator.leave()
        await scene.move(0, at(70))
        await scene.evaluate(scene.evaluator("last"))
        assert_same(await scene.closed(PANE), scene.merged())
        found = await scene.reports()
        assert [report.end for report in found] == [at(hour) for hour in range(2, 71, 2)]
        assert [report.events for report in found] == [
            sum(hour + 1 for hour in range(max(0, end - 24), end)) for end in range(2, 71, 2)
        ]

    told(story)


def test_a_stop_between_storing_and_forgetting_the_notes_changes_nothing(told: Callable[[Story], None]) -> None:
    async def story(scene: Scene) -> None:
        await scene.count(0, at(0), events=5, clock=at(5))
        await scene.idle(1)
        first = scene.evaluator()

        async def killed(stream: Stream, notes: Sequence[Note]) -> None:
            raise asyncio.CancelledError

        first._desk.notes.forget = killed  # type: ignore[method-assign, assignment]
        with pytest.raises(asyncio.CancelledError):
            await scene.evaluate(first)
        await first.leave()
        said = await scene.outbox()
        second = await scene.evaluate(scene.evaluator("two"))
        await second.run_once()
        assert_same(await scene.closed(PANE), scene.merged())
        assert (await scene.outbox(), await scene.notes()) == (said, {0: 0, 1: 0})
        assert (await scene.redis.hget(scene.names.totals("m"), "predictions:events")) == b"5"

    told(story)


def test_a_zombie_that_writes_after_a_takeover_is_refused(told: Callable[[Story], None]) -> None:
    async def story(scene: Scene) -> None:
        await scene.count(0, at(0), events=5, clock=at(1))
        await scene.idle(1)
        zombie = await scene.evaluate(scene.evaluator("zombie"))
        tokens = [zombie.leases.token(shard_of("m"))]
        await scene.count(0, at(1), events=6, clock=at(2))

        async def taken_over() -> None:
            await scene.redis.delete(scene.names.lease(shard_of("m")))
            await scene.redis.delete(scene.names.workers)
            successor = await scene.evaluate(scene.evaluator("successor"))
            tokens.append(successor.leases.token(shard_of("m")))

        between(zombie, "notes", taken_over)
        await zombie.run_once()
        assert zombie.tally.fenced == 1
        assert zombie.leases.token(shard_of("m")) is None
        assert (await scene.evaluation())["token"] == str(tokens[1]).encode() > str(tokens[0]).encode()
        assert await scene.redis.get(scene.names.lease(shard_of("m"))) == b"successor"
        assert_same(await scene.closed(PANE), scene.merged())
        marks = [m.at for topic, m in await scene.outbox() if isinstance(m, Progress)]
        assert marks == [at(1), at(2)]

    told(story)


def test_shards_are_shared_fairly_and_given_back(told: Callable[[Story], None]) -> None:
    async def story(scene: Scene) -> None:
        one, two = scene.evaluator("one"), scene.evaluator("two")
        await one.tend()
        assert len(one.leases.tokens) == 64
        await two.tend()
        assert len(two.leases.tokens) == 0
        await one.tend()
        await two.tend()
        assert (len(one.leases.tokens), len(two.leases.tokens)) == (32, 32)
        assert set(one.leases.tokens) | set(two.leases.tokens) == set(range(64))
        await one.leave()
        await two.tend()
        assert len(two.leases.tokens) == 64

    told(story)


def test_a_damaged_pane_stops_its_model_alone_and_is_said_once(
    told: Callable[[Story], None], caplog: pytest.LogCaptureFixture
) -> None:
    async def story(scene: Scene) -> None:
        await scene.apply({name: reference(name) for name in ("m", "other")})
        for model in ("m", "other"):
            await scene.count(0, at(0), events=5, clock=at(1), model=model)
        await scene.idle(1)
        block = scene.names.panes("predictions", 0, model="m", layout=scene.layouts["m"].hash, block=at(0))
        await scene.redis.hset(block, str(at(0)), b"\x07damaged")
        evaluator = await scene.evaluate()
        await evaluator.run_once()
        assert await scene.closed(PANE, model="m") == {}
        assert_same(await scene.closed(PANE, model="other"), scene.merged(model="other"))
        assert evaluator.tally.failed == 1
        assert sum("model 'm' cannot be evaluated" in record.message for record in caplog.records) == 1

    told(story)


def test_after_a_loss_windows_say_that_they_are_warming_until_they_lie_behind_it(told: Callable[[Story], None]) -> None:
    async def story(scene: Scene) -> None:
        for hour in range(26):
            await scene.count(0, at(hour), events=10, clock=at(hour))
        await scene.move(1, at(26))
        await scene.move(0, at(26))
        evaluator = await scene.evaluate()
        assert (await scene.reports())[-1].state != "warming"
        await scene.redis.hset(scene.names.offset("predictions", 0), "state", "warming")
        for hour in range(26, 60):
            await scene.count(0, at(hour), events=10, clock=at(hour + 1))
            await scene.move(1, at(hour + 1))
            await evaluator.run_once()
        warming = [report.end for report in await scene.reports() if report.state == "warming" and report.end > at(24)]
        assert (warming[0], warming[-1]) == (at(28), at(50))
        assert await scene.redis.hget(scene.names.offset("predictions", 0), "state") is None

    told(story)


def test_a_new_reference_begins_its_windows_anew(told: Callable[[Story], None]) -> None:
    async def story(scene: Scene) -> None:
        for hour in range(30):
            await scene.count(0, at(hour), events=10, clock=at(hour))
        await scene.idle(1)
        evaluator = await scene.evaluate()
        old = scene.layouts["m"].hash
        await scene.apply({"m": reference(temp=numeric(0.0, 5.0, 20.0))}, clock_ms=at(29))
        new = scene.layouts["m"].hash
        assert new != old
        scene.layouts["m"], switched = scene.layouts["m"], at(30)
        for hour in range(30, 60):
            await scene.count(0, at(hour), events=1, clock=at(hour))
        await evaluator.run_once()
        assert [int(p.cells[1]) for p in (await scene.closed(PANE)).values()] == [1] * 29
        last = (await scene.reports())[-1]
        assert (last.layout, last.events) == (new, 24)
        states = {report.end: report.state == "warming" for report in await scene.reports()}
        assert [end for end, warming in states.items() if warming and end > at(24)] == [
            end for end in states if switched < end < switched + 24 * HOUR
        ]

    told(story)
