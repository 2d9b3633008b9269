"""A window's report: the published numbers from its counts, what decides, and every state."""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np
import pytest

from detectors.profile import build_reference, coded
from detectors.psi import driftline_categorical, driftline_numeric
from schemas.findings import Effect
from schemas.reference import CategoricalProfile, NumericProfile
from schemas.reports import encode
from stream.evaluate.charts.charts import Charts
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_window import judge_window
from stream.evaluate.judging.window_verdicts import verdicts_of
from stream.evaluate.verdicts.verdict import Verdict
from tests.support.judged import (
    DAY,
    DEST,
    DEST_NOW,
    HOUR,
    NOW,
    REFERENCE,
    SCORE,
    TEMP,
    monitor,
    watched,
    window,
    with_temp,
)

SAME: dict[str, Any] = {"temp": TEMP, "dest": DEST, "score": SCORE}


def by_rule(of: Watched, rows: dict[str, Any], **changed: Any) -> dict[tuple[str, str], Verdict]:
    report = judge_window(of, window(of, rows, **changed), seen_ms=0)
    return {(verdict.rule, verdict.subject): verdict for verdict in verdicts_of(report, of)}


def test_numbers_of_a_numeric_column_are_those_of_the_rows() -> None:
    of = watched()
    profile = REFERENCE.features["temp"]
    assert isinstance(profile, NumericProfile)
    counts = window(of, {"temp": NOW}).total.cells[of.layout.numeric_starts[0] :][: len(profile.counts)]

    temp = judge_window(of, window(of, {"temp": NOW}), seen_ms=0).features["temp"]
    assert (temp.n, temp.n_reference, temp.missing_ratio) == (1500, 2000, 0.0)
    assert temp.measures["psi"].value == pytest.approx(driftline_numeric(profile, counts), rel=1e-12)
    assert temp.measures["ks"].value == pytest.approx(244 / 1500, rel=1e-12)
    assert temp.measures["ks"].p_value == pytest.approx(4.0159e-20, rel=1e-3)
    assert temp.mean == pytest.approx(5355.089638036337 / 1500, abs=1e-4)


def test_numbers_of_names_are_the_published_ones() -> None:
    of = watched()
    dest = judge_window(of, window(of, {"dest": DEST_NOW}), seen_ms=0).features["dest"]
    profile = REFERENCE.features["dest"]
    assert isinstance(profile, CategoricalProfile)
    counts = {"a": 330, "b": 140, "c": 20, "d": 0}
    expected = driftline_categorical(profile, [counts[name] for name in profile.categories], unseen=10)
    assert (dest.n, dest.mean) == (500, None)
    assert dest.measures["psi"].value == pytest.approx(expected, rel=1e-12)
    # The reference holds the published 1 000 rows twice.
    table = np.array([[1400, 500, 98, 2, 0], [330, 140, 20, 0, 10]])
    independent = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    assert dest.measures["chi2"].value == pytest.approx(
        float(((table - independent) ** 2 / independent).sum()), rel=1e-12
    )
    assert dest.measures["chi2"].convention == "2 x k, values"


def test_the_reference_against_itself_is_nothing() -> None:
    of = watched()
    report = judge_window(of, window(of, SAME), seen_ms=0)
    assert (report.state, report.drift_score) == ("ok", 0.0)
    psi = report.features["temp"].measures["psi"]
    assert psi.value == pytest.approx(0.0, abs=1e-12)
    assert (psi.threshold, psi.exceeded) == (0.25, False)
    # Ten bins and two sides of 2 000 independent rows would be 9/1000; this sequence fills bins more evenly than chance does.
    assert psi.expected == pytest.approx(0.001013882083945778, rel=1e-9)
    assert report.prediction["score"].measures["ks"].value == 0.0
    assert {verdict.state for verdict in verdicts_of(report, of)} == {"ok"}


def test_a_drifted_feature_fires_and_says_how_strong_on_what() -> None:
    found = by_rule(watched(), SAME | {"temp": TEMP + 4.0})
    verdict = found["psi", "feature:m/temp"]
    assert (verdict.state, verdict.severity, verdict.kind) == ("firing", "P1", "drift")
    assert (verdict.n, verdict.threshold, verdict.window, verdict.memory, verdict.start_ms) == (
        2000,
        0.25,
        "day",
        DAY,
        0,
    )
    assert verdict.every == DAY
    assert (verdict.source, verdict.owner, verdict.effect) == ("weather", "data", Effect(importance=0.3))
    assert verdict.evidence["n_reference"] == 2000
    assert verdict.evidence["mean"] == pytest.approx(TEMP.mean() + 4.0, abs=1e-3)
    assert verdict.key == "psi|feature:m/temp||day"
    assert found["psi", "model:m"].state == "ok"


