"""Evaluation on a real Redis: closed panes are exactly what was counted, whatever happens in between."""

from __future__ import annotations

from collections.abc import Callable

from schemas.findings import Progress
from schemas.reports import encode
from stream.evaluate.panes.tiers import tiers_of
from tests.support.evaluation import DAY, HOUR, START, Scene, Story, assert_same

PANE, DAYS = tiers_of(HOUR)


def at(hours: float) -> int:
    return START + int(hours * HOUR)


def test_a_pane_is_closed_when_every_partition_has_passed_it(told: Callable[[Story], None]) -> None:
    async def story(scene: Scene) -> None:
        await scene.count(0, at(0), events=5, clock=at(1.5))
        evaluator = await scene.evaluate()
        assert await scene.closed(PANE) == {}
        await scene.count(1, at(0), events=7, clock=at(0.99))
        await scene.evaluate(evaluator)
        assert await scene.closed(PANE) == {}
        await scene.move(1, at(1))
        await scene.evaluate(evaluator)
        assert_same(await scene.closed(PANE), scene.merged())
        assert (await scene.evaluation())["last"] == str(at(1)).encode()
        assert await scene.outbox() == [("findings", Progress(model="m", stream="predictions", at=at(1), seen=at(1)))]
        assert await scene.notes() == {0: 0, 1: 0}

    told(story)


def test_a_partition_that_nobody_has_read_holds_everything_back(told: Callable[[Story], None]) -> None:
    async def story(scene: Scene) -> None:
        scene.partitions = 3
        for partition in (0, 1):
            await scene.count(partition, at(0), events=5, clock=at(9))
        evaluator = await scene.evaluate()
        assert await scene.closed(PANE) == {}
        await scene.take(2)
        await scene.idle(2)
        await scene.evaluate(evaluator)
        assert_same(await scene.closed(PANE), scene.merged())

    told(story)


def test_windows_are_judged_at_each_multiple_of_the_step(told: Callable[[Story], None]) -> None:
    async def story(scene: Scene) -> None:
        evaluator = scene.evaluator()
        for hour in range(60):
            await scene.count(hour % 2, at(hour), events=hour + 1, clock=at(hour))
        await scene.move(0, at(60))
        await scene.move(1, at(60.5))
        await scene.evaluate(evaluator)
        found = await scene.reports()
        assert [report.end for report in found] == [at(hour) for hour in range(2, 61, 2)]
        assert [report.events for report in found] == [
            sum(hour + 1 for hour in range(max(0, end - 24), end)) for end in range(2, 61, 2)
        ]
        assert [report.start for report in found] == [report.end - DAY for report in found]
        assert [report.state == "warming" for report in found] == [end < 24 for end in range(2, 61, 2)]
        assert [told for topic, told in await scene.outbox() if topic == "drift-reports"] == found
        shown = await scene.redis.hgetall(scene.names.report("m", "day"))
        assert (shown[b"end"], shown[b"document"]) == (str(at(60)).encode(), encode(found[-1]))
        assert_same(await scene.closed(PANE), scene.merged())
        days = await scene.closed(DAYS)
        assert [int(row.cells[1]) for row in days.values()] == [
            sum(range(1, 25)), sum(range(25, 49)), sum(range(49, 61))
        ]  # fmt: skip

    told(story)
