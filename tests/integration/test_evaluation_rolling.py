"""Rolling columns on a real Redis: the week before is read from closed panes, stored or of the batch at hand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from schemas.monitored import FeatureMonitor
from schemas.reports import Column
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
