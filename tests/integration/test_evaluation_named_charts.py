"""Charts that the file names, over a real Redis: a worker that stays says what those say that begin anew, late events included."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from detectors.charts import river
from schemas.findings import Finding
from schemas.monitored import ChartsMonitor, FeatureMonitor, RiverChart, RollingChart, ShewhartChart
from schemas.reports import Report
from stream.evaluate.charts.charts import Charts
from stream.evaluate.evaluator import Evaluator
from tests.integration.test_evaluation_alarms import REFERENCE, ROWS, TEMP
from tests.support.evaluation import HOUR, START, Scene, opened
from tests.support.judged import counted

ADWIN = RiverChart(name="adwin", settings={"clock": 8})
CHARTS = ChartsMonitor(
    shewhart=ShewhartChart(width=3.5), rolling=RollingChart(weight=0.05, width=4.0), river=(ADWIN,)
)  # fmt: skip
NAMES = ("shewhart", "rolling", "adwin")
HOURS, BATCH = 530, 53
#: A step up for 200 panes; events in one of them that come late; and a step down just before the file names fewer charts.
SHIFTED = range(200, 400)
LATE, BROKEN = 205, 525


def test_who_begins_anew_at_every_batch_concludes_what_one_that_stays_does(
    redis_url: str, environment_name: str
) -> None:
    stays, anew = asyncio.run(_both(redis_url, environment_name))
    assert stays == anew
    findings = [one for one in stays if isinstance(one, Finding)]
    assert {one.rule for one in findings} >= set(NAMES)
    assert {one.severity for one in findings if one.rule in NAMES} == {"P3"}
    begun = {rule: next(one for one in findings if one.rule == rule and one.at > START + 200 * HOUR) for rule in NAMES}
    assert {rule: (one.at - START) // HOUR - 200 for rule, one in begun.items()} == {
        "shewhart": 1, "rolling": 1, "adwin": 8,
    }  # fmt: skip
    assert sorted(one.rule for one in findings if one.state == "removed") == ["rolling", "shewhart"]
    shown = [report.features["temp"].measures for report in stays if isinstance(report, Report)]
    assert set(NAMES) <= set(shown[0])
    assert all("adwin" in measures for measures in shown if "cusum" in measures)
    assert set(shown[-1]) & set(NAMES) == {"adwin"}


def test_a_worker_without_river_says_what_to_install_and_goes_on(
    redis_url: str, environment_name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(river, "find_spec", lambda name: None)
    for module in ("river", "river.drift"):
        monkeypatch.setitem(sys.modules, module, None)
    report = asyncio.run(_day(redis_url, environment_name))
    needed = "adwin needs the package river: install driftline with its extra `river`"
    assert [record.getMessage() for record in caplog.records if "river" in record.getMessage()] == [
        f"charts of m: {needed}"
    ]
    measures = report.features["temp"].measures
    assert (measures["adwin"].value, measures["adwin"].convention) == (None, needed)
    assert measures["shewhart"].value is not None


async def _day(url: str, environment: str) -> Report:
    async with opened(url, environment, partitions=1) as scene:
        await _apply(scene, CHARTS)
        worker = None
        for hour in range(24):
            await _count(scene, hour, shift=0.0)
            if hour in (11, 23):
                worker = await scene.evaluate(worker)
        return (await scene.reports())[-1]


async def _both(url: str, environment: str) -> tuple[list[Any], list[Any]]:
    async with opened(url, f"{environment}a", partitions=1) as one, opened(url, f"{environment}b", partitions=1) as two:
        return await _story(one, kept=True), await _story(two, kept=False)


async def _story(scene: Scene, *, kept: bool) -> list[Any]:
    await _apply(scene, CHARTS)
    worker: Evaluator | None = None
    for hour in range(HOURS):
        shift = 15.0 if hour in SHIFTED else -25.0 if hour >= BROKEN else 0.0
        await _count(scene, hour, shift=shift)
        if hour == 8 * BATCH - 2:  # a day after the shift is over
            await _count(scene, LATE, shift=-80.0, clock=hour)
        if hour % BATCH == BATCH - 1:
            worker = await scene.evaluate(worker)
            if not kept:
                await worker.leave()
                worker = None
    await _apply(scene, ChartsMonitor(river=(ADWIN,)))
    await _count(scene, HOURS, shift=0.0)
    await _count(scene, HOURS + 1, shift=0.0)
    worker = await scene.evaluate(worker)
    await worker.leave()
    ends, scores = Charts.from_json((await scene.evaluation())["charts"]).recent.values(0)
    around = scores[np.searchsorted(ends, START + LATE * HOUR) :][:3]
    assert around[1] < 0 < min(around[0], around[2])  # what came late stands in the series
    return [replace(one, reference="") if isinstance(one, Report) else one for _, one in await scene.outbox()]


async def _apply(scene: Scene, charts: ChartsMonitor) -> None:
    features = {"temp": FeatureMonitor(type="numeric", fixed={"ks": 1.0})}
    await scene.apply({"m": REFERENCE}, features=features, charts=charts, revise_within_ms=60 * 24 * HOUR)


async def _count(scene: Scene, hour: int, *, shift: float, clock: int | None = None) -> None:
    values = TEMP[ROWS * hour : ROWS * (hour + 1)] + shift
    layout, start = scene.layouts["m"], START + hour * HOUR
    place = 0, layout.hash, start
    made = counted(layout, {"temp": values})
    scene.held[place] = made if place not in scene.held else scene.held[place] + made
    clock_ms = START + ((hour if clock is None else clock) + 1) * HOUR
    await scene.checkpoint(0, {"clock": clock_ms, "idle": 0}, [(layout, start)])
