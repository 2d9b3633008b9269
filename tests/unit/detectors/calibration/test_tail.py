"""Tail areas of a weighted sum of chi-squareds whose scale is estimated, against exact cases and a simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from detectors.calibration.tail import saddlepoint, three_moments

EVER = np.array([1e9])


def test_equal_weights_are_a_chi_squared_far_out_too() -> None:
    q = stats.chi2.isf([0.5, 0.05, 1e-4, 1e-8, 1e-12], 9)
    found = saddlepoint(q, np.ones((5, 9)), np.full(5, 1e9))
    assert found == pytest.approx(stats.chi2.sf(q, 9), rel=0.008)


def test_equal_weights_of_an_estimated_scale_are_an_f() -> None:
    q = 9.0 * stats.f.isf([0.5, 0.05, 1e-3], 9, 30)
    weights, freedom = np.ones((3, 9)), np.full(3, 30.0)
    assert saddlepoint(q, weights, freedom) == pytest.approx([0.5, 0.05, 1e-3], rel=0.02)
    assert three_moments(q, weights, freedom, freedom=np.full(3, 9.0)) == pytest.approx([0.5, 0.05, 1e-3], rel=1e-9)


def test_unequal_weights_against_two_million_draws() -> None:
    weights = np.array([8.0, 2.0, 1.0, 0.5, 0.1])
    random = np.random.default_rng(11)
    drawn = random.chisquare(1.0, (2_000_000, 5)) @ weights / (random.chisquare(40.0, 2_000_000) / 40.0)
    at = np.array([5.0, 20.0, 60.0])
    simulated = [(drawn > q).mean() for q in at]
    tables = np.tile(weights, (3, 1)), np.full(3, 40.0)
    assert saddlepoint(at, *tables) == pytest.approx(simulated, rel=0.06)
    assert three_moments(at, *tables, freedom=np.full(3, 99.0)) == pytest.approx(simulated, rel=0.12)


def test_the_middle_is_passed_without_a_seam() -> None:
    # At the mean the formula is 0/0; values on both sides of it must not jump.
    at = 4.0 + np.array([-1e-2, -1e-5, 0.0, 1e-5, 1e-2])
    found = saddlepoint(at, np.tile([2.0, 1.0, 1.0], (5, 1)), np.full(5, 25.0))
    assert np.diff(found) == pytest.approx(np.diff(at) * (found[4] - found[0]) / 2e-2, rel=0.12)


def test_fewer_degrees_of_freedom_are_a_heavier_tail() -> None:
    weights = np.ones((1, 9))
    believed = three_moments(np.array([40.0]), weights, EVER, freedom=np.array([9.0]))
    doubted = three_moments(np.array([40.0]), weights, EVER, freedom=np.array([3.0]))
    # Three degrees, same mean and a variance three times as large: a chi-squared of 3, times 3.
    assert doubted[0] == pytest.approx(stats.chi2.sf(40.0 / 3.0, 3), rel=1e-6)
    assert believed[0] == pytest.approx(stats.chi2.sf(40.0, 9), rel=1e-6)


def test_a_component_of_no_weight_changes_nothing() -> None:
    q, m = np.array([7.0]), np.array([20.0])
    assert saddlepoint(q, np.array([[1.0, 2.0, 0.0]]), m) == saddlepoint(q, np.array([[1.0, 2.0]]), m)


def test_no_distance_at_all_is_no_evidence() -> None:
    assert saddlepoint(np.array([0.0]), np.ones((1, 9)), np.array([30.0]))[0] == pytest.approx(1.0, abs=1e-9)
