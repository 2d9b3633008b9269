"""The verdict: levels and powers on streams whose truth is known, and what has no verdict."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from detectors.calibration.calibrate import Calibration, Window, calibrate_named, calibrate_ordered
from detectors.calibration.judge import cauchy, judge, judge_all
from detectors.calibration.stacked import stacked
from detectors.calibration.tail import saddlepoint, three_moments
from tests.support.drift_levels import Cell, p_values
from tests.support.simulated import KINDS, Ints, Kind

NORMAL, TIES, ZEROS, NAMES = KINDS


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("phi", [0.0, 0.9])
def test_windows_without_drift_alarm_at_most_as_often_as_stated(kind: Kind, phi: float) -> None:
    found = p_values(Cell(kind, 500, phi), seed=5, references=40, windows=50)
    # A tenth more and three standard errors of 2 000 windows: 5.5 % at 5 %; the whole table, of 10 000, is a bench.
    for rate in (0.01, 0.05, 0.1, 0.25, 0.5):
        assert (found <= rate).mean() <= 1.1 * rate + 3.0 * math.sqrt(rate * (1.0 - rate) / 2000)
    assert (found <= 0.005).mean() <= 0.015
    assert found.min() > 0.0


@pytest.mark.parametrize(
    ("cell", "least"),
    [
        (Cell(NORMAL, 1000, 0.0, 0.2), 0.95),
        (Cell(ZEROS, 1000, 0.0, 0.2), 0.95),
        (Cell(NAMES, 1000, 0.0, 0.2), 0.85),
        (Cell(NORMAL, 1000, 0.9, 0.5), 0.90),
    ],
    ids=lambda value: f"{value.kind.name} {value.phi}" if isinstance(value, Cell) else None,
)
def test_a_shift_is_found(cell: Cell, least: float) -> None:
    assert (p_values(cell, seed=2, references=40, windows=25) <= 0.05).mean() >= least


def panes(count: int = 200, rows: int = 100, bins: int = 10) -> Ints:
    return np.random.default_rng(1).multinomial(rows, [1.0 / bins] * bins, size=count)


def test_what_stands_beside_the_p_value() -> None:
    test = made(panes(), Window(10, 1000))
    found = judge(test, [60, 70, 80, 90, 100, 100, 110, 120, 130, 140])
    assert found is not None
    # Independent rows: a window of 1 000 beside a reference of 20 000 expects 9 (1/1000 + 1/20000), give or take the estimate.
    assert found.expected_psi == pytest.approx(9 * 1.05e-3, rel=0.3)
    assert found.effective_rows == pytest.approx(9 / found.expected_psi)
    assert found.smallest_shift == pytest.approx(2.8 * math.sqrt(1.05e-3), rel=0.3)
    assert found.shift == pytest.approx(0.252, abs=0.01)


def test_many_windows_are_judged_as_each_alone() -> None:
    narrow, wide = made(panes(bins=3), Window(10, 1000)), made(panes(bins=12), Window(10, 1000))
    named = calibrate_named(panes(bins=5), Window(10, 1000))
    assert named is not None
    windows = [(narrow, [300, 400, 300]), (wide, [90] * 12), (named, [200, 210, 190, 190, 210]), (narrow, [0, 0, 0])]
    assert judge_all(windows) == [judge(*window) for window in windows]
    assert judge_all(windows)[3] is None
    assert judge_all([]) == []


def test_a_day_s_rhythm_is_not_taken_for_drift_where_blocks_are_whole_days() -> None:
    random, hours = np.random.default_rng(4), np.arange(24 * 40)
    middle = 2.0 * np.sin(2.0 * np.pi * hours / 24.0)
    edges = np.quantile(middle, np.arange(1, 10) / 10)
    values = middle[:, None] + random.normal(size=(hours.size, 50))
    counts = np.array([np.bincount(np.searchsorted(edges, row), minlength=10) for row in values])
    p = [_left_out(counts, at) for at in range(40)]
    assert sum(one <= 0.05 for one in p) <= 5


def _left_out(counts: Ints, day: int) -> float:
    rest = np.delete(counts, slice(24 * day, 24 * day + 24), axis=0)
    found = judge(made(rest, Window(24, 1200, day=24)), counts[24 * day : 24 * day + 24].sum(axis=0))
    assert found is not None
    return found.p


def test_fewer_than_twenty_blocks_are_not_enough_to_decide() -> None:
    assert not made(panes(19), Window(1, 100)).enough
    assert made(panes(20), Window(1, 100)).enough
    # Empty panes are no blocks.
    assert not made(np.concatenate([panes(19), np.zeros((30, 10), dtype=np.int64)]), Window(1, 100)).enough


@pytest.mark.parametrize(
    ("counts", "window"),
    [
        (np.zeros((30, 5)), Window(1, 100)),
        (np.zeros((0, 5)), Window(1, 100)),
        (np.tile([7, 0, 0], (30, 1)), Window(1, 7)),
        (np.tile([2, 2], (30, 1)), Window(1, 4)),
        (panes(1), Window(1, 100)),
        (panes(30)[:, :1], Window(1, 100)),
    ],
    ids=["no rows", "no panes", "one value", "too few rows for two bins", "one pane", "one bin"],
)
def test_nothing_to_compare_has_no_test(counts: Ints, window: Window) -> None:
    assert calibrate_ordered(counts, window) is None
    assert calibrate_named(counts, window) is None


def test_a_reference_that_never_wanders_at_all_is_held_to_independent_rows() -> None:
    test = made(np.tile([10, 10, 10], (40, 1)), Window(10, 300))
    found, moved = judge(test, [100, 100, 100]), judge(test, [200, 100, 0])
    assert found is not None
    assert moved is not None
    assert (found.p > 0.5, moved.p < 1e-6) == (True, True)
    # So is the middle, of 300 rows beside 1 200.
    assert (found.p_location, found.shift) == (1.0, 0.0)
    assert moved.p_location is not None
    assert moved.error is not None
    assert moved.p_location < 1e-6
    assert moved.error == pytest.approx((1 / 300 + 1 / 1200) ** 0.5, rel=0.05)


def test_a_million_names_and_windows_far_away_give_finite_numbers() -> None:
    counts = np.zeros((25, 3000), dtype=np.int64)
    counts[np.arange(25), np.arange(25)] = 1_000_000_000
    named = calibrate_named(counts, Window(1, 1e9))
    assert named is not None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = judge(named, np.eye(3000, dtype=np.int64)[2999])
    assert found is not None
    assert 0.0 <= found.p <= 1.0
    assert math.isfinite(found.expected_psi)


def test_a_question_that_finds_nothing_at_all_does_not_silence_the_other() -> None:
    assert cauchy(np.array([1.0, 1e-6]), np.array([1e-6, 1.0])).tolist() == pytest.approx([2e-6] * 2, rel=1e-3)


def clumped() -> Ints:
    """Panes whose shares lean together, ten at a time, by one random amount."""
    random = np.random.default_rng(2)
    lean = np.repeat(random.normal(size=20), 10)[:, None] * 0.3 * (np.arange(10) - 4.5) / 4.5
    shares = np.exp(lean) / np.exp(lean).sum(axis=1, keepdims=True)
    return random.multinomial(100, shares)


@pytest.mark.parametrize(("of", "larger"), [(panes(), 0), (clumped(), 1)], ids=["independent", "clumped"])
def test_the_larger_of_both_tail_areas_is_told(of: Ints, larger: int) -> None:
    test, windows = made(of, Window(10, 1000)), [[150, 50] * 5, [200, 0] * 5]
    tests = stacked([test, test])
    weights, freedom = tests.omnibus.of(np.full(2, 1000.0), tests.scales), tests.scales.freedom_of_scale
    away = np.array(windows) / 1000.0 - tests.expected.reshape(2, -1)
    statistic = (away**2 / tests.share.reshape(2, -1)).sum(axis=1)
    areas = [
        saddlepoint(statistic, weights, freedom),
        three_moments(statistic, weights, freedom, freedom=tests.scales.freedom_of_shape),
    ]
    found = [verdict.p_omnibus for verdict in judge_all([(test, one) for one in windows]) if verdict is not None]
    assert found == pytest.approx(np.maximum(*areas).tolist(), rel=1e-9)
    assert areas[larger][1] > 4.0 * areas[1 - larger][1]


def made(counts: Ints, window: Window) -> Calibration:
    found = calibrate_ordered(counts, window)
    assert found is not None
    return found
