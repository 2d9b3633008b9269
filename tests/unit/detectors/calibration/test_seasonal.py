"""A window against the reference's rows of the same hours of the week: what the rhythm hid is found, and the level holds."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.calibration.calibrate import Window, calibrate_named, calibrate_ordered
from detectors.calibration.folding import folded
from detectors.calibration.judge import judge_all, judge_folded
from detectors.calibration.seasonal import Seasonal, calibrate_seasonal, is_worth_it
from detectors.calibration.stacked import stacked
from tests.support.simulated import KINDS, Floats, Ints, Kind, edges_for, pane_counts

ROWS, WEEKS = 20, 4
DAY = Window(24, 24.0 * ROWS, day=24)


def stream(random: np.random.Generator, kind: Kind, *, rhythm: float, shift: float = 0.0) -> Floats:
    """Four weeks of hours: a day's wave, and days off work that lie higher."""
    hours = np.arange(WEEKS * 168)
    middle = rhythm * 0.7 * (np.sin(2 * np.pi * hours / 24) + np.where(hours // 24 % 7 >= 5, 1.0, -0.4))
    rows = np.repeat(middle, ROWS) + random.standard_normal(len(hours) * ROWS) + shift
    found: Floats = kind.of_normal(rows)
    return found


def days_of(seasonal: Seasonal, days: Ints) -> list[float]:
    """p-values of days that begin on a Monday."""
    tests = stacked([seasonal.calibration])
    flat = seasonal.rhythm.flattened(folded(days, seasonal.calibration.groups), np.arange(len(days)) % 7 * 24)
    return [one.p for day in flat for one in judge_folded(tests, day) if one is not None]


@pytest.mark.parametrize("kind", [KINDS[0], KINDS[3]], ids=["normal", "names"])
def test_a_shift_that_the_week_hides_is_found_and_the_level_holds(kind: Kind) -> None:
    random = np.random.default_rng(20130103)
    honest: list[float] = []
    shifted: list[float] = []
    hidden: list[float] = []
    for _ in range(10):
        values = stream(random, kind, rhythm=1.0)
        edges = edges_for(kind, values)
        panes = pane_counts(values, edges, pane_rows=ROWS)
        seasonal = calibrate_seasonal(panes, np.arange(len(panes)) % 168, DAY, pane_hours=1.0, ordered=kind.ordered)
        plain = (calibrate_ordered if kind.ordered else calibrate_named)(panes, DAY)
        assert seasonal is not None
        assert plain is not None
        assert seasonal.calibration.enough
        assert is_worth_it(seasonal, plain, DAY.rows)
        for shift, found in ((0.0, honest), (0.3, shifted)):
            rows = stream(random, kind, rhythm=1.0, shift=shift)
            days = pane_counts(rows, edges, pane_rows=24 * ROWS)
            found += days_of(seasonal, days)
        hidden += [one.p for one in judge_all([(plain, day) for day in days]) if one is not None]
    assert len(honest) == 280
    assert np.mean(np.array(honest) <= 0.05) <= 0.055 + 3 * (0.05 * 0.95 / 280) ** 0.5
    assert np.mean(np.array(shifted) <= 0.05) >= (0.8 if kind.ordered else 0.5)
    assert np.mean(np.array(hidden) <= 0.05) <= 0.35


def test_without_a_rhythm_the_whole_reference_knows_more() -> None:
    random = np.random.default_rng(4)
    values = stream(random, KINDS[0], rhythm=0.0)
    panes = pane_counts(values, edges_for(KINDS[0], values), pane_rows=ROWS)
    seasonal = calibrate_seasonal(panes, np.arange(len(panes)) % 168, DAY, pane_hours=1.0, ordered=True)
    plain = calibrate_ordered(panes, DAY)
    assert seasonal is not None
    assert plain is not None
    assert not is_worth_it(seasonal, plain, DAY.rows)
    # A seventh of the reference tells of a day, and no less than chance wanders about it.
    assert seasonal.calibration.scale.rows == pytest.approx(plain.scale.rows / 7)


def test_flattened_rows_stay_rows_and_what_is_expected_lies_on_the_reference() -> None:
    random = np.random.default_rng(5)
    values = stream(random, KINDS[0], rhythm=1.0)
    panes = pane_counts(values, edges_for(KINDS[0], values), pane_rows=ROWS)
    seasonal = calibrate_seasonal(panes, np.arange(len(panes)) % 168, DAY, pane_hours=1.0, ordered=True)
    assert seasonal is not None
    rhythm, hours = seasonal.rhythm, np.array([0, 24, 144])
    expected = 480.0 * rhythm.expected[hours]
    assert rhythm.flattened(expected, hours) == pytest.approx(np.tile(480.0 * rhythm.shares, (3, 1)))
    days = folded(panes[:72].reshape(3, 24, -1).sum(axis=1), seasonal.calibration.groups)
    assert rhythm.flattened(days, hours).sum(axis=1) == pytest.approx(480.0)
    assert rhythm.distance[144] > rhythm.distance[24] > 0.0  # a Sunday is rarer


@pytest.mark.parametrize(
    ("panes", "window"), [(WEEKS * 168 - 1, 24), (WEEKS * 168, 168), (WEEKS * 168, 48)],
    ids=["less than four weeks", "a week", "fourteen blocks"],
)  # fmt: skip
def test_what_has_no_rhythm_to_be_held_against(panes: int, window: int) -> None:
    table = np.ones((panes, 4), np.int64)
    hours = np.arange(panes) % 168
    assert calibrate_seasonal(table, hours, Window(window, 1000.0), pane_hours=1.0, ordered=True) is None


def test_of_one_value_there_is_no_test() -> None:
    table = np.zeros((WEEKS * 168, 2), np.int64)
    table[:, 0] = 10
    assert calibrate_seasonal(table, np.arange(len(table)) % 168, DAY, pane_hours=1.0, ordered=False) is None
