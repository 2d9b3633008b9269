"""By which stretch of its own stream a column is calibrated where the reference has no time order, and what then decides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detectors.profile import build_reference, coded, panes_of
from schemas.monitored import BudgetMonitor, FeatureMonitor
from schemas.reference import Reference
from schemas.reports import Report
from stream.evaluate.calibration.calibrated import known_calibration
from stream.evaluate.calibration.live_calibration import (
    Live,
    Rows,
    Stretch,
    far_columns,
    first_start,
    folded_rows,
    quiet_columns,
    stretch_ms,
    wants_live,
)
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_window import Window, judge_window
from stream.evaluate.judging.window_verdicts import verdicts_of
from tests.support.judged import DAY, HOUR, counted, monitor, watched, window

RANDOM = np.random.default_rng(20130107)
ROWS, HOURS = 20, 20 * 24
FEATURES = {"temp": FeatureMonitor(type="numeric"), "dest": FeatureMonitor(type="categorical")}
BUDGETED = monitor(features=FEATURES, budget=BudgetMonitor())
NAMES = ("a", "b", "c")


def reference(*, pane_ms: int | None = None, hours: int = 40) -> Reference:
    rows = 100 * hours
    temp, dest = RANDOM.normal(50.0, 10.0, rows), RANDOM.choice(NAMES, rows, p=[0.6, 0.3, 0.1])
    panes = None if pane_ms is None else panes_of(np.arange(rows) * HOUR // 100, pane_ms=pane_ms)
    return build_reference("m", {"temp": temp, "dest": coded(dest.tolist())}, panes=panes)


UNORDERED = watched(BUDGETED, of=reference())


def stretch_of(of: Watched, *, off: float = 0.0, later: float = 0.0) -> Rows:
    """20 days of hours, each of 20 rows; ``temp`` is ``off`` throughout, and ``later`` from the seventh day on."""
    shift = np.where(np.arange(HOURS) >= 6 * 24, off + later, off)
    rows = {
        hour * HOUR: counted(
            of.layout,
            {
                "temp": RANDOM.normal(50.0 + shift[hour], 10.0, ROWS),
                "dest": RANDOM.choice(NAMES, ROWS, p=[0.6, 0.3, 0.1]),
            },
        )
        for hour in range(HOURS)
    }
    return folded_rows(of, rows, (0, HOURS * HOUR), row_ms=HOUR)


def live_of(of: Watched, rows: Rows) -> Live:
    held, far = quiet_columns(of, rows, window_ms=DAY, but=()), far_columns(of, rows)
    return Live((Stretch(0, HOURS * HOUR, int(rows.folded.sum()), held, far),), (rows,))


LIVE = live_of(UNORDERED, stretch_of(UNORDERED))


def judged_at(of: Watched, *, temp: float, live: Live) -> Report:
    rows = {"temp": RANDOM.normal(50.0 + temp, 10.0, 480), "dest": RANDOM.choice(NAMES, 480, p=[0.6, 0.3, 0.1])}
    made: Window = replace(window(of, rows), live=live)
    return judge_window(of, made, seen_ms=0)


@pytest.mark.parametrize(
    ("pane_ms", "hours", "wanted"),
    [(None, 40, True), (HOUR, 40, False), (7 * HOUR, 400, True), (48 * HOUR, 2000, True), (HOUR, 19, True)],
    ids=["no time order", "hours", "that make up no day", "longer than a day", "19 of them"],
)
def test_live_panes_are_asked_where_the_references_do_not_do(pane_ms: int | None, hours: int, *, wanted: bool) -> None:
    assert wants_live(watched(BUDGETED, of=reference(pane_ms=pane_ms, hours=hours)), DAY) is wanted


def test_a_stretch_is_of_whole_rows_and_twenty_blocks() -> None:
    assert stretch_ms(60_000, window_ms=HOUR, row_ms=60_000) == 20 * HOUR
    assert stretch_ms(60_000, window_ms=7 * DAY, row_ms=HOUR) == 20 * DAY
    assert stretch_ms(7 * HOUR, window_ms=7 * HOUR, row_ms=7 * HOUR) == 700 * HOUR
    assert stretch_ms(5 * DAY, window_ms=10 * DAY, row_ms=5 * DAY) == 500 * DAY


def test_stretches_are_counted_from_the_first_pane_and_anew_half_a_year_later() -> None:
    def first(days: float) -> float:
        return first_start(5 * HOUR, 5 * HOUR + int(days * DAY), span_ms=20 * DAY, row_ms=DAY) / DAY

    assert [first(days) for days in (0, 30, 359.9)] == [1.0, 1.0, 1.0]  # the first whole day
    assert [first(days) for days in (360, 539.9, 540)] == [181.0, 181.0, 361.0]


def test_a_column_is_calibrated_by_a_stretch_in_which_it_was_quiet() -> None:
    temp, dest = (next(p.held for p in UNORDERED.yardstick.places if p.name == name) for name in ("temp", "dest"))
    assert set(LIVE.stretches[0].held) == {temp, dest}
    steps, far = stretch_of(UNORDERED, later=5.0), stretch_of(UNORDERED, off=12.0)
    assert quiet_columns(UNORDERED, steps, window_ms=DAY, but=()) == (dest,)  # its halves differ
    assert quiet_columns(UNORDERED, far, window_ms=DAY, but=()) == (dest,)  # PSI above .25
    assert quiet_columns(UNORDERED, steps, window_ms=DAY, but=(dest,)) == ()
    few = Rows(HOUR, np.where(np.arange(HOURS)[:, None] < 19, LIVE.rows[0].folded, 0))
    assert quiet_columns(UNORDERED, few, window_ms=DAY, but=()) == ()


def test_then_the_calibrated_test_decides_and_says_by_what() -> None:
    assert {column.state for column in judged_at(UNORDERED, temp=0.0, live=LIVE).features.values()} == {"ok"}
    report = judged_at(UNORDERED, temp=3.0, live=LIVE)
    temp = report.features["temp"]
    assert (temp.state, report.calibrated_from) == ("drift", None)
    assert (temp.measures["drift"].convention, temp.measures["shift"].convention) == ("calibrated live",) * 2
    assert temp.measures["shift"].exceeded
    assert temp.measures["psi"].threshold is None
    rules = {one.rule for one in verdicts_of(report, UNORDERED) if one.state == "firing"}
    assert "shift" in rules
    assert "psi" not in rules


def test_until_then_the_rule_of_thumb_does_and_the_report_says_until_when() -> None:
    waiting = Live(awaited_ms=21 * DAY)
    slight, heavy = (judged_at(UNORDERED, temp=temp, live=waiting) for temp in (3.0, 12.0))
    assert (slight.features["temp"].state, heavy.features["temp"].state) == ("ok", "drift")
    assert (slight.calibrated_from, "drift" in slight.features["temp"].measures) == (21 * DAY, False)
    assert heavy.features["temp"].measures["psi"].threshold == 0.25
    found = {one.rule: one.state for one in verdicts_of(heavy, UNORDERED) if one.subject == "feature:m/temp"}
    assert found == {"psi": "firing", "drift": "no_data", "shift": "no_data"}


def severity_of(report: Report, rule: str) -> str:
    return next(one.severity for one in verdicts_of(report, UNORDERED) if one.rule == rule and one.state == "firing")


def test_the_rule_of_thumb_informs_until_then_and_pages_where_a_whole_stretch_was_far_off() -> None:
    """By chance a day alarms by it every second week; the budget is a promise from the first day on."""
    waiting = judged_at(UNORDERED, temp=12.0, live=Live(awaited_ms=21 * DAY))
    assert (waiting.features["temp"].awaits, severity_of(waiting, "psi")) == (True, "P3")
    unquiet = judged_at(UNORDERED, temp=12.0, live=live_of(UNORDERED, stretch_of(UNORDERED, later=5.0)))
    assert (unquiet.features["temp"].awaits, severity_of(unquiet, "psi")) == (True, "P3")
    far = judged_at(UNORDERED, temp=12.0, live=live_of(UNORDERED, stretch_of(UNORDERED, off=12.0)))
    assert (far.features["temp"].awaits, severity_of(far, "psi")) == (False, "P2")
    calibrated = judged_at(UNORDERED, temp=12.0, live=LIVE)
    assert (calibrated.features["temp"].awaits, severity_of(calibrated, "shift")) == (False, "P2")


def test_rules_that_a_person_fixed_await_nothing() -> None:
    of = watched(monitor(features=FEATURES, budget=BudgetMonitor(), fixed={"psi": 0.25}), of=UNORDERED.reference)
    fixed = judged_at(of, temp=12.0, live=Live(awaited_ms=21 * DAY))
    assert not fixed.features["temp"].awaits
    found = [one for one in verdicts_of(fixed, of) if one.feature == "temp" and one.state == "firing"]
    assert [(one.rule, one.severity) for one in found] == [("psi", "P2")]


def test_a_column_that_was_not_quiet_stays_with_the_rule_of_thumb() -> None:
    live = live_of(UNORDERED, stretch_of(UNORDERED, later=5.0))
    found = judged_at(UNORDERED, temp=12.0, live=live).features
    assert (found["temp"].measures["psi"].threshold, "drift" in found["temp"].measures) == (0.25, False)
    assert found["dest"].measures["drift"].convention == "calibrated live"


def test_a_reference_of_nineteen_panes_decides_nothing_until_live_panes_calibrate() -> None:
    of = watched(BUDGETED, of=reference(pane_ms=HOUR, hours=19))
    before = judged_at(of, temp=12.0, live=Live(awaited_ms=DAY)).features["temp"]
    assert (before.state, before.measures["drift"].convention) == ("not_enough_data", "calibrated")
    after = judged_at(of, temp=12.0, live=live_of(of, stretch_of(of))).features["temp"]
    assert (after.state, after.measures["drift"].convention) == ("drift", "calibrated live")


def test_tests_are_kept_by_their_stretches() -> None:
    of = watched(BUDGETED, of=reference())
    live = live_of(of, stretch_of(of))
    late = replace(live, stretches=(replace(live.stretches[0], counted=live.stretches[0].counted + 1),))
    known = known_calibration(of, (DAY, 256), live)
    assert known_calibration(of, (DAY, 256), replace(live, rows=())) is known
    assert known_calibration(of, (DAY, 256), late) is not known
