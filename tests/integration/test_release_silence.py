"""A stream that falls silent in the middle of a release: harm that the others make certain is not waited for, all else is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from schemas.releases import Decision
from stream.evaluate.evaluator import Evaluator
from stream.state.columns import layouts_of
from tests.support import models
from tests.support.evaluation import HOUR, START, Scene, monitor
from tests.support.released_live import RELEASE, Site, said, site

RATED = RELEASE.model_copy(update={"ratings": "labels"})
#: What both versions answered of ten thousand requests, and what the bad one fails.
GOOD, BAD = ((9_000, 90), (1_000, 10)), ((9_000, 90), (1_000, 500))
BEGUN = [(1, "begin", 0.05, ("begun",)), (2, "promote", 0.10, ("healthy",))]
BACK = (4, "roll_back", 0.0, ("errors",))
Story = Callable[[Site, Scene], Awaitable[list[Decision]]]
#: Tells a story, and says what was decided in it.
Told = Callable[[Story], list[tuple[int, str, float, tuple[str, ...]]]]


@pytest.fixture
def told(redis_url: str, environment_name: str) -> Told:
    async def run(story: Story) -> list[Decision]:
        async with site(redis_url, environment_name) as found:
            found.scene.beside["labels"] = 1
            await found.apply(RATED)
            return await story(found, await labels_beside(found))

    return lambda story: said(asyncio.run(run(story)))


async def labels_beside(found: Site) -> Scene:
    """The stream of labels: a pane in the first hour, then only what moves its clock."""
    labels = Scene(found.scene.redis, found.scene.names, 1, "labels")
    reference = models.reference()
    labels.layouts["m"] = layouts_of("m", monitor(release=RATED), reference, digest=reference.hash)["labels"]
    await labels.take(0)
    await labels.count(0, START, events=10, clock=START + HOUR)
    return labels


async def begun(found: Site, labels: Scene) -> Evaluator:
    """Two hours of both streams: the challenger has a tenth; then an hour without labels; who evaluates them."""
    evaluator = found.scene.evaluator()
    await found.answered((10_000, 100), (0, 0))
    await found.answered((9_500, 95), (500, 5))
    await labels.move(0, START + 2 * HOUR)
    await found.answered(*GOOD)
    return evaluator


def test_a_version_that_is_bad_while_labels_are_silent_is_rolled_back_after_two_windows(
    told: Told,
) -> None:
    async def story(found: Site, labels: Scene) -> list[Decision]:
        evaluator = await begun(found, labels)
        await labels.idle(0)
        await found.answered(*BAD)
        await found.evaluate(evaluator)
        assert said(found.told) == BEGUN  # a whole window is waited for: labels may only be slow
        await found.answered(*BAD)
        await found.evaluate(evaluator)
        (finding,) = await found.findings()
        assert (finding.state, finding.evidence["why"]) == ("firing", "errors: 0.5 of 1000 beside a limit of 0.05")
        assert (await found.shown())["judged_to"] == str(START + 4 * HOUR)
        await labels.move(0, START + 6 * HOUR)  # what comes now changes nothing
        await found.answered(*GOOD)
        await found.evaluate(found.scene.evaluator("two"))
        return found.told

    assert told(story) == [*BEGUN, BACK]


@pytest.mark.parametrize("every", [1, 2, 3])
def test_it_is_the_same_however_often_and_by_whom_it_is_looked_at(told: Told, every: int) -> None:
    async def story(found: Site, labels: Scene) -> list[Decision]:
        await begun(found, labels)
        await labels.idle(0)
        for hour, answered in enumerate((BAD, BAD, BAD), start=1):
            await found.answered(*answered)
            if hour % every == 0:
                evaluator = found.scene.evaluator(f"worker-{hour}")
                await found.evaluate(evaluator)
                await evaluator.leave()
        await found.evaluate(found.scene.evaluator("last"))
        return found.told

    assert told(story) == [*BEGUN, BACK]


def test_labels_that_are_only_not_read_yet_are_waited_for(
    told: Told,
) -> None:
    async def story(found: Site, labels: Scene) -> list[Decision]:
        evaluator = await begun(found, labels)
        for _ in range(3):
            await found.answered(*BAD)
        await found.evaluate(evaluator)
        assert said(found.told) == BEGUN
        await labels.move(0, START + 6 * HOUR)
        await found.evaluate(evaluator)
        return found.told

    assert [one[:2] for one in told(story)[2:]] == [(3, "promote"), (4, "roll_back")]


def test_a_good_version_goes_no_further_without_labels_and_on_with_them(
    told: Told,
) -> None:
    async def story(found: Site, labels: Scene) -> list[Decision]:
        evaluator = await begun(found, labels)
        await labels.idle(0)
        for _ in range(3):
            await found.answered(*GOOD)
            await found.evaluate(evaluator)
        assert said(found.told) == BEGUN
        await labels.move(0, START + 3 * HOUR)
        await found.evaluate(evaluator)
        return found.told

    assert told(story) == [*BEGUN, (3, "promote", 0.25, ("healthy",))]
