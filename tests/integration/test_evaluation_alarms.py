"""The sums of expected false alarms and of alarms that began: each judgement counts once, whoever makes it, revised or not."""

from __future__ import annotations

import asyncio
from typing import cast

import numpy as np
import pytest

from detectors.budget.division import MONTH_MS
from detectors.profile import build_reference, panes_of
from schemas.monitored import BudgetMonitor, FeatureMonitor
from stream.evaluate.calibration.alarms import of_model
from tests.support.evaluation import HOUR, START, Scene, opened
from tests.support.judged import counted

ROWS, HOURS = 20, 40 * 24
TEMP = np.random.default_rng(20130606).normal(50.0, 10.0, ROWS * HOURS)
PANES = panes_of(np.repeat(np.arange(HOURS), ROWS) * HOUR, pane_ms=HOUR)
REFERENCE = build_reference("m", {"temp": TEMP}, panes=PANES)
DAYS = 3


def test_each_judgement_counts_once_however_often_it_is_made(redis_url: str, environment_name: str) -> None:
    allowed, begun = asyncio.run(_sums(redis_url, environment_name))
    # Two tests and the learned checks of each whole window of a day, judged every two hours, and two charts of each pane: five
    # processes that share a budget of one a month.
    whole = 12 * (DAYS - 1) + 1
    assert allowed == pytest.approx((whole * 3 * 2 + 24 * DAYS * 2) / 5 * HOUR / MONTH_MS, rel=1e-6)
    assert begun == 5  # each of them once: of the checks, values outside what the reference held


async def _sums(url: str, environment: str) -> tuple[float, int]:
    async with opened(url, environment, partitions=1) as scene:
        await scene.apply({"m": REFERENCE}, features={"temp": FeatureMonitor(type="numeric")}, budget=BudgetMonitor())
        for hour in range(24 * DAYS):
            await _count(scene, hour, shift=8.0 if hour >= 36 else 0.0)
            if hour % 6 == 5:
                evaluator = await scene.evaluate(scene.evaluator(f"worker{hour}"))
                await evaluator.leave()
        await _count(scene, 24 * DAYS - 8, shift=8.0)  # events that come late: windows are judged anew
        assert (await scene.evaluate()).tally.revised > 0
        totals = cast("dict[bytes, bytes]", await scene.redis.hgetall(scene.names.totals("m")))
    return of_model({name.decode(): int(value) for name, value in totals.items()})


async def _count(scene: Scene, hour: int, *, shift: float) -> None:
    values = TEMP[ROWS * hour : ROWS * (hour + 1)] + shift
    layout, start = scene.layouts["m"], START + hour * HOUR
    place = 0, layout.hash, start
    made = counted(layout, {"temp": values})
    scene.held[place] = made if place not in scene.held else scene.held[place] + made
    await scene.checkpoint(0, {"clock": START + (hour + 1) * HOUR, "idle": 0}, [(layout, start)])