def test_the_share_of_importance_in_drift() -> None:
    of = watched()
    report = judge_window(of, window(of, SAME | {"temp": TEMP + 4.0}), seen_ms=0)
    assert (report.state, report.features["temp"].state, report.features["dest"].state) == ("drift", "drift", "ok")
    assert report.drift_score == pytest.approx(0.75)


def test_a_feature_that_was_not_judged_has_no_share() -> None:
    of = watched()
    report = judge_window(of, window(of, {"temp": TEMP + 4.0, "dest": DEST[:99]}), seen_ms=0)
    assert (report.features["dest"].state, report.drift_score) == ("not_enough_data", 1.0)
    assert judge_window(of, window(of, SAME, complete=False), seen_ms=0).drift_score is None


def test_as_many_missing_rows_as_in_the_reference_are_no_drift() -> None:
    half = np.where(np.arange(2000) % 2, np.nan, TEMP)
    of = watched(of=build_reference("m", {"temp": half}))
    rows = {"temp": [None if np.isnan(x) else float(x) for x in half]}
    temp = judge_window(of, window(of, rows), seen_ms=0).features["temp"]
    assert (temp.n, temp.n_reference, temp.missing_ratio) == (1000, 1000, 0.5)
    assert temp.measures["psi"].value == pytest.approx(0.0, abs=1e-12)


def test_a_change_of_the_score_is_prediction_drift_of_the_model() -> None:
    found = by_rule(watched(), SAME | {"score": SCORE**2})
    verdict = found["psi", "model:m"]
    assert (verdict.kind, verdict.state, verdict.severity, verdict.owner) == ("prediction_drift", "firing", "P2", "ml")
    assert by_rule(watched(), SAME | {"score": SCORE**9})["psi", "model:m"].severity == "P1"


def test_missing_rows_fire_apart_from_their_drift() -> None:
    of = watched(with_temp(null_threshold=0.05))
    rows = SAME | {"temp": [None] * 5 + [float(x) for x in TEMP[:95]]}
    assert by_rule(of, rows)["missing", "feature:m/temp"].state == "ok"
    rows["temp"] = [None] * 6 + [float(x) for x in TEMP[:94]]
    verdict = by_rule(of, rows)["missing", "feature:m/temp"]
    assert (verdict.state, verdict.value, verdict.threshold, verdict.kind) == ("firing", 0.06, 0.05, "missing")
    assert verdict.severity == "P2"


def test_rows_without_a_value_count_where_the_rule_counts_them() -> None:
    of = watched(with_temp(null_threshold=0.05, fixed={"psi": 0.25, "ks": 0.2}))
    rows = SAME | {"temp": [None] * 1400 + [float(x) for x in TEMP[:600]]}
    found = by_rule(of, rows)
    assert {rule: found[rule, "feature:m/temp"].n for rule in ("psi", "missing", "ks")} == {
        "psi": 2000, "missing": 2000, "ks": 600,
    }  # fmt: skip


def test_p_values_decide_where_they_are_set() -> None:
    of = watched(monitor(fixed={"ks_p": 0.01, "chi2_p": 0.01, "js": 0.1}))
    found = by_rule(of, {"temp": NOW, "dest": DEST_NOW, "score": SCORE})
    states = {key: (verdict.state, verdict.severity) for key, verdict in found.items()}
    assert states == {
        ("ks_p", "feature:m/temp"): ("firing", "P2"),
        ("chi2_p", "feature:m/dest"): ("firing", "P2"),
        ("ks_p", "model:m"): ("ok", "P2"),
    }


def test_a_slow_window_judges_only_what_declares_it() -> None:
    of = watched(with_temp(slow_window_ms=28 * DAY))
    slow = window(of, SAME, name="slow", end=28 * DAY)
    report = judge_window(of, slow, seen_ms=0)
    assert (list(report.features), report.prediction) == (["temp"], {})
    assert [verdict.key for verdict in verdicts_of(report, of)] == ["psi|feature:m/temp||slow"]


