"""For which windows and columns a calibrated test is made, of what rows, and by how many a budget is divided."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detectors.budget import division
from detectors.budget.limits import window_limits
from detectors.calibration.calibrate import Window, calibrate_named, calibrate_ordered
from detectors.profile import build_reference, coded, panes_of
from schemas.monitored import BudgetMonitor, FeatureMonitor, ModelMonitor
from schemas.reference import Reference
from stream.evaluate.calibration.calibrated import Calibrated, calibration_of, key_of
from stream.evaluate.judging.judge_window import is_calibrated, judge_window
from tests.support.judged import DAY, HOUR, monitor, watched, window

ROWS, HOURS = 40, 30 * 24
RANDOM = np.random.default_rng(20130202)
TEMP = RANDOM.normal(50.0, 10.0, ROWS * HOURS)
#: Three rows in four hold no name.
DEST = [name if held else None for name, held in zip(
    RANDOM.choice(["a", "b", "c"], ROWS * HOURS, p=[0.6, 0.3, 0.1]).tolist(), RANDOM.random(ROWS * HOURS) < 0.25, strict=True
)]  # fmt: skip


def reference(*, pane_ms: int = HOUR) -> Reference:
    times = np.repeat(np.arange(HOURS), ROWS) * HOUR
    return build_reference("m", {"temp": TEMP, "dest": coded(DEST)}, panes=panes_of(times, pane_ms=pane_ms))


REFERENCE = reference()


def budgeted(**changed: Any) -> ModelMonitor:
    features = {"temp": FeatureMonitor(type="numeric"), "dest": FeatureMonitor(type="categorical")}
    return monitor(**{"features": features, "budget": BudgetMonitor(), **changed})


def made_of(of: ModelMonitor, *, length_ms: int) -> Calibrated:
    return calibration_of(watched(of, of=REFERENCE), key_of(length_ms, 1000))


def named_test() -> Any:
    """The test of ``dest`` made by hand, of the rows that hold a name and a bin of names never seen."""
    codes = {"a": 0, "b": 1, "c": 2}
    counts = np.zeros((HOURS, 5), dtype=np.int64)
    for at, name in enumerate(DEST):
        if name is not None:
            counts[at // ROWS, codes[name]] += 1
    return calibrate_named(counts, Window(24, 512 * counts.sum() / len(DEST), day=24))


def test_a_test_is_made_of_the_rows_that_have_a_value() -> None:
    tests, by_hand = made_of(budgeted(), length_ms=DAY), named_test()
    assert tests.stacked is not None
    dest = tests.held.index(1)
    begin = int(tests.stacked.starts[dest])
    found = tests.stacked.share[begin : begin + len(by_hand.shares)]
    assert found.tolist() == pytest.approx(by_hand.shares.tolist(), rel=1e-12)
    assert tests.stacked.scales.rows[dest] == sum(name is not None for name in DEST)
    # 128 rows are expected to hold a name, and so 12.8 a "c" and about none one never seen.
    assert int(tests.stacked.bins[dest]) == len(by_hand.shares) == 3


@pytest.mark.parametrize(
    ("changed", "length_ms", "tests", "judgements"),
    [
        ({}, DAY, 5, 1.0),
        ({"windows": {"day": DAY, "week": 7 * DAY}}, 7 * DAY, 10, 7.0),
        ({"step_ms": HOUR}, DAY, 5, 24.0),
        ({"slow": 14 * DAY}, 14 * DAY, 8, 14.0),
    ],
    ids=["one window", "two windows", "that overlap", "a slow one of temp"],
)
def test_a_budget_is_divided_by_everything_that_alarms_by_it(
    changed: dict[str, Any], length_ms: int, tests: int, judgements: float
) -> None:
    slow = changed.get("slow")
    of = budgeted(**{name: value for name, value in changed.items() if name != "slow"})
    temp = of.features["temp"].model_copy(update={"slow_window_ms": slow})
    of = of.model_copy(update={"features": {**of.features, "temp": temp}})
    made = made_of(of, length_ms=length_ms)
    rate = division.rate(1.0, division.Watched(1, tests=tests, charts=2), every_ms=of.step_ms)
    limits = made.limits[0]
    assert limits is not None
    # The middle's threshold depends on nothing of the column.
    by_hand = window_limits(_any_ordered(), rate, judgements=judgements)
    assert limits.location == pytest.approx(by_hand.location, rel=1e-9)


def _any_ordered() -> Any:
    return calibrate_ordered(RANDOM.multinomial(100, [0.25] * 4, size=40), Window(1, 100.0))


@pytest.mark.parametrize("pane_ms", [7 * HOUR, 48 * HOUR])
def test_panes_that_make_up_no_window_calibrate_nothing(pane_ms: int) -> None:
    of = watched(budgeted(), of=reference(pane_ms=pane_ms))
    assert calibration_of(of, key_of(DAY, 1000)).stacked is None
    rows = {"temp": TEMP[:960], "dest": DEST[:960]}
    assert judge_window(of, window(of, rows), seen_ms=0).features["temp"].state == "not_enough_data"


def test_windows_that_warm_up_and_other_streams_are_not_tested() -> None:
    of = watched(budgeted(), of=REFERENCE)
    whole = window(of, {"temp": TEMP[:960], "dest": DEST[:960]})
    assert is_calibrated(of, whole)
    assert not is_calibrated(of, replace(whole, complete=False))
    assert not is_calibrated(replace(of, stream="features"), whole)
