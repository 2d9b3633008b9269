"""A change of unit is named once it fills its window, the same by workers that stop every few panes."""

from __future__ import annotations

import asyncio

import numpy as np

from detectors.profile import build_reference, coded
from schemas.findings import Finding
from schemas.monitored import FeatureMonitor
from tests.support.evaluation import DAY, HOUR, START, Scene, opened
from tests.support.judged import counted

CELSIUS = np.random.default_rng(20130101).normal(15.0, 8.0, 5_000)
CARRIERS = ["UA", "DL"] * 2_500
REFERENCE = build_reference("m", {"temp": CELSIUS, "carrier": coded(CARRIERS)})
FEATURES = {
    "temp": FeatureMonitor(type="numeric", fixed={"psi": 0.1}),
    "carrier": FeatureMonitor(type="categorical", fixed={"psi": 0.25}),
}
CHANGED, HOURS = 24, 56


def test_a_change_of_unit_is_named_once_enough_of_the_window_has_it(redis_url: str, environment_name: str) -> None:
    at_once, stopping = (asyncio.run(_told(redis_url, f"{environment_name}{n}", stops=bool(n))) for n in (0, 1))
    assert at_once == stopping
    causes, findings = at_once
    begun = min(end for end, _ in findings) + DAY
    assert {words for end, words in causes.items() if end < begun} == {None}
    assert {words for end, words in causes.items() if end >= begun} == {
        "looks like °F sent where °C was: x -> 1.8 x + 32"
    }
    assert [words for end, words in findings if end >= begun] == [
        words for end, words in causes.items() if end >= begun
    ]
    assert len(findings) > 12


async def _told(
    url: str, environment: str, *, stops: bool
) -> tuple[dict[int, str | None], list[tuple[int, str | None]]]:
    """(cause by the end of each report, and of each finding that fires)."""
    async with opened(url, environment, partitions=1) as scene:
        await scene.apply({"m": REFERENCE}, features=FEATURES)
        evaluator = scene.evaluator()
        for hour in range(HOURS):
            await _count(scene, hour)
            if stops and hour % 5 == 4:
                await evaluator.leave()
                evaluator = scene.evaluator(f"worker{hour}")
                await scene.evaluate(evaluator)
        await scene.evaluate(evaluator)
        columns = {report.end: report.features["temp"] for report in await scene.reports()}
        told = [message for _, message in await scene.outbox() if isinstance(message, Finding)]
    fired = [(one.at, one.evidence.get("cause")) for one in told if one.state == "firing" and one.feature == "temp"]
    return {end: one.cause.words if one.cause else None for end, one in columns.items()}, [
        (at, str(words) if words else None) for at, words in fired
    ]


async def _count(scene: Scene, hour: int) -> None:
    values = CELSIUS[80 * hour : 80 * hour + 80]
    rows = {"temp": values if hour < CHANGED else 1.8 * values + 32.0, "carrier": CARRIERS[:80]}
    layout, start = scene.layouts["m"], START + hour * HOUR
    scene.held[0, layout.hash, start] = counted(layout, rows)
    await scene.checkpoint(0, {"clock": start + HOUR, "idle": 0}, [(layout, start)])