@pytest.mark.parametrize(
    ("rows", "complete", "state", "temp"),
    [
        (SAME, False, "warming", "warming"),
        ({}, True, "no_traffic", "no_traffic"),
        ({"temp": TEMP[:99]}, True, "not_enough_data", "not_enough_data"),
        ({"temp": TEMP[:100]}, True, "ok", "ok"),
        ({"tail": ["#1"] * 500}, True, "no_reference", "no_traffic"),
    ],
)  # fmt: skip
def test_states(rows: dict[str, Any], complete: bool, state: str, temp: str) -> None:
    of = watched()
    report = judge_window(of, window(of, rows, complete=complete), seen_ms=0)
    assert (report.state, report.features["temp"].state) == (state, temp)
    assert report.features["tail"].state == (
        "no_reference" if "tail" in rows else "warming" if not complete else "no_traffic"
    )


def test_a_feature_whose_last_value_is_old_is_stale() -> None:
    of = watched(with_temp(freshness_sla_ms=2 * HOUR))
    fresh, stale = (Charts(first=0, at=DAY, values={"temp": DAY - age * HOUR}) for age in (2, 3))
    states = [judge_window(of, window(of, SAME), seen_ms=0, charts=at).features["temp"].state for at in (fresh, stale)]
    assert states == ["ok", "stale"]


def test_a_warming_window_says_nothing_and_an_empty_one_that_it_cannot_say() -> None:
    assert by_rule(watched(), SAME, complete=False) == {}
    assert {verdict.state for verdict in by_rule(watched(), {}).values()} == {"no_data"}


def test_few_values_among_many_rows_are_judged_by_psi_and_by_what_is_missing() -> None:
    rows = {"temp": [None] * 300 + [1.0] * 99}
    temp = judge_window(watched(), window(watched(), rows), seen_ms=0).features["temp"]
    assert (set(temp.measures), temp.state) == ({"psi", "missing"}, "drift")


def test_upstream_values_are_described_and_only_their_gaps_decide() -> None:
    of = watched(with_temp(null_threshold=0.05), stream="features")
    rows = {"temp": [None] * 50 + [float(x) for x in TEMP + 4.0]}
    report = judge_window(of, window(of, rows), seen_ms=0)
    assert report.features["temp"].measures["psi"].threshold is None
    assert [verdict.key for verdict in verdicts_of(report, of)] == ["missing_upstream|feature:m/temp||day"]


@pytest.mark.parametrize("stream", ["labels", "serving"])
def test_other_streams_have_no_columns(stream: Any) -> None:
    of = watched(stream=stream)
    total = window(of, {}).total
    total.cells[1] = 5
    report = judge_window(of, window(of, {}), seen_ms=0)
    assert (report.features, report.prediction, verdicts_of(report, of)) == ({}, {}, [])


@pytest.mark.parametrize("rows", [{}, {"temp": [None] * 200}, {"temp": [1e308] * 200, "dest": [None] * 200}, SAME])
def test_no_number_is_nan_and_nothing_warns(rows: dict[str, Any]) -> None:
    of = watched()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = judge_window(of, window(of, rows), seen_ms=0)
    for column in (*report.features.values(), *report.prediction.values()):
        for measure in column.measures.values():
            assert measure.value is not None
            assert np.isfinite(measure.value)
    assert json.loads(encode(report))["window"] == "day"


def test_unlisted_names_of_the_reference_are_no_unseen_ones() -> None:
    """2 000 names are listed: a further one cannot be told from an unseen one, so both are one bin."""
    names = [f"n{at:04}" for at in range(2500)]
    of = watched(of=build_reference("m", {"dest": coded(names)}))
    dest = judge_window(of, window(of, {"dest": names}), seen_ms=0).features["dest"]
    assert (dest.n, dest.n_reference) == (2500, 2500)
    assert dest.measures["psi"].value == pytest.approx(0.0, abs=1e-12)
    assert dest.measures["chi2"].p_value == 1.0


def test_a_feature_called_like_the_score_is_not_the_score() -> None:
    before = monitor()
    named = before.model_copy(
        update={"features": {"score": before.features["temp"].model_copy(update={"freshness_sla_ms": 1})}}
    )
    of = watched(named)
    report = judge_window(of, window(of, SAME), seen_ms=0, charts=Charts(first=0, at=DAY, values={"score": 0}))
    assert (report.features["score"].state, report.prediction["score"].state) == ("stale", "ok")
    assert (report.features["score"].n, report.prediction["score"].n) == (0, 2000)
