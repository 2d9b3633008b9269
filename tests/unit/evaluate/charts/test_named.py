"""Charts that the monitors file names: the same rebuilt as carried on, and what they say when they alarm."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detectors.charts.by_name import STANDS
from detectors.charts.river import alarms
from schemas.findings import Finding, Onset
from schemas.monitored import (
    CHART_PANES,
    BudgetMonitor,
    ChartsMonitor,
    FeatureMonitor,
    RiverChart,
    RollingChart,
    ShewhartChart,
)
from stream.evaluate.calibration.alarms import begun
from stream.evaluate.charts import named as by_name
from stream.evaluate.charts import recent
from stream.evaluate.charts.charts import Charts, with_named
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_pane import Pane, judge_pane
from stream.evaluate.judging.judge_window import judge_window
from stream.evaluate.judging.judged_keys import keys_of
from stream.evaluate.verdicts.standing import Standing, conclude, withdraw
from stream.evaluate.verdicts.verdict import Clear, Verdict
from tests.support.judged import DAY, HOUR, counted, monitor, watched, window
from tests.unit.evaluate.charts.test_charts import LIVE, REFERENCE, ROWS, temps, walked
from tests.unit.evaluate.charts.test_charts import alarms as alarming

SHEWHART = ChartsMonitor(shewhart=ShewhartChart(width=3.0))
ADWIN = RiverChart(name="adwin")
ALL = ChartsMonitor(
    shewhart=ShewhartChart(width=2.0),
    rolling=RollingChart(weight=0.05, width=3.0),
    river=(ADWIN, RiverChart(name="page_hinkley", settings={"threshold": 20.0, "min_instances": 10})),
)
RULES = ("shewhart", "rolling", "adwin", "page_hinkley")


def named(charts: ChartsMonitor = ALL, *, temp: ChartsMonitor | None = None, **changed: Any) -> Watched:
    features = {"temp": FeatureMonitor(type="numeric", importance=0.3, charts=temp)}
    fields: dict[str, Any] = {"features": features, "budget": BudgetMonitor(), "charts": charts}
    return watched(monitor(**fields | changed), of=REFERENCE)


def shifts(*shifts: tuple[float, int]) -> list[dict[str, Any]]:
    """Rows of so many panes of each shift, the 200 of ``LIVE`` again and again."""
    by = np.repeat([shift for shift, _ in shifts], [panes for _, panes in shifts])
    return [{"temp": LIVE[at % 200 * ROWS : (at % 200 + 1) * ROWS] + shift} for at, shift in enumerate(by.tolist())]


def said(charts: Charts) -> list[Any]:
    """All that the named charts say of every column."""
    assert charts.named is not None
    return [
        (
            group.rule,
            *(getattr(signs, name).tolist() for name in ("beyond", "ready", "value", "limit", "since", "back")),
        )
        for group, signs in zip(charts.named.groups, charts.named.signs, strict=True)
        if signs is not None
    ]


def test_a_series_is_built_from_what_is_stored_of_it() -> None:
    assert recent.PANES >= 2 * CHART_PANES
    assert all(panes - by_name.base_of(panes) < 2 * CHART_PANES for panes in range(5_000))
    assert all(panes - by_name.base_of(panes) >= min(panes, CHART_PANES) for panes in range(5_000))


def test_rebuilt_from_what_is_stored_they_are_as_they_were_carried_on() -> None:
    of, charts = named(), Charts()
    for at, row in enumerate(shifts((0.0, 230), (8.0, 60), (-4.0, 300), (0.0, 30))):
        carried = judge_pane(of, Pane(at * HOUR, (at + 1) * HOUR, counted(of.layout, row)), charts)
        if at % 60 == 0 or at in (255, 256, 511, 512, 513):
            back = Charts.from_json(charts.to_json())
            assert (back.named, back.panes) == (None, at)
            again = judge_pane(of, Pane(at * HOUR, (at + 1) * HOUR, counted(of.layout, row)), back)
            np.testing.assert_equal(said(again.charts), said(carried.charts))
            assert again.charts.to_json() == carried.charts.to_json()
            assert found(again) == found(carried)
        charts = carried.charts


def found(judged: Any) -> list[Verdict]:
    return [one for one in judged.verdicts if isinstance(one, Verdict)]


def test_river_s_detectors_see_the_stored_series_from_its_base() -> None:
    of = named()
    charts = walked(of, shifts((0.0, 300), (8.0, 250), (0.0, 50)))[-1].charts
    assert charts.named is not None
    assert (charts.named.panes, charts.named.base, charts.panes) == (600, 256, 600)
    series = charts.recent.newest(600 - 256)[:, 0]
    assert len(series) == 344
    ago = {rule: value for rule, _, _, value, *_ in said(charts)}
    for rule, settings in (("adwin", {}), ("page_hinkley", {"threshold": 20.0, "min_instances": 10})):
        raised = alarms(rule, series, **settings)
        assert raised, rule
        assert ago[rule][0] == 343 - raised[-1]


def test_what_a_pane_holds_that_came_late_stands_in_the_series() -> None:
    of, rows = named(), shifts((0.0, 100))
    broken = [*rows[:97], {"temp": rows[97]["temp"] + 9.0}, *rows[98:]]
    before = walked(of, broken)[-1].charts
    assert {rule: beyond for rule, beyond, *_ in said(before)}["shewhart"] == [False, False]
    late = judge_pane(of, Pane(97 * HOUR, 98 * HOUR, counted(of.layout, rows[97])), before).charts
    assert late.named is None
    np.testing.assert_equal(said(with_named(late, of)), said(walked(of, rows)[-1].charts))
    assert (late.sums.tolist(), late.panes, late.at) == (before.sums.tolist(), 100, 100 * HOUR)
    again = judge_pane(of, Pane(97 * HOUR, 98 * HOUR, counted(of.layout, rows[97])), late).charts
    assert again is late


def test_a_late_pane_that_the_charts_never_saw_or_saw_too_long_ago_changes_nothing() -> None:
    of = named()
    charts = walked(of, shifts((0.0, 3)), Charts(at=10 * HOUR, first=0))[-1].charts
    for start in (5 * HOUR, 9 * HOUR):
        late = judge_pane(of, Pane(start, start + HOUR, counted(of.layout, temps(50.0, 1)[0])), charts).charts
        assert late is charts


def test_another_setting_is_in_force_for_the_whole_series_at_once() -> None:
    rows = shifts((0.0, 80), (9.0, 8))
    before = walked(named(SHEWHART), rows)[-1].charts
    other = named(ALL)
    after = walked(other, shifts((9.0, 1)), before)[-1].charts
    np.testing.assert_equal(said(after), said(walked(other, [*rows, *shifts((9.0, 1))])[-1].charts))
    # Where they have gone on once its detectors know more, so the second time they are built anew.
    once, again = (walked(other, shifts((9.0, 1)), after)[-1].charts for _ in range(2))
    np.testing.assert_equal(said(once), said(again))
    for of, current in ((other, True), (named(SHEWHART), False)):
        assert by_name.is_current(after.named, panes=after.panes, watched=of) is current
    assert with_named(after, watched(monitor(features=other.monitor.features), of=REFERENCE)).named is after.named


def test_a_restart_in_front_of_a_window_shows_what_there_was() -> None:
    of = named()
    charts = walked(of, shifts((0.0, 40), (9.0, 4)))[-1].charts
    back = with_named(Charts.from_json(charts.to_json()), of)
    rows = {"temp": LIVE[: 24 * ROWS]}
    shown, again = (
        judge_window(of, window(of, rows, end=2 * DAY), seen_ms=0, charts=each).features["temp"].measures
        for each in (charts, back)
    )
    assert shown == again
    assert set(RULES) <= set(shown)
    assert (shown["shewhart"].threshold, shown["shewhart"].exceeded) == (2.0, True)
    assert shown["shewhart"].convention == "long-run sd of panes, limit 2"
    assert shown["rolling"].convention == "long-run sd off the mean before, weight 0.05, limit 3 sd of that"
    assert (shown["adwin"].threshold, shown["adwin"].value) == (None, None)
    assert shown["page_hinkley"].convention == (
        "PageHinkley of river, threshold 20.0, min_instances 10, values since its last alarm"
    )


def test_too_few_values_are_warming_and_say_nothing() -> None:
    of = named()
    charts = walked(of, shifts((0.0, 12)))[-1].charts
    measures = judge_window(of, window(of, {"temp": LIVE[:4000]}), seen_ms=0, charts=charts).features["temp"].measures
    words = {rule: measures[rule].convention.split(":")[0] for rule in RULES}
    assert (words["adwin"], words["rolling"]) == ("warming", "warming")
    assert (measures["adwin"].value, measures["rolling"].value) == (None, None)
    quiet = {one.whole(key).rule: one.whole(key).state for one in clear(of, charts) for key in one.keys}
    assert quiet["adwin"] == quiet["rolling"] == "no_data"
    assert quiet["shewhart"] == quiet["page_hinkley"] == "ok"


def clear(of: Watched, charts: Charts) -> list[Clear]:
    judged = walked(of, temps(0.0, 1, first=12), charts)[-1]
    return [one for one in judged.verdicts if isinstance(one, Clear)]


def test_an_alarm_informs_and_says_when_it_may_have_begun() -> None:
    of = named()
    walk = walked(of, shifts((0.0, 60), (12.0, 40)))
    first = {rule: next(one for one in alarming(walk, rule) if one.start_ms >= 60 * HOUR) for rule in RULES}
    assert {(one.severity, one.kind, one.subject, one.feature) for one in first.values()} == {
        ("P3", "drift", "feature:m/temp", "temp")
    }
    for rule, one in first.items():
        assert one.onset is not None, rule
        assert one.onset.lo <= 60 * HOUR < one.onset.hi <= one.start_ms + HOUR, rule
    assert first["shewhart"].onset == Onset(60 * HOUR, 61 * HOUR, 0.95)
    assert (first["shewhart"].threshold, first["shewhart"].evidence["direction"]) == (2.0, "up")
    assert first["shewhart"].evidence["run_length"] == pytest.approx(21.98, abs=0.01)
    assert first["adwin"].evidence == {"detector": "ADWIN of river"}
    assert (first["adwin"].value, first["adwin"].threshold, first["adwin"].memory) == (0.0, None, STANDS * HOUR)
    assert (first["adwin"].n, first["adwin"].every) == (ROWS, 4 * HOUR)


def test_a_fall_of_the_score_is_the_model_s() -> None:
    of = named()
    scores = [{"score": np.random.default_rng(at).random(ROWS) * (0.5 if at > 29 else 1.0)} for at in range(36)]
    one = alarming(walked(of, scores), "shewhart")[-1]
    assert (one.kind, one.subject, one.feature, one.evidence["direction"]) == (
        "prediction_drift", "model:m", None, "down"
    )  # fmt: skip
    assert (one.value or 0.0) > 2.0


def told(of: Watched, walk: list[Any], standing: Standing | None = None) -> tuple[list[Finding], Standing]:
    standing, found = standing or Standing(), list[Finding]()
    for each in walk:
        more, standing = conclude(each.verdicts, standing, at_ms=each.charts.at, revision=1, seen_ms=0, watched=of)
        found += more
    return found, standing


def test_one_trouble_is_told_once_and_that_it_is_over_once() -> None:
    of = named(ChartsMonitor(shewhart=ShewhartChart(width=4.0), river=(ADWIN,)))
    findings, _ = told(of, walked(of, shifts((0.0, 60), (12.0, 40), (0.0, 60))))
    states = {
        rule: [one.state for one in findings if one.rule == rule and one.state != "firing"]
        for rule in ("shewhart", "adwin")
    }
    assert states == {"shewhart": ["ok"], "adwin": ["ok"]}
    # ADWIN finds the rise and, while that stands, the fall: one alarm, 20 values longer.
    raised = [one.at // HOUR - 1 for one in findings if one.rule == "adwin" and one.state == "firing"]
    assert raised == list(range(raised[0], raised[-1] + 1))


def test_no_budget_counts_them_and_no_limit_changes() -> None:
    plain, of = named(ChartsMonitor()), named()
    rows = shifts((0.0, 60), (12.0, 30))
    without, with_all = walked(plain, rows), walked(of, rows)
    assert [one.budgeted for one in without] == [one.budgeted for one in with_all]
    found, _ = told(of, with_all)
    assert begun(found, Standing(), of) == begun((one for one in found if one.rule not in RULES), Standing(), of)
    assert alarming(without) == alarming(with_all)


def test_what_the_file_no_longer_names_is_withdrawn() -> None:
    of = named()
    findings, standing = told(of, walked(of, shifts((0.0, 60), (12.0, 5))))
    assert {one.rule for one in findings if one.rule in RULES} >= {"shewhart", "rolling"}
    assert {key for key in keys_of(of) if key.split("|")[0] in RULES} == {
        f"{rule}|{subject}||" for rule in RULES for subject in ("feature:m/temp", "model:m")
    }
    fewer = named(SHEWHART)
    removed, left = withdraw(standing, keys_of(fewer), at_ms=0, seen_ms=0)
    assert {(one.rule, one.state) for one in removed} >= {("rolling", "removed")}
    assert [one.rule for one in removed if one.rule == "shewhart"] == []
    assert {key.split("|")[0] for key in left.keys} & set(RULES) == {"shewhart"}


def test_a_feature_s_own_charts_stand_in_for_the_model_s() -> None:
    own = named(SHEWHART, temp=ChartsMonitor(river=(ADWIN,)))
    places = [own.yardstick.places[number].name for number in own.charted.numbers]
    assert places == ["temp", "score"]
    assert [(group.rule, group.columns) for group in by_name.groups_of(own)] == [("adwin", (0,)), ("shewhart", (1,))]
    wider = named(SHEWHART, temp=ChartsMonitor(shewhart=ShewhartChart(width=4.0)))
    assert [(one.rule, one.columns) for one in by_name.groups_of(wider)] == [("shewhart", (0,)), ("shewhart", (1,))]
    assert by_name.groups_of(watched(wider.monitor, of=REFERENCE, stream="features")) == ()


def test_the_pane_that_takes_long_is_known_before() -> None:
    of, charts, long = named(), Charts(), list[int]()
    for at, row in enumerate(shifts((0.0, 515))):
        long += [at] if by_name.is_long(charts.named, panes=charts.panes, watched=of) else []
        charts = judge_pane(of, Pane(at * HOUR, (at + 1) * HOUR, counted(of.layout, row)), charts).charts
    # With the 512th the oldest 256 fall away.
    assert long == [0, 511]
    assert by_name.is_long(charts.named, panes=charts.panes + 1, watched=of)
    assert by_name.is_long(None, panes=7, watched=of)
    assert not by_name.is_long(None, panes=7, watched=named(ChartsMonitor()))
    slow = named(ChartsMonitor(river=(RiverChart(name="kswin"),)))
    charts = walked(slow, shifts((0.0, 3)))[-1].charts
    assert by_name.is_long(charts.named, panes=3, watched=slow)


def test_without_river_its_charts_say_what_to_install_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("river", "river.drift"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    of = named(ChartsMonitor(shewhart=ShewhartChart(width=2.0), river=(ADWIN,)))
    walk = walked(of, shifts((0.0, 30), (12.0, 5)))
    assert alarming(walk, "shewhart")
    measures = judge_window(of, window(of, {"temp": LIVE[:4000]}), seen_ms=0, charts=walk[-1].charts)
    adwin = measures.features["temp"].measures["adwin"]
    assert (adwin.value, adwin.convention) == (
        None, "adwin needs the package river: install driftline with its extra `river`"
    )  # fmt: skip
    spoken = {one.whole(key).state for one in clear(of, walk[-1].charts) for key in one.keys if "adwin" in key}
    assert spoken == {"no_data"}


def test_charts_stored_before_panes_were_counted_count_those_that_are_kept() -> None:
    of = named()
    charts = walked(of, shifts((0.0, 40)))[-1].charts
    old = Charts.from_json(replace(charts, panes=0).to_json())
    assert old.panes == 40
    np.testing.assert_equal(said(with_named(old, of)), said(charts))
