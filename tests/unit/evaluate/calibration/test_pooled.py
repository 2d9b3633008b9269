"""The features of one source tested together: which are, what a report says of them, and the rule that their test is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detectors.budget import division
from detectors.budget.limits import MARGIN
from detectors.budget.sliding import p_threshold
from detectors.calibration.calibrate import Window
from detectors.calibration.location import normal_scores
from detectors.calibration.pooled import p_of_shifts, pooled
from detectors.profile import build_reference, pane_matrix, panes_of
from detectors.psi import decile_and_atom_edges, fold_to
from schemas.monitored import BudgetMonitor, FeatureMonitor, ModelMonitor, SourceMonitor
from schemas.reference import NumericProfile
from schemas.reports import Report
from stream.evaluate.calibration.budget_share import rate_of
from stream.evaluate.calibration.pooled import known_pooled
from stream.evaluate.calibration.pools import pools_of
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_window import judge_window
from stream.evaluate.judging.judged_keys import keys_of
from stream.evaluate.judging.window_verdicts import verdicts_of
from tests.support.judged import DAY, HOUR, Floats, monitor, watched, window

ROWS, HOURS = 20, 40 * 24
RANDOM = np.random.default_rng(20130303)
#: What the weather of a day has in common.
RHYTHM = np.repeat(RANDOM.normal(0.0, 0.3, HOURS // 24), 24 * ROWS)
COLUMNS: dict[str, Floats] = {
    "temp": RHYTHM + RANDOM.normal(50.0, 1.0, ROWS * HOURS),
    "dewp": 0.5 * RHYTHM + RANDOM.normal(40.0, 1.0, ROWS * HOURS),
    "precip": np.where(RANDOM.random(ROWS * HOURS) < 0.92, 0.0, 1.0),
    "gust": np.where(RANDOM.random(ROWS * HOURS) < 0.4, RANDOM.normal(20.0, 1.0, ROWS * HOURS), np.nan),
    "seats": RANDOM.normal(150.0, 9.0, ROWS * HOURS),
}
PANES = panes_of(np.repeat(np.arange(HOURS), ROWS) * HOUR, pane_ms=HOUR)
REFERENCE = build_reference("m", COLUMNS, panes=PANES)
SAME: dict[str, Any] = {
    name: [None if np.isnan(value) else value for value in one[: 24 * ROWS]] for name, one in COLUMNS.items()
}


def declared(**changed: Any) -> ModelMonitor:
    source = {"seats": "fleet"}
    features = {
        name: FeatureMonitor(type="numeric", source=source.get(name, "weather"), importance=0.1) for name in COLUMNS
    }
    return monitor(**{"features": features, "budget": BudgetMonitor(), **changed})


def moved(by: float) -> dict[str, Any]:
    return SAME | {"dewp": [value + by for value in SAME["dewp"]]}


def report_of(of: Watched, rows: Any = SAME, **changed: Any) -> Report:
    return judge_window(of, window(of, rows, **changed), seen_ms=0)


OF = replace(watched(declared(), of=REFERENCE), sources={"weather": SourceMonitor(owner="met")})


def test_pooled_are_the_numeric_features_of_a_source_whose_middle_can_move() -> None:
    """Precipitation is nothing in nine rows of ten, gusts are measured in two of five, and seats are alone in their source."""
    (pool,) = pools_of(OF, "day", DAY)
    assert (pool.source, sorted(place.name for place in pool.places), pool.decides) == (
        "weather",
        ["dewp", "temp"],
        True,
    )
    assert pools_of(watched(declared(), of=REFERENCE, stream="features"), "day", DAY) == ()
    shuffled = build_reference("m", COLUMNS, panes=None)
    assert pools_of(watched(declared(), of=shuffled), "day", DAY) == ()


def test_a_slow_window_pools_the_features_that_it_judges() -> None:
    slow = {name: one.model_copy(update={"slow_window_ms": 14 * DAY}) for name, one in declared().features.items()}
    of = watched(declared(features=slow), of=REFERENCE)
    assert [len(pools_of(of, "slow", length)) for length in (14 * DAY, 28 * DAY)] == [1, 0]


def test_a_report_says_by_how_much_each_moved_and_which_most_surely() -> None:
    found = report_of(OF, moved(3.0)).sources["weather"]
    edges = {name: decile_and_atom_edges(_profile(name)) for name in ("temp", "dewp")}
    panes = [_folded(name, edge) for name, edge in edges.items()]
    scores = [normal_scores((one.sum(axis=0) + 0.5) / (one.sum() + 0.5 * one.shape[1])) for one in panes]
    sums = [one @ score for one, score in zip(panes, scores, strict=True)]
    test = pooled(sums, [one.sum(axis=1).astype(float) for one in panes], Window(24, 1.0, day=24))
    assert test is not None
    windows = [
        np.bincount(np.searchsorted(edge, moved(3.0)[name], side="right"), minlength=len(edge) + 1)
        for name, edge in edges.items()
    ]
    shifts = np.array([counts @ score / 480 for counts, score in zip(windows, scores, strict=True)]) - test.middle
    p = p_of_shifts(test, shifts, np.array([480.0, 480.0]))
    assert [found.features[name].value for name in edges] == pytest.approx(shifts.tolist(), rel=1e-12)
    assert [found.features[name].p_value for name in edges] == pytest.approx(p.tolist(), rel=1e-12)
    assert found.feature == "dewp"
    assert found.measures["shift_of_source"].value == pytest.approx(2 * p.min(), rel=1e-12)


def test_a_source_is_one_process_of_the_budget() -> None:
    """Shares, middle, checks and two charts of five features, and the pool; its two features each have half of a process's rate."""
    rate = division.rate(1.0, division.Watched(1, tests=16, charts=10), every_ms=DAY)
    assert rate_of(OF, every_ms=DAY) == pytest.approx(rate, rel=1e-12)
    limit = report_of(OF).sources["weather"].measures["shift_of_source"].threshold
    assert limit == pytest.approx(2 * p_threshold(MARGIN * rate / 2, judgements=1.0, freedom=1.0), rel=1e-12)


