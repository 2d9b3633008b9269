"""Charts of pane scores as evaluation keeps them: their values, limits, onsets, what they say, and what is stored of them."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import msgspec
import numpy as np
import pytest

from detectors import cusum, ewma
from detectors.budget import division
from detectors.budget.limits import chart_limits
from detectors.charts.baseline import baseline_of, standardised
from detectors.profile import build_reference, coded, pane_matrix, panes_of
from detectors.run_lengths import cusum as run_lengths
from schemas.findings import Finding, Onset
from schemas.monitored import BudgetMonitor, FeatureMonitor, ModelMonitor
from schemas.reference import NumericProfile
from stream.evaluate.charts.charts import MEMORY_PANES, Charts
from stream.evaluate.charts.limits import FIXED, limits_of
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_pane import Pane, judge_pane
from stream.evaluate.judging.judge_window import judge_window
from stream.evaluate.judging.judged_keys import keys_of
from stream.evaluate.verdicts.standing import Standing, conclude
from stream.evaluate.verdicts.verdict import Clear, Verdict
from tests.support.judged import DAY, HOUR, Floats, counted, monitor, watched, window

ROWS, HOURS = 40, 40 * 24
RANDOM = np.random.default_rng(20130303)
TEMP = RANDOM.normal(50.0, 10.0, ROWS * HOURS)
SCORE = RANDOM.random(ROWS * HOURS)
LIVE = np.random.default_rng(7).normal(50.0, 10.0, ROWS * 200)
REFERENCE = build_reference(
    "m", {"temp": TEMP}, panes=panes_of(np.repeat(np.arange(HOURS), ROWS) * HOUR, pane_ms=HOUR), score=SCORE
)  # fmt: skip


def declared(**changed: Any) -> ModelMonitor:
    temp = FeatureMonitor(type="numeric", importance=changed.pop("importance", 0.3), fixed=changed.pop("temp", {}))
    return monitor(**{"features": {"temp": temp}, "budget": BudgetMonitor(), **changed})


def temps(shift: float, panes: int, *, first: int = 0) -> list[dict[str, Any]]:
    return [{"temp": LIVE[at * ROWS : (at + 1) * ROWS] + shift} for at in range(first, first + panes)]


def walked(of: Watched, rows: list[dict[str, Any]], charts: Charts | None = None) -> list[Any]:
    """What each pane of an hour says, after those that the charts have seen."""
    charts, found = charts or Charts(), []
    begin = (charts.at or 0) // HOUR
    for at, each in enumerate(rows, begin):
        found.append(judge_pane(of, Pane(at * HOUR, (at + 1) * HOUR, counted(of.layout, each)), charts))
        charts = found[-1].charts
    return found


def alarms(walk: list[Any], rule: str = "cusum") -> list[Verdict]:
    every = (one for each in walk for one in each.verdicts if isinstance(one, Verdict))
    return [one for one in every if one.rule == rule and one.state == "firing"]


def test_values_are_pane_scores_in_long_run_sd() -> None:
    of, profile = watched(declared(), of=REFERENCE), REFERENCE.features["temp"]
    assert isinstance(profile, NumericProfile)
    made = baseline_of(pane_matrix(profile)[:, : len(profile.counts)])
    assert made is not None
    pane = counted(of.layout, temps(4.0, 1)[0])
    found, rows = (each[0] for each in of.charted.values(pane.cells[None]))
    bins = np.searchsorted(profile.edges, temps(4.0, 1)[0]["temp"], side="right")
    by_hand = standardised(made, [np.bincount(bins, minlength=len(profile.counts))])
    assert found.tolist() == pytest.approx([float(by_hand[0]), 0.0], rel=1e-12)
    assert rows.tolist() == [ROWS, 0]
    # A shift of 0.4 sd.
    shifted = [of.charted.values(counted(of.layout, row).cells[None])[0][0, 0] for row in temps(4.0, 100)]
    assert np.mean(shifted) == pytest.approx(0.4 / of.charted.variance[0] ** 0.5, abs=0.1)


def test_sums_are_those_of_the_textbook() -> None:
    of = watched(declared(), of=REFERENCE)
    walk = walked(of, temps(0.5, 30))
    up, down, smoothed = np.zeros(1), np.zeros(1), np.zeros(1)
    for row, found in zip(temps(0.5, 30), walk, strict=True):
        x = of.charted.values(counted(of.layout, row).cells[None])[0][0, :1]
        (up, down), smoothed = cusum.step(up, down, x, slack=0.25), ewma.step(smoothed, x)
        assert found.charts.sums[1, :, 0].tolist() == pytest.approx([up[0], down[0]], abs=1e-12)
        assert found.charts.smoothed[0] == pytest.approx(smoothed[0], abs=1e-12)


def test_limits_are_the_budget_s_share_of_two_charts_a_column() -> None:
    of = watched(declared(), of=REFERENCE)
    # Shares and middle of temp and of the score and the learned checks of temp in a window, and two charts of each; a pane an hour.
    rate = division.rate(1.0, division.Watched(1, tests=5, charts=4), every_ms=HOUR)
    found = limits_of(of)
    expected = [chart_limits(baseline, rate) for baseline in of.charted.baselines]
    assert found.at.T.ravel().tolist() == pytest.approx([limit for both in expected for limit in both], rel=1e-12)
    assert (found.decide.tolist(), found.budgeted.tolist()) == ([[True, True], [True, True]], [True, True])
    assert found.at[0, 0] == pytest.approx(9.84, abs=0.01)
    twice = limits_of(watched(declared(budget=BudgetMonitor(false_pages_per_month=2.0)), of=REFERENCE))
    assert (twice.at < found.at).all()


def test_without_a_budget_limits_are_fixed_ones_of_equal_run_length() -> None:
    assert run_lengths.two_sided(0.25, FIXED[1]) == pytest.approx(run_lengths.two_sided(0.5, FIXED[0]), rel=1e-3)
    of = watched(declared(budget=None), of=REFERENCE)
    assert limits_of(of).at.T.tolist() == [list(FIXED)] * 2
    assert limits_of(of).decide.tolist() == [[True, True], [False, False]]
    alarm = alarms(walked(of, temps(0.0, 20) + temps(8.0, 20, first=20)))[0]
    assert (alarm.severity, alarm.threshold, alarm.window) == ("P3", 5.0, None)


@pytest.mark.parametrize("fixed", [{"fixed": {"psi": 0.25}}, {"temp": {"psi": 0.25}}])
@pytest.mark.parametrize("budget", [None, BudgetMonitor()])
def test_charts_only_describe_where_thresholds_are_fixed(fixed: dict[str, Any], budget: BudgetMonitor | None) -> None:
    of = watched(declared(**fixed, budget=budget), of=REFERENCE)
    walk = walked(of, temps(30.0, 10))
    assert alarms(walk) + alarms(walk, "cusum_small") == []
    report = judge_window(of, window(of, {"temp": LIVE}), seen_ms=0, charts=walk[-1].charts)
    found = report.features["temp"].measures["cusum"]
    assert (found.value, found.threshold, found.exceeded) == (limits_of(of).held[0, 0], None, False)


def test_by_the_budget_an_alarm_is_as_heavy_as_its_shift() -> None:
    of = watched(declared(), of=REFERENCE)
    slight = alarms(walked(of, temps(5.0, 30)))
    assert {one.severity for one in slight} == {"P2"}
    assert slight[-1].evidence["shift"] == pytest.approx(0.5, abs=0.12)
    heavy = alarms(walked(of, temps(15.0, 30)))
    assert (heavy[-1].severity, heavy[-1].evidence["direction"]) == ("P1", "up")
    assert heavy[-1].evidence["shift"] == pytest.approx(1.4, abs=0.1)  # ranks see less of a large one
    assert {
        one.severity for one in alarms(walked(watched(declared(importance=0.0), of=REFERENCE), temps(15.0, 30)))
    } == {"P3"}


def test_a_fall_of_the_prediction_s_score_is_the_model_s() -> None:
    of = watched(declared(), of=REFERENCE)
    scores = [{"score": np.random.default_rng(at).random(ROWS) * 0.5} for at in range(20)]
    found = alarms(walked(of, scores), "cusum_small")
    assert (found[0].subject, found[0].kind, found[0].feature) == ("model:m", "prediction_drift", None)
    assert (found[0].evidence["direction"], found[0].memory, found[0].n) == ("down", MEMORY_PANES[1] * HOUR, ROWS)
    # Its scores halve at once: a fall is dated as a rise is, and its size is known although the EWMA has hardly moved yet.
    assert found[0].onset == Onset(0, HOUR, 0.95)
    assert found[0].evidence["shift"] == pytest.approx(-0.78, abs=0.1)


def test_an_alarm_says_when_it_began_and_does_not_change_its_mind() -> None:
    walk = walked(watched(declared(), of=REFERENCE), temps(0.0, 60) + temps(6.0, 30, first=60))
    found = alarms(walk)
    onset = found[0].onset
    assert onset is not None
    assert {one.onset for one in found} == {onset}
    assert 55 * HOUR <= onset.lo <= 60 * HOUR <= onset.hi <= found[0].start_ms + HOUR
    assert onset.coverage == 0.95


def test_a_night_without_rows_is_part_of_the_onset() -> None:
    """What began while nothing came shows with the first row after it."""
    of = watched(declared(), of=REFERENCE)
    before = walked(of, temps(0.0, 60))[-1].charts
    after = [
        Pane((80 + at) * HOUR, (81 + at) * HOUR, counted(of.layout, row))
        for at, row in enumerate(temps(40.0, 5, first=60))
    ]
    for pane in after:
        found = judge_pane(of, pane, before)
        before = found.charts
    onset = next(one.onset for one in found.verdicts if isinstance(one, Verdict) and one.onset)
    assert onset.lo <= 60 * HOUR
    assert onset.hi == 81 * HOUR


def test_a_chart_stays_beyond_its_limit_until_it_is_well_below_and_recovers_within_its_memory() -> None:
    of = watched(declared(), of=REFERENCE)
    limits, charts = limits_of(of), walked(of, temps(100.0, 40))[-1].charts
    assert charts.sums[:, 0, 0].tolist() == limits.held[:, 0].tolist()
    # All of the reference's rows at once: exactly its middle, so that each sum falls by its slack.
    again = walked(of, [{"temp": TEMP}] * 30, charts)
    beyond = np.array([each.charts.beyond[:, 0] for each in again])
    assert [int(each.argmin()) + 1 for each in beyond.T] == list(MEMORY_PANES)


def told(standing: Standing, of: Watched, found: Any) -> tuple[list[Finding], Standing]:
    return conclude(found.verdicts, standing, at_ms=found.charts.at, revision=1, seen_ms=0, watched=of)


def test_who_was_told_is_told_that_it_is_over_and_of_nothing_else_anything_stands() -> None:
    of = watched(declared(), of=REFERENCE)
    standing, said = Standing(), list[Finding]()
    for found in walked(of, temps(0.0, 30) + temps(8.0, 10, first=30) + temps(0.0, 60, first=40)):
        findings, standing = told(standing, of, found)
        said += findings
    for rule in ("cusum", "cusum_small"):
        own = [one for one in said if one.rule == rule]
        assert [state for state, _ in groupby(one.state for one in own)] == ["firing", "ok"]
        assert own[0].at > 30 * HOUR
        assert own[-1].at <= (40 + 2 * MEMORY_PANES[1]) * HOUR
    assert [key for key in standing.keys if key.startswith("cusum") and key.endswith("model:m||")] == []


def test_charts_are_among_the_keys_that_are_judged() -> None:
    charts = {key for key in keys_of(watched(declared(), of=REFERENCE)) if key.startswith("cusum")}
    subjects = ("feature:m/temp", "model:m")
    assert charts == {f"{rule}|{subject}||" for rule in ("cusum", "cusum_small") for subject in subjects}


def test_a_pane_without_values_moves_no_chart_and_says_nothing() -> None:
    of = watched(declared(), of=REFERENCE)
    walk = walked(of, [*temps(8.0, 10), {"dest": ["a"] * 30}])
    before, after = walk[-2].charts, walk[-1].charts
    assert after.sums.tolist() == before.sums.tolist()
    assert (after.smoothed[0], after.since.tolist(), after.at) == (before.smoothed[0], before.since.tolist(), 11 * HOUR)
    assert not [one for one in walk[-1].verdicts if isinstance(one, Clear) or one.whole().rule.startswith("cusum")]
    assert after.recent.values(0)[0].tolist() == [at * HOUR for at in range(1, 11)]


def test_what_is_stored_comes_back_and_goes_on_alike() -> None:
    of = watched(declared(), of=REFERENCE)
    charts = walked(of, temps(6.0, 9))[-1].charts
    back = Charts.from_json(charts.to_json())
    assert back.to_json() == charts.to_json()
    on, again = (walked(of, temps(6.0, 6, first=9), each)[-1].charts.to_json() for each in (charts, back))
    assert on == again


def test_the_newest_panes_are_kept_and_no_more() -> None:
    of = watched(declared(), of=REFERENCE)
    row = temps(0.0, 1)[0]
    charts = walked(of, [row] * 520)[-1].charts
    ends, values = charts.recent.values(0)
    assert (len(ends), ends[0], ends[-1]) == (512, 9 * HOUR, 520 * HOUR)
    assert set(values) == {round(float(of.charted.values(counted(of.layout, row).cells[None])[0][0, 0]) * 12) / 12}
    assert len(charts.to_json()) < 2_000


def test_charts_stored_by_an_earlier_release_begin_anew_and_freshness_goes_on() -> None:
    of = watched(declared(), of=REFERENCE)
    old = {
        "layout": of.layout.hash, "first": 0, "at": 5 * HOUR, "values": {"temp": 5 * HOUR},
        "smoothed": [0.3, 0.0], "up": [4.0, 0.0], "down": [0.0, 0.0], "up_since": [0, 0], "down_since": [0, 0],
    }  # fmt: skip
    charts = Charts.from_json(msgspec.json.encode(old))
    assert (charts.first, charts.at, charts.values) == (0, 5 * HOUR, {"temp": 5 * HOUR})
    after = walked(of, temps(0.0, 1), charts)[-1].charts
    assert (after.sums.shape, after.first, len(after.recent.ends)) == ((2, 2, 2), 0, 1)


def test_charts_of_another_layout_begin_anew() -> None:
    charts = walked(watched(declared(), of=REFERENCE), temps(9.0, 5))[-1].charts
    of = watched(declared(pane_ms=2 * HOUR), of=REFERENCE)
    after = judge_pane(of, Pane(6 * HOUR, 8 * HOUR, counted(of.layout, {"dest": ["a"]})), charts).charts
    assert (after.sums.sum(), after.layout, after.first) == (0.0, of.layout.hash, 0)
    assert after.values == {"temp": 5 * HOUR}


@pytest.mark.parametrize(("pane_ms", "charts"), [(HOUR // 2, 0), (HOUR, 2), (24 * HOUR, 2), (72 * HOUR, 0)])
def test_a_chart_needs_twenty_panes_of_the_reference_that_make_up_live_ones(pane_ms: int, charts: int) -> None:
    of = watched(declared(pane_ms=pane_ms), of=REFERENCE)
    assert len(of.charted) == charts
    assert judge_pane(of, Pane(0, pane_ms, counted(of.layout, {"temp": LIVE})), Charts()).charts.sums.shape[2] == charts


def test_a_column_of_names_and_another_stream_have_no_chart() -> None:
    of = build_reference(
        "m", {"temp": TEMP[:4000], "dest": coded(["a"] * 4000)},
        panes=panes_of(np.repeat(np.arange(100), ROWS) * HOUR, pane_ms=HOUR),
    )  # fmt: skip
    features = {"temp": FeatureMonitor(type="numeric"), "dest": FeatureMonitor(type="categorical")}
    known = watched(declared(features=features), of=of)
    assert [known.yardstick.places[number].name for number in known.charted.numbers] == ["temp"]
    assert len(watched(declared(features=features), of=of, stream="features").charted) == 0


def test_reports_show_both_charts_with_their_limits_and_the_ewma() -> None:
    of = watched(declared(), of=REFERENCE)
    charts = walked(of, temps(8.0, 20))[-1].charts
    rows: dict[str, Floats] = {"temp": LIVE[: 24 * ROWS]}
    measures = judge_window(of, window(of, rows, end=DAY), seen_ms=0, charts=charts).features["temp"].measures
    limits = limits_of(of)
    for chart, rule in enumerate(("cusum", "cusum_small")):
        assert (measures[rule].threshold, measures[rule].exceeded) == (limits.at[chart, 0], True)
        assert measures[rule].value == charts.sums[chart, 0, 0]
    assert (measures["ewma"].value, measures["ewma"].threshold) == (charts.smoothed[0], None)
    assert "limit 0.646" in measures["ewma"].convention
