"""References that tell no distribution: of a million names, each once, and of one row. Only what was fixed decides about them."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.profile import Coded, build_reference, coded, panes_of
from schemas.monitored import BudgetMonitor, FeatureMonitor
from schemas.reference import Reference
from stream.evaluate.judging.judge_window import judge_window
from stream.evaluate.judging.window_verdicts import verdicts_of
from tests.support.judged import HOUR, monitor, watched, window

MILLION = 1_000_000


@pytest.fixture(scope="module")
def million() -> Reference:
    """As many names, each once: hardly any is listed, and PSI of those that are was above 0.25 in every window."""
    column = Coded(tuple(f"n{at}" for at in range(MILLION)), np.arange(MILLION))
    panes = panes_of(np.arange(MILLION) * 40 // MILLION * HOUR, pane_ms=HOUR)
    return build_reference("m", {"many": column}, panes=panes)


@pytest.mark.parametrize("budget", [None, BudgetMonitor()])
def test_of_a_million_names_none_is_said_to_drift(million: Reference, budget: BudgetMonitor | None) -> None:
    of = watched(monitor(features={"many": FeatureMonitor(type="categorical")}, budget=budget), of=million)
    report = judge_window(of, window(of, {"many": [f"n{at * 2_000}" for at in range(400)]}), seen_ms=0)
    column = report.features["many"]
    assert (column.state, column.n, column.n_reference) == ("not_enough_data", 400, MILLION)
    assert column.measures["psi"].threshold is None


def test_of_a_million_names_a_fixed_threshold_decides(million: Reference) -> None:
    features = {"many": FeatureMonitor(type="categorical", fixed={"psi": 0.25})}
    of = watched(monitor(features=features), of=million)
    report = judge_window(of, window(of, {"many": ["new"] * 400}), seen_ms=0)
    assert report.features["many"].state == "drift"


@pytest.mark.parametrize("budget", [None, BudgetMonitor()])
@pytest.mark.parametrize("pane_hours", [1, None])
def test_one_row_of_reference_is_no_distribution_to_drift_from(
    budget: BudgetMonitor | None, pane_hours: int | None
) -> None:
    """Any other value had a PSI above 0.25."""
    features = {"x": FeatureMonitor(type="numeric"), "c": FeatureMonitor(type="categorical")}
    panes = None if pane_hours is None else panes_of(np.zeros(1, np.int64), pane_ms=HOUR)
    made = build_reference("m", {"x": np.array([1.0]), "c": coded(["a"])}, panes=panes)
    rows = {"x": np.linspace(5.0, 6.0, 400).tolist(), "c": ["b"] * 400}
    of = watched(monitor(features=features, budget=budget), of=made)
    report = judge_window(of, window(of, rows), seen_ms=0)
    assert {name: column.state for name, column in report.features.items()} == {
        "x": "not_enough_data",
        "c": "not_enough_data",
    }
    assert [
        one.key for one in verdicts_of(report, of) if one.state == "firing" and one.rule in ("psi", "drift", "shift")
    ] == []
    fixed = watched(monitor(features=features, budget=budget, fixed={"psi": 0.25}), of=made)
    report = judge_window(fixed, window(fixed, rows), seen_ms=0)
    assert {column.state for column in report.features.values()} == {"drift"}
