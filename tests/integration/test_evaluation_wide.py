"""A model of many columns is judged beside the event loop, which every other model's events wait for; a narrow one on it."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from detectors.profile import build_reference, panes_of
from schemas.monitored import BudgetMonitor, FeatureMonitor
from stream.evaluate.closing import walk
from tests.support.evaluation import HOUR, START, Scene, opened
from tests.support.judged import counted

PIECES = ("judge_panes", "judge_window", "judged", "conclude")
ROWS, HOURS = 5, 24 * 30
PANES = panes_of(np.repeat(np.arange(HOURS), ROWS) * HOUR, pane_ms=HOUR)


@pytest.mark.parametrize(("features", "beside"), [(10, True), (3, False)])
def test_where_a_window_is_judged(
    features: int, beside: bool, redis_url: str, environment_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walk, "WIDE", 10)
    on_the_loop: dict[str, set[bool]] = {name: set() for name in PIECES}
    for name in PIECES:
        work = getattr(walk, name)
        noted = _each_noted if inspect.isgeneratorfunction(work) else _noted
        monkeypatch.setattr(walk, name, noted(name, work, on_the_loop))
    asyncio.run(_a_day(redis_url, environment_name, features))
    assert on_the_loop == {name: {not beside} for name in PIECES}


def _each_noted(name: str, work: Callable[..., Iterator[Any]], on_the_loop: dict[str, set[bool]]) -> Callable[..., Any]:
    def noting(*given: Any, **named: Any) -> Iterator[Any]:
        for found in work(*given, **named):
            on_the_loop[name].add(threading.current_thread() is threading.main_thread())
            yield found

    return noting


def _noted(name: str, work: Callable[..., Any], on_the_loop: dict[str, set[bool]]) -> Callable[..., Any]:
    def noting(*given: Any, **named: Any) -> Any:
        on_the_loop[name].add(threading.current_thread() is threading.main_thread())
        return work(*given, **named)

    return noting


async def _a_day(url: str, environment: str, features: int) -> None:
    columns = dict(
        zip(
            (f"f{at}" for at in range(features)),
            np.random.default_rng(1).normal(size=(features, ROWS * HOURS)),
            strict=True,
        )
    )
    reference = build_reference("m", columns, panes=PANES)
    async with opened(url, environment, partitions=1) as scene:
        shapes = {name: FeatureMonitor(type="numeric") for name in columns}
        await scene.apply({"m": reference}, features=shapes, budget=BudgetMonitor(), step_ms=24 * HOUR)
        for hour in range(24):
            await _count(scene, hour, {name: column[5 * hour : 5 * hour + 5] for name, column in columns.items()})
        await scene.evaluate()
        (report,) = await scene.reports()
    assert len(report.features) == features
    assert report.features["f0"].measures["drift"].value is not None


async def _count(scene: Scene, hour: int, rows: dict[str, Any]) -> None:
    layout, start = scene.layouts["m"], START + hour * HOUR
    scene.held[0, layout.hash, start] = counted(layout, rows)
    await scene.checkpoint(0, {"clock": start + HOUR, "idle": 0}, [(layout, start)])
