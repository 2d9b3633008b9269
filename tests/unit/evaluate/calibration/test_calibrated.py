"""The calibrated test in a judgement: it decides where a budget is stated, and stands beside what else decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from detectors.budget import division
from detectors.budget.limits import window_limits
from detectors.calibration import calibrate
from detectors.calibration.judge import judge
from detectors.profile import build_reference, coded, pane_matrix, panes_of
from detectors.psi import decile_and_atom_edges, fold_to
from schemas.monitored import BudgetMonitor, FeatureMonitor, ModelMonitor
from schemas.reference import NumericProfile, Reference
from schemas.reports import Column, Measure
from stream.evaluate.calibration.calibrated import calibration_of, key_of
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_window import judge_window
from stream.evaluate.judging.window_verdicts import verdicts_of
from stream.evaluate.verdicts.verdict import lasts_by_measure
from tests.support.judged import DAY, HOUR, Floats, monitor, watched, window

ROWS, HOURS = 40, 40 * 24
RANDOM = np.random.default_rng(20130101)
TEMP = RANDOM.normal(50.0, 10.0, ROWS * HOURS)
DEST = RANDOM.choice(["a", "b", "c", "d"], ROWS * HOURS, p=[0.7, 0.2, 0.06, 0.04])


def reference(*, hours: int = HOURS, ordered: bool = True) -> Reference:
    rows = ROWS * hours
    panes = panes_of(np.repeat(np.arange(hours), ROWS) * HOUR, pane_ms=HOUR) if ordered else None
    return build_reference("m", {"temp": TEMP[:rows], "dest": coded(DEST[:rows].tolist())}, panes=panes)


REFERENCE = reference()


def budgeted(**changed: Any) -> ModelMonitor:
    features = {
        "temp": FeatureMonitor(type="numeric", importance=0.3),
        "dest": FeatureMonitor(type="categorical", importance=0.05),
    }
    return monitor(features=features, **{"budget": BudgetMonitor(), **changed})


def columns(of: Watched, temp: Floats, dest: Sequence[str]) -> dict[str, Column]:
    return judge_window(of, window(of, {"temp": temp, "dest": dest}), seen_ms=0).features


OF = watched(budgeted(), of=REFERENCE)
SAME_TEMP, SAME_DEST = TEMP[: 24 * ROWS], DEST[: 24 * ROWS].tolist()


def test_a_window_like_the_reference_is_ok_and_says_how_much_it_knows() -> None:
    found = columns(OF, SAME_TEMP, SAME_DEST)
    assert (found["temp"].state, found["dest"].state) == ("ok", "ok")
    temp = found["temp"]
    assert temp.n_eff is not None
    assert temp.n_eff == pytest.approx(940, rel=0.35)  # independent rows, and a reference forty times as large
    assert temp.measures["psi"].expected == pytest.approx((11 - 1) / temp.n_eff, rel=0.2)
    assert [name for name in ("drift", "shift") if name in temp.measures] == ["drift", "shift"]
    assert "shift" not in found["dest"].measures


def test_what_it_says_is_what_the_test_says_of_the_same_counts() -> None:
    profile = REFERENCE.features["temp"]
    assert isinstance(profile, NumericProfile)
    edges = decile_and_atom_edges(profile)
    panes = fold_to(profile.edges, edges, pane_matrix(profile)[:, : len(profile.counts)])
    temp = SAME_TEMP + 4.0
    events = key_of(DAY, len(temp))[1]
    test = calibrate.calibrate_ordered(panes, calibrate.Window(24, float(events), day=24))
    assert test is not None
    verdict = judge(test, np.bincount(np.searchsorted(edges, temp, side="right"), minlength=len(edges) + 1))
    assert verdict is not None
    found = columns(OF, temp, SAME_DEST)["temp"].measures
    assert found["drift"].value == pytest.approx(verdict.p_omnibus, rel=1e-9)
    assert found["drift"].p_value == pytest.approx(verdict.p, rel=1e-9)
    assert found["shift"].value == pytest.approx(verdict.shift, rel=1e-9)
    assert found["shift"].p_value == pytest.approx(verdict.p_location, rel=1e-9)
    # Shares and middle of temp, its learned checks and two charts, and shares of dest (which hardly matters); a window a day.
    rate = division.rate(1.0, division.Watched(1, tests=4, charts=2), every_ms=DAY)
    assert found["drift"].threshold == pytest.approx(window_limits(test, rate, judgements=1.0).omnibus, rel=1e-9)
    assert (found["drift"].exceeded, found["shift"].exceeded) == (True, True)
    # About four standard errors of a mean of 960 rows beside 38 400.
    assert found["shift"].threshold == pytest.approx(4.0 * (1 / 960 + 1 / 38_400) ** 0.5, rel=0.25)


def test_a_fall_is_a_shift_of_the_other_sign() -> None:
    shift = columns(OF, SAME_TEMP - 5.0, SAME_DEST)["temp"].measures["shift"]
    assert shift.value is not None
    assert shift.threshold is not None
    assert (shift.exceeded, shift.value < -shift.threshold) == (True, True)


def test_a_change_fires_by_the_budget_and_psi_says_how_heavy_it_is() -> None:
    of = OF
    report = judge_window(of, window(of, {"temp": SAME_TEMP + 5.0, "dest": SAME_DEST}), seen_ms=0)
    slight = {(one.rule, one.subject): one for one in verdicts_of(report, of)}
    assert {key for key, one in slight.items() if one.state == "firing"} == {
        ("drift", "feature:m/temp"),
        ("shift", "feature:m/temp"),
    }
    assert slight["shift", "feature:m/temp"].severity == "P2"
    assert slight["drift", "feature:m/temp"].threshold == report.features["temp"].measures["drift"].threshold
    report = judge_window(of, window(of, {"temp": SAME_TEMP + 20.0, "dest": SAME_DEST}), seen_ms=0)
    heavy = {(one.rule, one.subject): one for one in verdicts_of(report, of)}
    assert heavy["drift", "feature:m/temp"].severity == "P1"
    assert ("psi", "feature:m/temp") not in heavy


def test_new_names_are_a_change_of_shares() -> None:
    dest = [*SAME_DEST[:-60], *["new"] * 60]
    found = columns(OF, SAME_TEMP, dest)["dest"]
    assert (found.state, found.measures["drift"].exceeded) == ("drift", True)


def test_where_thresholds_are_fixed_it_stands_beside_and_decides_nothing() -> None:
    of = watched(budgeted(fixed={"psi": 10.0}), of=REFERENCE)
    found = columns(of, SAME_TEMP + 5.0, SAME_DEST)["temp"]
    assert found.state == "ok"
    assert found.measures["drift"].value is not None
    assert found.measures["drift"].value < 1e-6
    assert (found.measures["drift"].threshold, found.measures["drift"].exceeded) == (None, False)
    assert (found.measures["psi"].threshold, found.measures["shift"].exceeded) == (10.0, False)


def test_without_a_budget_the_rule_of_thumb_decides() -> None:
    of = watched(budgeted(budget=None), of=REFERENCE)
    assert of.rules[0].names == ("psi",)
    assert columns(of, SAME_TEMP + 5.0, SAME_DEST)["temp"].measures["drift"].threshold is None


def test_a_reference_of_less_than_twenty_blocks_shows_a_p_value_and_decides_nothing() -> None:
    of = watched(budgeted(windows={"day": DAY}), of=reference(hours=19))
    found = columns(of, SAME_TEMP + 20.0, SAME_DEST)["temp"]
    assert (found.state, found.measures["drift"].threshold) == ("not_enough_data", None)
    assert found.measures["drift"].value is not None
    assert verdicts_of_state(of, SAME_TEMP + 20.0) == {"ok"}


def verdicts_of_state(of: Watched, temp: Floats) -> set[str]:
    report = judge_window(of, window(of, {"temp": temp, "dest": SAME_DEST}), seen_ms=0)
    return {one.state for one in verdicts_of(report, of)}


def test_without_time_order_there_is_no_test_and_the_rule_of_thumb_decides() -> None:
    of = watched(budgeted(), of=reference(ordered=False))
    found = columns(of, SAME_TEMP + 20.0, SAME_DEST)["temp"]
    assert "drift" not in found.measures
    assert (found.state, found.measures["psi"].threshold) == ("drift", 0.25)
    assert calibration_of(of, key_of(DAY, 1000)).stacked is None


def test_a_column_that_never_changed_is_judged_by_the_rule_of_thumb() -> None:
    panes = panes_of(np.repeat(np.arange(HOURS), ROWS) * HOUR, pane_ms=HOUR)
    constant = build_reference(
        "m", {"temp": np.full(ROWS * HOURS, 5.0), "dest": coded(["a"] * ROWS * HOURS)}, panes=panes
    )  # fmt: skip
    of = watched(budgeted(), of=constant)
    same, other = columns(of, np.full(960, 5.0), ["a"] * 960), columns(of, np.full(960, 7.0), ["b"] * 960)
    assert {name: column.state for name, column in same.items()} == {"temp": "ok", "dest": "ok"}
    assert {name: column.state for name, column in other.items()} == {"temp": "drift", "dest": "drift"}
    assert other["temp"].measures["psi"].exceeded


def test_a_window_of_few_rows_is_not_tested() -> None:
    found = columns(OF, SAME_TEMP[:99], SAME_DEST[:99])["temp"]
    assert (found.state, "drift" in found.measures) == ("not_enough_data", False)


@pytest.mark.parametrize(
    ("measure", "lasts"),
    [
        (Measure(0.01, "c", p_value=0.05, threshold=1e-5), True),
        (Measure(0.01, "c", p_value=0.0501, threshold=1e-5), False),
        (Measure(1e-6, "c", p_value=1e-6, threshold=1e-5, exceeded=True), False),
        (Measure(0.01, "c", p_value=0.01), False),
        (Measure(0.01, "c", threshold=1e-5), False),
        (None, False),
    ],
)
def test_an_alarm_of_a_test_lasts_until_its_p_value_is_that_of_any_window(measure: Measure | None, lasts: bool) -> None:
    assert lasts_by_measure(measure) is lasts


def test_a_window_that_is_not_clear_again_says_so_of_the_budgets_rules_alone() -> None:
    """A shift of which the budget would not alarm, and that no window of a month shows by chance."""
    report = judge_window(OF, window(OF, {"temp": SAME_TEMP + 0.9, "dest": SAME_DEST}), seen_ms=0)
    said = {one.rule: one for one in verdicts_of(report, OF) if one.feature == "temp"}
    p = report.features["temp"].measures["shift"].p_value
    assert p is not None
    assert p == pytest.approx(0.005838, abs=1e-6)
    assert {rule for rule, one in said.items() if one.lasts} == {"drift", "shift"}
    assert {one.state for one in said.values()} == {"ok"}
    assert said["shift"].evidence["calibrated_p"] == report.features["temp"].measures["drift"].p_value
