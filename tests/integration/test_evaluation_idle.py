"""Panes are not closed past what idle partitions vouch for: their traffic may be back, and not counted yet."""

from __future__ import annotations

from collections.abc import Callable

from stream.evaluate.panes.tiers import tiers_of
from stream.state.clock import read_now
from stream.state.layout import EVENTS
from tests.support.evaluation import HOUR, START, Scene, Story

PANE, _ = tiers_of(HOUR)


def at(hour: float) -> int:
    return START + int(hour * HOUR)


async def idle_as_of(scene: Scene, partition: int, at_ms: int) -> None:
    await scene.checkpoint(partition, {"idle": 1, "idle_ms": at_ms}, [])


async def last(scene: Scene) -> bytes | None:
    return (await scene.evaluation()).get("last")


def test_what_returned_before_it_was_looked_at_again_is_in_the_pane_when_it_closes(
    told: Callable[[Story], None],
) -> None:
    async def story(scene: Scene) -> None:
        await scene.count(0, at(0), events=5, clock=at(30))
        await idle_as_of(scene, 1, 1)
        evaluator = await scene.evaluate()
        assert await scene.closed(PANE) == {}
        await scene.count(1, at(0), events=2, clock=at(30))
        await evaluator.run_once()
        assert int((await scene.closed(PANE))[at(0)].cells[EVENTS]) == 7

    told(story)


def test_what_was_counted_when_nothing_was_left_to_read_is_closed(told: Callable[[Story], None]) -> None:
    async def story(scene: Scene) -> None:
        await scene.count(0, at(0), events=5, clock=at(30))
        await idle_as_of(scene, 1, await read_now(scene.redis, scene.names) - 1)
        evaluator = await scene.evaluate()
        assert await last(scene) is None
        await idle_as_of(scene, 1, await read_now(scene.redis, scene.names) + 60_000)
        await evaluator.run_once()
        assert await last(scene) == str(at(30)).encode()

    told(story)
