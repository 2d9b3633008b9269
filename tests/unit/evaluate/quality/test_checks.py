"""Data quality of a window: what each check finds, by what limit, how bad it is, and how it is told and taken back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from detectors.calibration import calibrate
from detectors.profile import Panes, build_reference, categorical_profile, coded, numeric_profile, panes_of
from detectors.quality.limits import learned_limits
from detectors.quality.stillness import allowed_panes
from schemas.reports import Column, Measure
from stream.evaluate.charts.charts import Charts
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_pane import Pane, judge_pane
from stream.evaluate.judging.judge_window import Window, judge_window
from stream.evaluate.quality.verdicts import quality_verdicts, still_judged
from stream.evaluate.verdicts import severity
from stream.evaluate.verdicts.standing import Standing, conclude
from stream.evaluate.verdicts.verdict import Verdict
from stream.state.layout import CATEGORY_TAIL, SPECIALS
from tests.support.judged import DAY, DEST, HOUR, PANES, REFERENCE, TEMP, monitor, watched, window, with_temp

#: As often as the reference has them, in a day of about as many rows: the reference has 50 of a day.
WEEK = 7 * DAY
ROWS = 512
SAME: dict[str, Any] = {"temp": TEMP[:ROWS], "dest": (DEST * 2)[::4][: ROWS - 12]}
#: 750 panes of 20 rows; windows of 25.
MONTH = Panes(HOUR, tuple(range(750)), np.arange(15_000) // 20)
DAY_OF_ROWS = calibrate.Window(25, 500)
CHECKS = ("missing", "nonfinite", "type", "range", "outside", "unseen", "constant", "vanished")


def column(of: Watched, rows: dict[str, Any], name: str) -> Column:
    return judge_window(of, window(of, rows), seen_ms=0).features[name]


def checks(found: Column) -> dict[str, Measure]:
    return {name: measure for name, measure in found.measures.items() if name in CHECKS}


def failing(of: Watched, rows: dict[str, Any], *, standing: Standing | None = None) -> list[Verdict]:
    report = judge_window(of, window(of, rows), seen_ms=0)
    return list(quality_verdicts(report, of, standing or Standing()))


def with_marks(of: Watched, rows: dict[str, Any], name: str, **marks: int) -> Window:
    """The window of these rows with so many of them marked as something that no list can hold."""
    made = window(of, rows)
    at = next(place for place in of.yardstick.places if place.name == name)
    tail = SPECIALS if at.number is not None else CATEGORY_TAIL
    for mark, count in marks.items():
        made.total.cells[at.first + at.bins + tail.index(mark)] += count
    return made


def test_a_window_like_the_reference_has_nothing_to_say() -> None:
    of = watched()
    assert (checks(column(of, SAME, "temp")), checks(column(of, SAME, "dest"))) == ({}, {})
    assert failing(of, SAME) == []


def test_limits_are_those_that_the_reference_teaches() -> None:
    rows = {**SAME, "temp": [*TEMP[:500], *[None] * 12]}
    found = column(watched(), rows, "temp").measures["missing"]
    profile = REFERENCE.features["temp"]
    limit = learned_limits(profile, calibrate.Window(24, 512, day=24))["missing"]
    assert (found.value, found.threshold, found.expected) == (12 / 512, limit.limit, limit.expected)
    assert found.exceeded
    assert limit.limit == 3 / 512  # of 2 000 rows none was missing


def test_as_much_as_the_limit_is_not_beyond_it() -> None:
    found = column(watched(), {**SAME, "temp": [*TEMP[:509], *[None] * 3]}, "temp").measures["missing"]
    assert (found.value, found.threshold, found.exceeded) == (3 / 512, 3 / 512, False)


def test_what_is_held_against_the_weeks_before_has_outgrown_the_references_names_and_range() -> None:
    rows = {**SAME, "temp": [*TEMP[:480], *[None] * 12, *[99.0] * 20], "dest": [*SAME["dest"][:450], *["x"] * 50]}
    changed = monitor()
    features = {name: each.model_copy(update={"reference": "rolling"}) for name, each in changed.features.items()}
    for of, found in ((watched(), True), (watched(changed.model_copy(update={"features": features})), False)):
        temp, dest = (column(of, rows, name).measures for name in ("temp", "dest"))
        assert (temp["outside"].exceeded, dest["unseen"].exceeded) == (found, found)
        assert temp["missing"].exceeded


def test_what_is_promised_stands_above_what_was_learned() -> None:
    of = watched(with_temp(null_threshold=0.05))
    rows = {**SAME, "temp": [*TEMP[:500], *[None] * 12]}
    assert column(of, rows, "temp").measures["missing"] == Measure(12 / 512, "share of rows", threshold=0.05)
    assert failing(of, rows) == []
    told = failing(of, {**SAME, "temp": [*TEMP[:400], *[None] * 112]})
    assert told == []  # the window's rule says it


def test_names_never_seen_are_held_against_blocks_of_the_reference() -> None:
    of = watched()
    rows = {**SAME, "dest": [*SAME["dest"][:490], *["x"] * 10]}
    found = column(of, rows, "dest").measures["unseen"]
    assert (found.value, found.convention, found.exceeded) == (0.02, "share of values, block Good-Turing", True)
    (verdict,) = failing(of, rows)
    assert (verdict.rule, verdict.kind, verdict.severity, verdict.n) == ("unseen", "unseen", "P3", 500)


def test_values_beyond_the_reference() -> None:
    of = watched()
    rows = {**SAME, "temp": [*TEMP[:480], *[99.0] * 32]}
    found = column(of, rows, "temp").measures["outside"]
    assert (found.value, found.exceeded) == (32 / 512, True)
    assert found.threshold is not None
    assert 0.0 < found.threshold < 0.01


@pytest.mark.parametrize(
    ("allowed", "values", "share"),
    [
        ((0.0, 10.0), [5.0] * 99 + [10.000001], 0.01),  # hardly out, and one row: exact
        ((0.0, 50.0), [5.0] * 90 + [99.0] * 10, 0.1),  # half-octaves beyond the reference
        ((2.0, 10.0), [1.0] * 25 + [5.0] * 75, 0.25),  # within the reference
        ((0.0, 99.0), [5.0] * 50 + [99.0] * 50, None),  # the ends are allowed
    ],
)
def test_the_declared_range(allowed: tuple[float, float], values: list[float], share: float | None) -> None:
    found = column(watched(with_temp(range=allowed)), {"temp": values}, "temp").measures.get("range")
    assert (found.value if found else None) == share
    assert found is None or (found.threshold, found.exceeded) == (0.0, True)


def test_a_range_needs_no_reference_and_no_hundred_rows() -> None:
    changed = with_temp(range=(0.0, 50.0))
    features = {**changed.features, "new": changed.features["temp"]}
    of = watched(changed.model_copy(update={"features": features}))
    assert column(of, {"new": [60.0]}, "new").measures["range"].value == 1.0
    assert column(of, {"new": [40.0]}, "new").measures == {}


def test_types_and_infinities() -> None:
    of = watched()
    found = judge_window(of, with_marks(of, SAME, "temp", wrong_type=1, nan=3, negative_infinity=2), seen_ms=0)
    measures = found.features["temp"].measures
    assert (measures["type"].value, measures["type"].threshold, measures["type"].exceeded) == (1 / 518, 0.0, True)
    assert (measures["nonfinite"].value, measures["nonfinite"].exceeded) == (5 / 518, True)
    names = judge_window(of, with_marks(of, SAME, "dest", wrong_type=50), seen_ms=0).features["dest"]
    assert names.measures["type"].value == 50 / 550


def test_one_value_in_a_whole_window_and_none() -> None:
    of = watched()
    constant = column(of, {**SAME, "temp": [3.0] * 512}, "temp").measures
    assert (constant["constant"].value, constant["constant"].exceeded) == (1.0, True)
    assert "constant" not in column(of, {**SAME, "temp": [3.0] * 99}, "temp").measures
    gone = column(of, {**SAME, "temp": [None] * 512}, "temp")
    assert gone.measures["vanished"].exceeded
    assert gone.state == "drift"
    assert [(one.rule, one.severity) for one in failing(of, {**SAME, "temp": [None] * 512})] == [("vanished", "P1")]


def test_where_the_reference_stands_still_or_misses_for_hours_a_day_of_it_is_no_trouble() -> None:
    """Half of the reference's days have one value, and half of them none; the rows of one are not independent."""
    random, day = np.random.default_rng(1), np.arange(2_000) // 50
    calm = np.where(random.random(40)[day] < 0.5, 0.0, random.normal(size=2_000))
    holed = np.where(random.random(40)[day] < 0.5, np.nan, random.normal(size=2_000))
    times = np.arange(2_000, dtype=np.int64) * (PANES * HOUR // 2_000)
    panes = panes_of(times, pane_ms=HOUR)
    for values, rows in ((calm, [0.0] * 512), (holed, [None] * 512)):
        of = watched(of=build_reference("m", {"temp": values, "dest": coded(DEST * 2)}, panes=panes))
        assert checks(column(of, {**SAME, "temp": rows}, "temp")).keys() <= {"missing"}


def test_without_twenty_blocks_or_panes_in_time_order_nothing_is_learned() -> None:
    of = watched(monitor(windows={"day": DAY, "month": 30 * DAY}))
    profile = REFERENCE.features["temp"]
    assert set(learned_limits(profile, calibrate.Window(PANES, 2000))) == {"missing", "nonfinite", "outside"}
    short = profile.__class__(
        **{name: getattr(profile, name) for name in profile.__slots__ if name != "pane_counts"},
        pane_counts=profile.pane_counts[:19],
    )
    assert learned_limits(short, calibrate.Window(24, 512)) == {}
    few = column(of, {"temp": [*TEMP[:50], *[None] * 30]}, "temp")
    assert "missing" not in few.measures


def test_on_a_features_own_events_only_what_was_agreed_decides() -> None:
    of = watched(with_temp(range=(0.0, 9.0)), stream="features")
    rows = {"temp": [*TEMP[:400], *[None] * 100, 99.0]}
    measures = column(of, rows, "temp").measures
    assert {name: measure.exceeded for name, measure in measures.items() if name in CHECKS} == {
        "outside": False, "range": True,
    }  # fmt: skip
    assert [verdict.rule for verdict in failing(of, rows)] == ["range_upstream"]
    assert "vanished" not in column(of, {"temp": [None] * 512}, "temp").measures


def walk(of: Watched, hours: list[list[Any]]) -> list[tuple[str, float | None]]:
    """What is said of ``stuck``, hour by hour."""
    said: list[tuple[str, float | None]] = []
    charts = Charts()
    for hour, values in enumerate(hours):
        made = window(of, {"temp": values, "dest": ["a"] * 40})
        found = judge_pane(of, Pane(hour * HOUR, (hour + 1) * HOUR, made.total), charts)
        charts = found.charts
        verdicts = [one for one in found.verdicts if isinstance(one, Verdict)]
        said += [(one.state, one.value) for one in verdicts if one.rule == "stuck"]
    return said


def test_a_feature_that_stands_still_is_told_from_its_third_pane_and_until_it_moves() -> None:
    assert walk(watched(), [[3.0] * 20] * 4 + [[1.0, 2.0]] * 2) == [
        ("firing", 3 * 3600.0), ("firing", 4 * 3600.0), ("ok", None),
    ]  # fmt: skip
    assert walk(watched(), [[3.0] * 20, [], [3.0] * 20, [None] * 20, [3.0]]) == [("firing", 3 * 3600.0)]
    assert walk(watched(), [[3.0] * 20, [3.0] * 20, [4.0] * 20, [4.0] * 20]) == []
    assert walk(watched(), [[3.0]] * 6) == []  # one row a pane begins no run


def test_what_stands_still_is_kept_with_the_charts_and_shown_in_the_report() -> None:
    of, charts = watched(), Charts()
    for hour in range(3):
        made = window(of, {"temp": [3.0] * 20})
        charts = judge_pane(of, Pane(hour * HOUR, (hour + 1) * HOUR, made.total), charts).charts
    charts = Charts.from_json(charts.to_json())
    report = judge_window(of, window(of, SAME), seen_ms=0, charts=charts)
    temp = report.features["temp"]
    assert (temp.state, temp.measures["stuck"].value, temp.measures["stuck"].threshold) == ("drift", 10800.0, 7200.0)
    assert list(quality_verdicts(report, of, Standing())) == []  # the pane has said it


def test_a_value_that_the_reference_holds_for_days_may_stand_still_as_long_as_chance_allows() -> None:
    random = np.random.default_rng(1)
    often = np.repeat(np.where(random.random(240) < 0.7, 0.0, random.normal(size=240)), 40)
    hours = Panes(HOUR, tuple(range(960)), np.arange(9600) // 10)
    assert allowed_panes(numeric_profile(often, hours)) > 60
    daily = np.repeat(random.normal(size=40), 240)
    assert allowed_panes(numeric_profile(daily, hours)) == 48  # twice a day: its runs are all as long


def test_a_check_is_told_where_it_fails_and_taken_back_once() -> None:
    of, standing = watched(with_temp(range=(0.0, 50.0))), Standing()
    told: list[tuple[str, str]] = []
    for day, high in enumerate((5.0, 60.0, 60.0, 5.0, 5.0)):
        made = window(of, {**SAME, "temp": [*TEMP[:511], high]}, end=(day + 1) * DAY)
        report = judge_window(of, made, seen_ms=0)
        verdicts = list(quality_verdicts(report, of, standing))
        found, standing = conclude(
            verdicts, standing, at_ms=report.end, revision=report.events, seen_ms=0, watched=of
        )  # fmt: skip
        told += [(one.rule, one.state) for one in found if one.rule == "range"]
        assert all(one.onset.lo == DAY for one in found if one.rule == "range")
    assert told == [("range", "firing"), ("range", "firing"), ("range", "ok")]


def test_a_new_configuration_keeps_what_it_judges_too() -> None:
    of = watched(with_temp(range=(0.0, 50.0)))
    report = judge_window(of, window(of, {"temp": [60.0] * 10}), seen_ms=0)
    verdicts = list(quality_verdicts(report, of, Standing()))
    _, standing = conclude(verdicts, Standing(), at_ms=DAY, revision=10, seen_ms=0, watched=of)
    assert still_judged(of, standing) == {"range|feature:m/temp||day"}
    assert still_judged(watched(monitor(windows={"week": WEEK})), standing) == frozenset()
    gone = monitor().model_copy(update={"features": {}})
    assert still_judged(watched(gone), standing) == frozenset()


@pytest.mark.parametrize(
    ("check", "value", "threshold", "importance", "expected"),
    [
        ("vanished", 1.0, 0.0, 0.1, "P1"), ("vanished", 1.0, 0.0, None, "P2"), ("vanished", 1.0, 0.0, 0.0, "P3"),
        ("type", 0.1, 0.0, 0.1, "P1"), ("type", 0.09, 0.0, 0.1, "P2"), ("type", 0.009, 0.0, 0.1, "P3"),
        ("missing", 0.2, 0.1, 0.9, "P2"), ("missing", 0.2, 0.1, 0.09, "P3"), ("missing", 0.2, 0.1, None, "P2"),
        ("missing", 0.19, 0.1, 0.9, "P3"), ("unseen", 0.008, 0.0001, 0.9, "P3"),
    ],
)  # fmt: skip
def test_how_bad_it_is(check: Any, value: float, threshold: float, importance: float | None, expected: str) -> None:
    assert severity.of_quality(check, value, threshold, importance=importance) == expected


@pytest.mark.parametrize("run", [1, 20])
def test_windows_like_the_reference_fail_about_as_often_as_said(run: int) -> None:
    """One in a thousand; names of which twenty in a row are the same are skewed, and fail up to one in a hundred."""
    fails = {"missing": 0, "outside": 0, "unseen": 0}
    for seed in range(5):
        random = np.random.default_rng(seed)
        values = np.where(_in_runs(random.random(200_000) < 0.05, run), np.nan, random.normal(size=200_000))
        names = _in_runs(np.minimum(random.zipf(1.5, size=200_000), 5_000), run)
        profiles = numeric_profile(values[:15_000], MONTH), categorical_profile(coded(map(str, names[:15_000])), MONTH)
        limits = learned_limits(profiles[1], DAY_OF_ROWS) | learned_limits(profiles[0], DAY_OF_ROWS)
        rows, live = values[20_000:].reshape(-1, 500), names[20_000:].reshape(-1, 500)
        beyond = (rows < np.nanmin(values[:15_000])) | (rows > np.nanmax(values[:15_000]))
        fails["missing"] += int((np.isnan(rows).mean(axis=1) > limits["missing"].limit).sum())
        fails["outside"] += int((beyond.sum(axis=1) / (~np.isnan(rows)).sum(axis=1) > limits["outside"].limit).sum())
        fails["unseen"] += int(((~np.isin(live, names[:15_000])).mean(axis=1) > limits["unseen"].limit).sum())
    assert fails["missing"] <= 6  # of 1 850, at one in a thousand: three standard errors more
    assert fails["outside"] <= 6
    assert fails["unseen"] <= (6 if run == 1 else 19)


def _in_runs(values: Any, run: int) -> Any:
    return np.repeat(values[: len(values) // run], run)
