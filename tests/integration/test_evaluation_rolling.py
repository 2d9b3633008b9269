"""Rolling columns on a real Redis: the week before is read from closed panes, stored or of the batch at hand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from detectors.seasonal import hours_of_week
from schemas.findings import Finding
from schemas.monitored import FeatureMonitor
from schemas.reports import Column, Report
from tests.support.evaluation import DAY, HOUR, START, Scene, opened
from tests.support.judged import counted

PANE, DAYS = 12 * HOUR, 16
#: From this day on the fleet is a quarter of what it was.
SMALL = 12


async def count_days(scene: Scene, days: Sequence[int]) -> None:
    layout, panes = scene.layouts["m"], []
    for pane in range(days[0] * 2, (days[-1] + 1) * 2):
        buckets = np.random.default_rng(pane).integers(0, 16 if pane >= SMALL * 2 else 64, 300)
        scene.held[0, layout.hash, START + pane * PANE] = counted(layout, {"tail": [f"#{one}" for one in buckets]})
        panes.append((layout, START + pane * PANE))
    await scene.checkpoint(0, {"clock": panes[-1][1] + PANE, "idle": 0}, panes)


@pytest.mark.parametrize("at_once", [DAYS, 3], ids=["at once", "with restarts"])
def test_a_day_is_held_against_that_of_the_week_before(redis_url: str, environment_name: str, at_once: int) -> None:
    async def story() -> dict[int, Column]:
        async with opened(redis_url, environment_name, partitions=1) as scene:
            rolling = FeatureMonitor(type="categorical", hash=True, reference="rolling")
            await scene.apply(pane_ms=PANE, step_ms=DAY, features={"tail": rolling})
            for first in range(0, DAYS, at_once):
                await count_days(scene, range(first, min(first + at_once, DAYS)))
                await (await scene.evaluate()).leave()
            return {(one.start - START) // DAY: one.features["tail"] for one in await scene.reports()}

    found = asyncio.run(story())
    assert {day: column.state for day, column in found.items()} == {
        **dict.fromkeys(range(7), "warming"),
        **dict.fromkeys(range(7, SMALL), "ok"),
        **dict.fromkeys(range(SMALL, DAYS), "drift"),
    }
    held = [column for day, column in found.items() if day >= 7]
    assert {column.n_reference for column in held} == {600}
    assert {column.measures["psi"].convention for column in held} == {"driftline, same hours a week before"}
    assert max(column.measures["psi"].value or 0.0 for column in held[: SMALL - 7]) < 0.1


ZONE = "America/New_York"
#: A Saturday, eight days before the clocks of New York went forward (10 March 2013, 07:00 UTC).
MARCH = 1_362_182_400_000
CHANGED = MARCH + 8 * DAY + 7 * HOUR


async def count_hours(scene: Scene, hours: range, *, growth: int = 0) -> None:
    """Each hour of people's day has a fleet of its own, and ``growth`` more rows than the hour before."""
    layout, panes = scene.layouts["m"], []
    for hour in hours:
        start = MARCH + hour * HOUR
        fleet = int(hours_of_week([start], zone=ZONE)[0]) % 24
        rows = {"tail": [f"#{2 * fleet + one % 2}" for one in range(200 + growth * hour)]}
        scene.held[0, layout.hash, start] = counted(layout, rows)
        panes.append((layout, start))
    await scene.checkpoint(0, {"clock": panes[-1][1] + HOUR, "idle": 0}, panes)


@pytest.mark.parametrize(("zone", "after"), [(ZONE, "ok"), ("UTC", "drift")])
def test_the_same_hours_are_those_of_the_models_clocks(
    redis_url: str, environment_name: str, zone: str, after: str
) -> None:
    async def story() -> list[Report]:
        async with opened(redis_url, environment_name, partitions=1) as scene:
            rolling = FeatureMonitor(type="categorical", hash=True, reference="rolling")
            windows = {"hour": HOUR, "day": DAY}
            await scene.apply(windows=windows, step_ms=HOUR, timezone=zone, features={"tail": rolling})
            for first in range(0, 9 * 24, 72):
                await count_hours(scene, range(first, first + 72))
                await (await scene.evaluate()).leave()
            return await scene.reports("hour")

    found = {one.start: one.features["tail"] for one in asyncio.run(story())}
    held = {start: column for start, column in found.items() if start >= MARCH + 7 * DAY + HOUR}
    assert {column.n_reference for column in held.values()} == {200}
    assert {column.state for start, column in held.items() if start < CHANGED} == {"ok"}
    assert {column.state for start, column in held.items() if start >= CHANGED} == {after}


