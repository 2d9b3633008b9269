"""Alarms and pages a month of models that never drift, for a budget of one, through evaluation's own code; and what a shift waits.

The issue's setting, whole: 20 features that share half their rhythm, four of them names, every fourth missing a value now and then,
three sources and a score; hourly panes (AR(1) of .5), windows of 24 and 168 h judged each day or each hour, a reference of 744 h;
or the same reference as a file of rows without times, so that the stream's own panes calibrate.
"""

from __future__ import annotations

import numpy as np
import pytest
from rich.console import Console
from rich.progress import track
from rich.table import Table

from detectors.budget.division import MONTH_MS
from stream.evaluate.calibration.budget_share import rate_of
from tests.support.judged import DAY, HOUR
from tests.support.paging import MONTH_HOURS, Model, Stream, Told, delays, told

pytestmark = pytest.mark.bench

MODELS = 40
#: Half a year: in a month or two a model's second alarm is more than 1.5 a month, and the share of such models is chance.
HOURS = 4_383


@pytest.mark.parametrize(
    ("step_ms", "ordered"), [(DAY, True), (HOUR, True), (DAY, False)], ids=["each day", "each hour", "live"]
)
def test_models_alarm_no_more_often_than_their_budget(*, step_ms: int, ordered: bool) -> None:
    seeds = track(range(MODELS), description="models", console=Console(stderr=True))
    found = [told(_model(step_ms, seed=seed, ordered=ordered), HOURS) for seed in seeds]
    _print(found, step_ms=step_ms, months=HOURS / MONTH_HOURS)
    pages = np.array([sum(one.pages.values()) for one in found]) / (HOURS / MONTH_HOURS)
    assert pages.mean() <= 1.0
    assert np.quantile(pages, 0.9) <= 1.5


@pytest.mark.parametrize("shift", [0.5, 1.0])
def test_how_long_a_shift_waits(shift: float) -> None:
    seeds = track(range(10), description="models", console=Console(stderr=True))
    found = [delays(Model(step_ms=HOUR, shift=shift, shifted_after=192, seed=seed), 240) for seed in seeds]
    table = Table(
        title=f"hours from a shift of {shift:g} sd of 20 features to the first finding of each, of those found in 240"
    )
    for heading in ("rule", "found", "mean", "median"):
        table.add_column(heading, justify="right")
    for rule in sorted({rule for one in found for rule in one}):
        hours = [at for one in found for at in one.get(rule, [])]
        table.add_row(rule, f"{len(hours) / (20 * len(found)):.2f}", f"{np.mean(hours):.1f}", f"{np.median(hours):.0f}")
    Console(width=120).print(table)
    assert sum(len(one["the first of them"]) for one in found) >= 0.95 * 20 * len(found)


def _model(step_ms: int, *, seed: int, ordered: bool = True) -> Model:
    return Model(names=4, missing=0.02, step_ms=step_ms, ordered=ordered, seed=seed)


def _print(found: list[Told], *, step_ms: int, months: float) -> None:
    each = rate_of(Stream(_model(step_ms, seed=0)).watched, every_ms=HOUR) * MONTH_MS / HOUR
    table = Table(title=f"a month of {MODELS} models, budget 1, of which a process has {each:.4f}")
    for heading in ("rule", "alarms", "90 %", "most", "pages", "90 %", "most"):
        table.add_column(heading, justify="right")
    rules = sorted({rule for one in found for rule in one.began})
    for name, of in [(rule, [rule]) for rule in rules] + [("all of them", rules)]:
        both = (
            [sum(kind[rule] for rule in of) for kind in kinds]
            for kinds in zip(*((one.began, one.pages) for one in found), strict=True)
        )
        rows = [np.array(one) / months for one in both]
        table.add_row(name, *(f"{x:.3f}" for one in rows for x in (one.mean(), np.quantile(one, 0.9), one.max())))
    expected = np.mean([one.expected for one in found]) / months
    Console(width=120).print(table, f"expected by the counter: {expected:.3f} a month")
