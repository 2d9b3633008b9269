"""What another configuration does to a comparison of serving and feature store: withdrawn, switched on, begun anew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from tests.support.evaluation import HOUR, START
from tests.support.skewed import OTHER, SHORT, Sides, Story, at, hours, said, sides, with_temp


@pytest.mark.parametrize("how", ["off", "feature"])
def test_what_is_not_compared_any_more_is_withdrawn(told_of_both: Callable[[Story], None], how: str) -> None:
    async def story(found: Sides) -> None:
        await hours(found, range(8), served=OTHER)
        evaluator = await found.evaluate()
        features = with_temp(skew="off")
        if how == "feature":
            del features["temp"]
        await found.apply(clock_ms=at(8), features=features, **SHORT)
        await evaluator.run_once()
        if how == "feature":  # a layout comes into force with the next pane
            for scene in (found.served, found.store):
                for partition in (0, 1):
                    await scene.move(partition, at(12))
            await evaluator.run_once()
        assert [state for _, state, _ in said(await found.findings())][-2:] == ["firing", "removed"]
        await evaluator.run_once()
        assert [state for _, state, _ in said(await found.findings())].count("removed") == 1

    told_of_both(story)


def test_what_is_switched_on_later_begins_where_it_is(redis_url: str, environment_name: str) -> None:
    async def story() -> None:
        async with sides(redis_url, environment_name, features=with_temp(skew="off"), **SHORT) as found:
            await hours(found, range(8), served=OTHER)
            evaluator = await found.evaluate()
            assert [dict(report.features) for report in await found.reports()] == [{}] * 4
            await found.apply(features=with_temp(skew=0.2), **SHORT)
            await hours(found, range(8, 10), served=OTHER)
            await evaluator.run_once()
            [finding] = await found.findings()
            assert (finding.at, finding.threshold, finding.severity) == (at(10), 0.2, "P3")

    asyncio.run(story())


def test_a_new_layout_begins_windows_anew(told_of_both: Callable[[Story], None]) -> None:
    async def story(found: Sides) -> None:
        await hours(found, range(5), served=OTHER)
        evaluator = await found.evaluate()
        await hours(found, range(5, 7), served=OTHER)
        features = dict(with_temp())
        del features["gust"]
        await found.apply(clock_ms=at(7), features=features, **SHORT)
        await hours(found, range(8, 16), served=OTHER)
        await evaluator.run_once()
        ends = {(report.end - START) / HOUR: report.state for report in await found.reports()}
        assert ends == {
            2: "warming",
            4: "drift",
            6: "drift",
            8: "drift",
            10: "warming",
            12: "drift",
            14: "drift",
            16: "drift",
        }

    told_of_both(story)


def test_by_what_is_compared_is_stored_before_a_window_of_it_ends(told_of_both: Callable[[Story], None]) -> None:
    """So whoever goes on tells its windows from those of a layout that comes into force again."""

    async def story(found: Sides) -> None:
        await hours(found, range(6))
        evaluator = await found.evaluate()
        old = [dict(scene.layouts) for scene in (found.served, found.store)]
        features = {name: one for name, one in with_temp().items() if name != "gust"}
        await found.apply(clock_ms=at(6.5), features=features, **SHORT)  # in force from eight
        new = [scene.layouts["m"].hash for scene in (found.served, found.store)]
        for scene, layouts in zip((found.served, found.store), old, strict=True):
            scene.layouts = layouts
        await hours(found, range(6, 8))
        await evaluator.run_once()
        assert [(report.end - START) / HOUR for report in await found.reports()] == [2, 4, 6, 8]
        scene = found.served
        last, layout = await cast(
            "Any", scene.redis.hmget(scene.names.evaluation("m", "skew"), ("last", "layout"))
        )  # fmt: skip
        assert (int(last), layout.decode()) == (at(8), ":".join(new))

    told_of_both(story)