def test_days_are_whole_where_clocks_have_changed(redis_url: str, environment_name: str) -> None:
    """Rows of days begin at midnight in UTC, and the earlier window an hour later: it is a sum of hours then."""

    async def story() -> dict[int, int]:
        async with opened(redis_url, environment_name, partitions=1) as scene:
            rolling = FeatureMonitor(type="categorical", hash=True, reference="rolling")
            await scene.apply(step_ms=DAY, timezone=ZONE, features={"tail": rolling})
            await count_hours(scene, range(11 * 24), growth=1)
            await scene.evaluate()
            return {(one.start - MARCH) // DAY: one.earlier for one in await scene.reports()}

    found = asyncio.run(story())
    # Days after the change begin an hour earlier by UTC than the one of a week before; the 10th itself began before it.
    begins = {7: 0, 8: 24, 9: 49, 10: 73}
    assert {day: found[day] for day in begins} == {
        day: sum(200 + hour for hour in range(begin, begin + 24)) for day, begin in begins.items()
    }


#: A day whose events come late, and the one that is held against it, the newest.
SHORT, HELD = 3, 10


async def count_short(scene: Scene, *, rows: int) -> None:
    """Of the short day so many rows a pane of a full fleet, after as many of a small one as the other days have."""
    layout = scene.layouts["m"]
    panes = [START + SHORT * DAY + at * PANE for at in range(2)]
    for pane in panes:
        random = np.random.default_rng(pane)
        buckets = [*random.integers(0, 8, 300), *random.integers(0, 64, rows)]
        scene.held[0, layout.hash, pane] = counted(layout, {"tail": [f"#{one}" for one in buckets]}, late=0)
    await scene.checkpoint(0, {"idle": 0}, [(layout, pane) for pane in panes])


def story_of(redis_url: str, environment: str, *, late: bool) -> tuple[list[Report], list[Finding]]:
    async def story() -> tuple[list[Report], list[Finding]]:
        async with opened(redis_url, environment, partitions=1) as scene:
            rolling = FeatureMonitor(type="categorical", hash=True, reference="rolling")
            await scene.apply(pane_ms=PANE, step_ms=DAY, features={"tail": rolling}, revise_within_ms=30 * DAY)
            await count_days(scene, range(SHORT + 1))
            await count_short(scene, rows=0 if late else 9_000)
            await count_days(scene, range(SHORT + 1, HELD + 1))
            evaluator = await scene.evaluate()
            if late:
                await count_short(scene, rows=9_000)
                await scene.evaluate(evaluator)
            messages = [message for topic, message in await scene.outbox() if topic == "findings"]
            return await scene.reports(), [one for one in messages if isinstance(one, Finding)]

    return asyncio.run(story())


def test_a_late_event_revises_the_report_that_is_held_against_its_window(redis_url: str, environment_name: str) -> None:
    reports, findings = story_of(redis_url, environment_name, late=True)
    told = [(one.features["tail"].state, one.events, one.earlier) for one in reports if one.start == START + HELD * DAY]
    assert told == [("drift", 600, 600), ("ok", 600, 18_600)]
    assert [(one.state, one.rev) for one in findings if one.rule == "psi"] == [
        ("firing", (START + (HELD + 1) * DAY, 1_200)), ("ok", (START + (HELD + 1) * DAY, 19_200))
    ]  # fmt: skip
    # Each day once, and those that the late events touch once more: the day itself, and the newest.
    days = [(one.start - START) // DAY for one in reports]
    assert days == [*range(HELD + 1), SHORT, HELD]


def test_in_the_end_the_reports_are_those_of_events_in_time(redis_url: str, environment_name: str) -> None:
    late, in_time = (
        {one.start: one for one in story_of(redis_url, f"{environment_name}{late}", late=late)[0]}
        for late in (True, False)
    )
    assert {start: (one.features, one.events, one.earlier) for start, one in late.items()} == {
        start: (one.features, one.events, one.earlier) for start, one in in_time.items()
    }


def test_from_rolling_to_fixed_and_back_nothing_is_left_firing_and_nothing_warms_up(
    redis_url: str, environment_name: str
) -> None:
    async def story() -> tuple[list[Report], list[Finding]]:
        async with opened(redis_url, environment_name, partitions=1) as scene:
            rolling, fixed = (
                FeatureMonitor(type="categorical", hash=True, reference=kind) for kind in ("rolling", "fixed")
            )
            evaluator = scene.evaluator()
            for monitored, days in ((rolling, range(13)), (fixed, range(13, 15)), (rolling, range(15, DAYS))):
                await scene.apply(pane_ms=PANE, step_ms=DAY, features={"tail": monitored})
                await count_days(scene, days)
                await scene.evaluate(evaluator)
            messages = [message for topic, message in await scene.outbox() if topic == "findings"]
            return await scene.reports(), [one for one in messages if isinstance(one, Finding)]

    reports, findings = asyncio.run(story())
    states = [one.features["tail"].state for one in reports]
    assert states == [*["warming"] * 7, *["ok"] * 5, "drift", "no_reference", "no_reference", "drift"]
    end = START + 13 * DAY
    assert [(one.rule, one.state, one.at) for one in findings] == [
        ("psi", "firing", end), ("psi", "removed", end), ("psi", "firing", START + DAYS * DAY)
    ]  # fmt: skip
