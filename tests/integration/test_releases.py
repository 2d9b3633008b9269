"""Releases on a real Redis: a stand-in router obeys what evaluation decides, whoever evaluates and however often it looks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from schemas.release import ReleaseMonitor
from stream.evaluate.releases.walk import Judging
from tests.support.models import HOUR, numeric, reference
from tests.support.released_live import RELEASE, Site, said, site

Story = Callable[[Site], Awaitable[None]]
GOOD = [
    (1, "begin", 0.05, ("begun",)),
    (2, "promote", 0.10, ("healthy",)),
    (3, "promote", 0.25, ("healthy",)),
    (4, "promote", 0.50, ("healthy",)),
    (5, "promote", 1.0, ("healthy",)),
    (6, "complete", 1.0, ("healthy",)),
]


@pytest.fixture
def told(redis_url: str, environment_name: str) -> Callable[[Story], None]:
    async def run(story: Story) -> None:
        async with site(redis_url, environment_name) as found:
            await story(found)

    return lambda story: asyncio.run(run(story))


def test_a_good_version_is_complete_after_an_hour_at_each_share(told: Callable[[Story], None]) -> None:
    async def story(found: Site) -> None:
        evaluator = found.scene.evaluator()
        await found.routed(8, errors=0.01, evaluator=evaluator)
        assert said(found.told) == GOOD
        assert await found.findings() == []
        shown = await found.shown()
        assert (shown["state"], shown["share"], shown["challenger"], shown["decision"]) == (
            "complete", "1", "4", "complete",
        )  # fmt: skip

    told(story)


def test_a_bad_version_at_ten_per_cent_is_rolled_back_after_an_hour_and_found_until_another_is_named(
    told: Callable[[Story], None],
) -> None:
    async def story(found: Site) -> None:
        evaluator = found.scene.evaluator()
        await found.routed(2, errors=0.01, evaluator=evaluator)
        assert found.share == 0.10
        await found.routed(2, errors=0.20, evaluator=evaluator)
        assert said(found.told)[2:] == [(3, "roll_back", 0.0, ("errors", "worse_success"))]
        (finding,) = await found.findings()
        assert (finding.state, finding.severity, finding.subject, finding.refresh_by) == (
            "firing",
            "P2",
            "model:m",
            None,
        )
        assert finding.evidence["challenger"] == "4"
        assert (await found.shown())[
            "why"
        ] == "errors: 0.2 of 1000 beside a limit of 0.05; success: -0.19 beside the champion"
        await found.apply(ReleaseMonitor(champion="3", challenger="5"))
        await found.routed(3, errors=0.01, evaluator=evaluator)
        assert said(found.told)[3:] == [
            (5, "begin", 0.05, ("begun",)),
            (6, "promote", 0.10, ("healthy",)),
            (7, "promote", 0.25, ("healthy",)),
        ]
        assert [one.state for one in await found.findings()] == ["firing", "ok"]

    told(story)


@pytest.mark.parametrize("every", [1, 3, 100])
def test_the_same_hours_give_the_same_decisions_however_often_they_are_looked_at(
    redis_url: str, environment_name: str, every: int
) -> None:
    shares = (0.0, 0.05, 0.10, 0.25, 0.50, 0.50)

    async def replayed() -> tuple[list[tuple[int, str, float, tuple[str, ...]]], list[int]]:
        async with site(redis_url, environment_name) as found:
            evaluator = found.scene.evaluator()
            for hour, share in enumerate(shares):
                own = round(10_000 * share)
                await found.answered((10_000 - own, 100), (own, own // (5 if hour == 5 else 100)))
                if hour % every == 0:
                    await found.evaluate(evaluator)
                    await evaluator.leave()  # whoever goes on, knows where it stands
                    evaluator = found.scene.evaluator(f"worker-{hour}")
            await found.evaluate(evaluator)
            return said(found.told), await found.marks()

    decisions, marks = asyncio.run(replayed())
    assert [one[:3] for one in decisions] == [
        (1, "begin", 0.05),
        (2, "promote", 0.10),
        (3, "promote", 0.25),
        (4, "promote", 0.50),
        (5, "promote", 1.0),
        (6, "roll_back", 0.0),
    ]
    assert decisions[-1][3] == ("errors", "worse_success")
    assert marks[-1] == 7


def test_a_release_that_the_file_names_no_more_is_rolled_back_and_forgotten(told: Callable[[Story], None]) -> None:
    async def story(found: Site) -> None:
        evaluator = found.scene.evaluator()
        await found.routed(2, errors=0.01, evaluator=evaluator)
        await found.apply(None)
        await found.routed(3, errors=0.01, evaluator=evaluator)
        assert said(found.told)[2:] == [(3, "roll_back", 0.0, ("removed",))]
        assert (await found.shown())["state"] == "none"
        assert await found.findings() == []

    told(story)


def test_versions_that_are_swapped_midway_are_rolled_back_and_the_file_is_refused(
    told: Callable[[Story], None],
) -> None:
    async def story(found: Site) -> None:
        evaluator = found.scene.evaluator()
        await found.routed(2, errors=0.01, evaluator=evaluator)
        await found.apply(ReleaseMonitor(champion="4", challenger="3"))
        await found.routed(3, errors=0.01, evaluator=evaluator)
        assert said(found.told)[-1][1:] == ("roll_back", 0.0, ("swapped",))
        shown = await found.shown()
        assert shown["state"] == "refused"
        assert shown["why"].startswith("champion '4' is the challenger of a release that is not complete")

    told(story)


def test_a_window_that_another_reference_cuts_short_promotes_nobody(told: Callable[[Story], None]) -> None:
    async def story(found: Site) -> None:
        release, evaluator = RELEASE.model_copy(update={"every_ms": 3 * HOUR}), found.scene.evaluator()
        await found.apply(release)
        await found.routed(7, errors=0.01, evaluator=evaluator)
        before = dict(found.scene.layouts)
        await found.apply(release, references={"m": reference(temp=numeric(0.0, 5.0, 20.0))})  # from eight on
        after, found.scene.layouts = found.scene.layouts, before
        await found.routed(1, errors=0.01, evaluator=evaluator)
        found.scene.layouts = after
        await found.routed(5, errors=0.01, evaluator=evaluator)
        assert said(found.told) == [
            (3, "begin", 0.05, ("begun",)),
            (6, "promote", 0.10, ("healthy",)),
            (8, "hold", 0.10, ("settling",)),  # from six, and so has the one from eight to nine
            (12, "promote", 0.25, ("healthy",)),
        ]

    told(story)


def test_what_comes_late_changes_no_decision(told: Callable[[Story], None]) -> None:
    async def story(found: Site) -> None:
        evaluator = found.scene.evaluator()
        await found.routed(3, errors=0.01, evaluator=evaluator)
        before = list(found.told)
        found.hour -= 1  # the last hour again, worse
        await found.answered((9_500, 95), (500, 500))
        await found.evaluate(evaluator)
        assert found.told == before
        totals = await found.scene.redis.hgetall(found.scene.names.totals("m"))
        assert not [field for field in totals if b"champion" in field]
        assert await found.scene.notes() == {0: 0, 1: 0}

    told(story)


def test_of_a_model_without_a_release_nothing_is_written(redis_url: str, environment_name: str) -> None:
    async def story() -> None:
        async with site(redis_url, environment_name) as found:
            await found.apply(None)
            await found.routed(3, errors=0.0, evaluator=found.scene.evaluator())
            assert await found.shown() == {}
            assert await found.scene.redis.exists(found.scene.names.evaluation("m", "release")) == 0

    asyncio.run(story())


def test_a_worker_that_ends_before_it_stored_leaves_the_decision_to_the_next(
    told: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object, **__: object) -> str:
        raise OSError("killed")

    async def story(found: Site) -> None:
        first = found.scene.evaluator()
        await found.routed(2, errors=0.01, evaluator=first)
        await first.leave()
        before, second = found.told, found.scene.evaluator("two")
        await found.scene.evaluate(second)
        with monkeypatch.context() as patched:
            patched.setattr(Judging, "_store", lost)
            await found.routed(1, errors=0.01, evaluator=second)
        assert found.told == before
        await second.leave()
        await found.evaluate(found.scene.evaluator("three"))
        assert said(found.told)[len(before) :] == [(3, "promote", 0.25, ("healthy",))]

    told(story)
