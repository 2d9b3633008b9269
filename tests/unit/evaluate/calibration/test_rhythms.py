"""A day is judged by the days of the week that it is one of, on the model's own clocks, where weeks have a rhythm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detectors.profile import build_reference, panes_of
from schemas.monitored import BudgetMonitor, FeatureMonitor
from schemas.reports import Column
from stream.evaluate.calibration.calibrated import calibration_of, key_of
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_window import judge_window
from tests.support.judged import DAY, HOUR, monitor, watched, window

RANDOM = np.random.default_rng(20130106)
ROWS, HOURS = 20, 5 * 168
#: A Monday, 0:00 in New York (winter).
MONDAY = 1_357_534_800_000
FEATURES = {"temp": FeatureMonitor(type="numeric"), "flat": FeatureMonitor(type="numeric")}


def temp_at(hours: np.ndarray[tuple[int], np.dtype[np.int64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Rows of hours counted from a Monday in New York: 10 more on its Saturdays and Sundays."""
    weekend = hours // 24 % 7 >= 5
    return RANDOM.normal(np.repeat(np.where(weekend, 60.0, 50.0), ROWS), 10.0)


def of_zone(zone: str) -> Watched:
    times = MONDAY + np.repeat(np.arange(HOURS), ROWS) * HOUR
    columns = {"temp": temp_at(np.arange(HOURS)), "flat": RANDOM.normal(0.0, 1.0, HOURS * ROWS)}
    reference = build_reference("m", columns, panes=panes_of(times, pane_ms=HOUR))
    return watched(monitor(features=FEATURES, budget=BudgetMonitor(), timezone=zone), of=reference)


OF = of_zone("America/New_York")


def day(of: Watched, begins: int, *, like: int | None = None) -> Column:
    """The day that begins so many days after a Monday in New York, with rows like those of another day."""
    hours = np.arange(24) + (begins if like is None else like) * 24
    rows = {"temp": temp_at(hours), "flat": RANDOM.normal(0.0, 1.0, 24 * ROWS)}
    start = MONDAY + (35 + begins) * DAY
    made = replace(window(of, rows), start_ms=start, end_ms=start + DAY)
    return judge_window(of, made, seen_ms=0).features["temp"]


def test_a_day_like_the_others_of_its_name_is_ok_and_says_by_what() -> None:
    for begins in (0, 2, 5, 6):
        found = day(OF, begins)
        assert (found.state, found.measures["drift"].convention) == ("ok", "calibrated by hour of week")
    # A PSI against all days shows the rhythm, and says so.
    sunday, monday = day(OF, 6).measures["psi"], day(OF, 0).measures["psi"]
    assert sunday.expected is not None
    assert monday.expected is not None
    assert sunday.expected > 0.3 > monday.expected
    assert sunday.value == pytest.approx(sunday.expected, rel=0.5)


def test_a_sunday_like_a_monday_is_drift_and_the_other_way_round() -> None:
    off, on = day(OF, 6, like=0), day(OF, 0, like=6)
    assert (off.state, on.state) == ("drift", "drift")
    assert off.measures["shift"].value is not None
    assert on.measures["shift"].value is not None
    assert off.measures["shift"].value < -0.5 < 0.5 < on.measures["shift"].value
    assert abs(off.measures["psi"].value or 0.0) < 0.25  # by PSI against all days it is a day like most


def test_the_hours_are_those_of_the_models_zone() -> None:
    tokyo = of_zone("Asia/Tokyo")
    a, b = (calibration_of(one, key_of(DAY, 480)).rhythms for one in (OF, tokyo))
    assert a is not None
    assert b is not None
    # A day of nothing but days off begins on Saturday from 0:00 to 24:00 in New York, fourteen hours later in Tokyo.
    assert int(a.distance.max(axis=1).argmax()) == pytest.approx(132, abs=12)
    assert int(b.distance.max(axis=1).argmax()) == pytest.approx(132 + 14, abs=12)
    assert day(tokyo, 6).state == "ok"


def test_a_column_without_a_rhythm_and_a_week_are_judged_by_all_hours() -> None:
    tests = calibration_of(OF, key_of(DAY, 480))
    flat = next(place for place in OF.yardstick.places if place.name == "flat")
    assert tests.rhythms is not None
    assert (tests.rhythms.distance[:, tests.held.index(flat.held)] == 0.0).all()
    assert calibration_of(OF, key_of(7 * DAY, 480)).rhythms is None


HALF = HOUR // 2


def test_windows_that_begin_between_two_hours_are_held_against_parts_of_both() -> None:
    """Windows of two hours, judged every half an hour, of a value that goes up and down by four sd a day."""
    random = np.random.default_rng(20130107)

    def at(halves: np.ndarray[tuple[int], np.dtype[np.int64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return random.normal(np.repeat(20.0 * np.sin(halves * np.pi / 24), 2 * ROWS), 10.0)

    halves = np.arange(5 * 336)
    panes = panes_of(MONDAY + np.repeat(halves, 2 * ROWS) * HALF, pane_ms=HALF)
    reference = build_reference("m", {"temp": at(halves)}, panes=panes)
    features = {"temp": FeatureMonitor(type="numeric")}
    of = watched(monitor(features=features, windows={"two": 2 * HOUR}, pane_ms=HALF, step_ms=HALF), of=reference)
    p: dict[int, list[float]] = {0: [], 1: []}
    for begin in range(0, 336, 3):
        start = MONDAY + 5 * 7 * DAY + begin * HALF
        made = replace(
            window(of, {"temp": at(begin + np.arange(4))}, name="two"), start_ms=start, end_ms=start + 2 * HOUR
        )
        found = judge_window(of, made, seen_ms=0).features["temp"].measures["drift"]
        assert found.convention == "calibrated by hour of week"
        p[begin % 2].append(found.p_value or 0.0)
    # An hour is one row of the rhythm: its halves are not alike here. By the first hour alone 41 in 100 would alarm.
    assert np.mean(np.array(p[0]) <= 0.05) <= 0.1
    assert np.mean(np.array(p[1]) <= 0.05) <= 0.15
