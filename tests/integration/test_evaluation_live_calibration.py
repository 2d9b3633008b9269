"""A reference without time order: the stream's own panes calibrate, alike whoever evaluates and however often."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np

from detectors.profile import build_reference
from schemas.monitored import BudgetMonitor, FeatureMonitor
from schemas.reports import Report
from tests.support.evaluation import DAY, HOUR, START, Scene, opened
from tests.support.judged import counted

ROWS, DAYS = 20, 24
#: Days of the stream from which on ``temp`` is half an sd too warm.
WARM = 22


async def begun(scene: Scene) -> None:
    """A model whose file of rows has no times, judged once a day."""
    await scene.apply(
        {"m": build_reference("m", {"temp": np.random.default_rng(1).normal(50.0, 10.0, 20_000)})},
        step_ms=DAY, features={"temp": FeatureMonitor(type="numeric")}, budget=BudgetMonitor(),
    )  # fmt: skip


async def counted_days(scene: Scene, days: Sequence[int], *, late: int = 0) -> None:
    layout, panes = scene.layouts["m"], []
    for hour in range(days[0] * 24, (days[-1] + 1) * 24):
        start = START + hour * HOUR
        temp = np.random.default_rng(hour).normal(55.0 if hour >= WARM * 24 else 50.0, 10.0, ROWS + late)
        scene.held[0, layout.hash, start] = counted(layout, {"temp": temp}, late=late)
        panes.append((layout, start))
    ends = [START + (days[-1] + 1) * DAY, *(start + HOUR for _, _, start in scene.held)]
    await scene.checkpoint(0, {"clock": max(ends), "idle": 0}, panes)


def by_day(found: Sequence[Report]) -> dict[int, tuple[str, str, int | None]]:
    """By the day at whose end a window ends: its state, what calibrated it, and from when on it will be."""

    def convention(report: Report) -> str:
        measures = report.features["temp"].measures
        return measures["drift"].convention if "drift" in measures else "psi"

    return {
        (one.end - START) // DAY: (one.features["temp"].state, convention(one), one.calibrated_from) for one in found
    }


def test_from_the_first_stretch_on_windows_are_calibrated_live_and_after_restarts_alike(
    redis_url: str, environment_name: str
) -> None:
    async def story(name: str, *parts: Sequence[int]) -> list[Report]:
        async with opened(redis_url, name, partitions=1) as scene:
            await begun(scene)
            for days in parts:
                await counted_days(scene, days)
                await (await scene.evaluate()).leave()
            return await scene.reports()

    once = asyncio.run(story(environment_name, range(DAYS)))
    first = START + 21 * DAY
    assert by_day(once) == {
        **dict.fromkeys(range(1, 21), ("ok", "psi", first)),
        **dict.fromkeys((21, 22), ("ok", "calibrated live", None)),
        **dict.fromkeys((23, 24), ("drift", "calibrated live", None)),
    }
    assert [one.features["temp"].measures["psi"].threshold for one in once[-5:]] == [0.25, None, None, None, None]
    parts = (range(10), range(10, 21), range(21, 23), range(23, DAYS))
    assert asyncio.run(story(f"{environment_name}-again", *parts)) == once


def test_late_events_of_the_stretch_calibrate_anew_whoever_evaluates(redis_url: str, environment_name: str) -> None:
    async def story(name: str, *, restart: bool) -> list[Report]:
        async with opened(redis_url, name, partitions=1) as scene:
            await begun(scene)
            await counted_days(scene, range(22))
            evaluator = await scene.evaluate()
            await counted_days(scene, [3], late=5)
            await scene.evaluate(evaluator)
            await counted_days(scene, range(22, DAYS))
            if restart:
                await evaluator.leave()
                evaluator = scene.evaluator()
            await scene.evaluate(evaluator)
            reports = await scene.reports()
            again = [one for one in reports if one.late]  # the window of the late day begins before the stretch is over
            assert by_day(again) == {4: ("ok", "psi", START + 21 * DAY)}
            return reports[-2:]

    kept = asyncio.run(story(environment_name, restart=False))
    assert asyncio.run(story(f"{environment_name}-again", restart=True)) == kept
