"""The features of a report by the rate of false discoveries, and which of them are some by the budget's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from detectors.calibration.false_discovery import adjusted
from detectors.profile import build_reference, panes_of
from schemas.monitored import BudgetMonitor, FeatureMonitor
from schemas.reports import Report
from stream.command.tail import line_of
from stream.evaluate.judging.judge_window import judge_window
from stream.evaluate.judging.window_verdicts import verdicts_of
from stream.expose.console.model_page import feature_rows
from tests.support.judged import HOUR, Floats, monitor, watched, window

ROWS, HOURS, FEATURES = 20, 40 * 24, 8
RANDOM = np.random.default_rng(20130404)
COLUMNS: dict[str, Floats] = {f"f{at}": RANDOM.normal(0.0, 1.0, ROWS * HOURS) for at in range(FEATURES)}
REFERENCE = build_reference(
    "m", COLUMNS, panes=panes_of(np.repeat(np.arange(HOURS), ROWS) * HOUR, pane_ms=HOUR), score=COLUMNS["f0"]
)
MOVED = {"f1": 0.14, "f3": 1.0, "f6": 0.3}


def report_of(budget: BudgetMonitor | None, *, rows: int = 480) -> Report:
    of = watched(
        monitor(features={name: FeatureMonitor(type="numeric") for name in COLUMNS}, budget=budget), of=REFERENCE
    )
    values = {name: column[:rows] + MOVED.get(name, 0.0) for name, column in COLUMNS.items()}
    report = judge_window(of, window(of, values | {"score": COLUMNS["f0"][:rows] + 2.0}), seen_ms=0)
    firing = {one.feature: one for one in verdicts_of(report, of) if one.state == "firing" and one.rule == "drift"}
    assert {name: one.evidence["q"] for name, one in firing.items() if name} == {
        name: report.features[name].q for name in firing if name
    }  # fmt: skip
    return report


def test_q_is_that_of_all_features_that_were_tested_and_of_nothing_else() -> None:
    report = report_of(BudgetMonitor())
    p = {name: column.measures["drift"].p_value for name, column in report.features.items()}
    there = [value for value in p.values() if value is not None]
    assert len(there) == FEATURES
    wanted = dict(zip(p, stats.false_discovery_control(there, method="by").tolist(), strict=True))
    assert {name: column.q for name, column in report.features.items()} == pytest.approx(wanted, rel=1e-12)
    assert report.prediction["score"].q is None


def test_those_within_the_rate_of_the_budget_are_discoveries() -> None:
    def found(budget: BudgetMonitor | None) -> set[str]:
        return {name for name, column in report_of(budget).features.items() if column.discovery}

    assert found(BudgetMonitor()) == {"f3", "f6"}
    assert found(BudgetMonitor(fdr=1e-12)) == {"f3"}
    assert found(None) == set()
    assert report_of(None).features["f3"].q == report_of(BudgetMonitor()).features["f3"].q


def test_a_window_of_few_rows_ranks_nothing() -> None:
    assert {column.q for column in report_of(BudgetMonitor(), rows=99).features.values()} == {None}


def test_lists_of_features_are_in_this_order() -> None:
    report = report_of(BudgetMonitor())
    rows = feature_rows(report.features, {}, history=[])
    assert [row.name for row in rows][:2] == ["f3", "f6"]
    states = [row.column.state for row in rows]
    q = [row.column.q or 0.0 for row in rows]
    assert q[: states.count("drift")] == sorted(q[: states.count("drift")])
    assert q[states.count("drift") :] == sorted(q[states.count("drift") :])
    columns = {name: {"q": one.q, "discovery": one.discovery} for name, one in report.features.items()}
    line = line_of("reports", {"end": 0, "model": "m", "window": "day", "state": "drift", "features": columns})
    assert line.startswith("1970-01-01T00:00:00Z  report     m day drift: f3 (q ")
    assert ", f6 (q " in line


def test_ties_and_p_values_of_one() -> None:
    p = {"a": 1.0, "b": 0.01, "c": 0.01, "d": 0.2}
    wanted = stats.false_discovery_control(list(p.values()), method="by").tolist()
    assert list(adjusted(p).values()) == pytest.approx(wanted, rel=1e-14)