def test_it_fires_as_a_rule_of_its_own_at_the_node_of_the_source() -> None:
    report = report_of(OF, moved(8.0))
    (fired,) = [one for one in verdicts_of(report, OF) if one.rule == "shift_of_source"]
    assert (fired.subject, fired.source, fired.feature, fired.owner) == ("source:weather", "weather", None, "met")
    assert (fired.state, fired.severity, fired.kind, fired.n) == ("firing", "P2", "drift", 480)
    assert fired.key == "shift_of_source|source:weather|m|day"
    assert fired.key in keys_of(OF)
    shift = report.sources["weather"].features["dewp"]
    assert fired.evidence == {"moved": "dewp", "shift_sd": shift.value, "moved_p": shift.p_value, "features": 2}
    (quiet,) = [one for one in verdicts_of(report_of(OF), OF) if one.rule == "shift_of_source"]
    assert (quiet.state, quiet.evidence) == ("ok", {})


@pytest.mark.parametrize("changed", [{"fixed": {"psi": 9.0}}, {"budget": None}, {"of a feature": {"ks": 0.9}}])
def test_where_anything_else_decides_it_stands_beside(changed: dict[str, Any]) -> None:
    features, fixed = declared().features, changed.pop("of a feature", {})
    of = watched(
        declared(features={**features, "temp": features["temp"].model_copy(update={"fixed": fixed})}, **changed),
        of=REFERENCE,
    )
    found = report_of(of, moved(8.0)).sources["weather"]
    measure = found.measures["shift_of_source"]
    assert (found.state, measure.threshold, measure.exceeded) == ("ok", None, False)
    assert measure.value is not None
    assert measure.value < 1e-4
    assert [one for one in verdicts_of(report_of(of), of) if one.rule == "shift_of_source"] == []
    assert [key for key in keys_of(of) if "shift_of_source" in key] == []


def test_a_window_is_in_drift_where_a_source_is() -> None:
    report = report_of(OF, moved(8.0))
    assert report.sources["weather"].state == "drift"
    assert report.state == "drift"


def test_a_reference_of_few_blocks_shows_a_p_value_and_decides_nothing() -> None:
    short = build_reference(
        "m", {name: one[: 19 * ROWS] for name, one in COLUMNS.items()},
        panes=panes_of(np.repeat(np.arange(19), ROWS) * HOUR, pane_ms=HOUR),
    )  # fmt: skip
    of = watched(declared(windows={"day": DAY}), of=short)
    found = report_of(of, moved(8.0)).sources["weather"]
    assert (found.state, found.measures["shift_of_source"].threshold) == ("not_enough_data", None)


def test_a_feature_without_values_says_nothing_and_a_window_without_any_has_no_test() -> None:
    found = report_of(OF, SAME | {"temp": [None] * 480}).sources["weather"]
    assert list(found.features) == ["dewp"]
    assert found.measures["shift_of_source"].value == found.features["dewp"].p_value
    assert report_of(OF, SAME | {"temp": [None] * 480, "dewp": [None] * 480}).sources == {}
    assert report_of(OF, complete=False).sources == {}


def test_fewer_rows_than_usual_say_less_and_more_say_no_more() -> None:
    (made,) = known_pooled(OF, "day", DAY)
    test, usual = made.test, np.array([480.0, 480.0])
    assert test.rows == pytest.approx(usual)
    assert test.variance(usual) == pytest.approx(test.in_window + test.in_reference)
    assert test.variance(usual / 4) == pytest.approx(4.0 * test.in_window + test.in_reference)
    assert test.variance(usual * 4) == pytest.approx(test.variance(usual))
    quarter = {name: values[::4] for name, values in moved(3.0).items()}
    found = report_of(OF, quarter).sources["weather"].features
    shifts = np.array([found[place.name].value for place in made.pool.places], dtype=np.float64)
    by_hand = p_of_shifts(test, shifts, usual / 4).tolist()
    assert [found[place.name].p_value for place in made.pool.places] == pytest.approx(by_hand, rel=1e-12)


def _profile(name: str) -> NumericProfile:
    profile = REFERENCE.features[name]
    assert isinstance(profile, NumericProfile)
    return profile


def _folded(name: str, edges: Floats) -> Any:
    profile = _profile(name)
    return fold_to(profile.edges, edges, pane_matrix(profile)[:, : len(profile.counts)])
