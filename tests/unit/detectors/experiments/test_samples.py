"""Sums of an arm: they add, they subtract, they refuse what cannot be, and whole numbers stay whole."""

from __future__ import annotations

import math

import numpy as np
import pytest

from detectors.experiments.samples import Counts, Interval, Sample, deflated_counts, deflated_sample, level, sample_of


def test_the_moments_are_numpys() -> None:
    values = [0.5, 2.25, -1.0, 8.0]
    found = sample_of(values)
    assert (found.mean, found.variance) == pytest.approx((np.mean(values), np.var(values, ddof=1)), rel=1e-15)


def test_a_constant_of_whole_numbers_has_no_variance_at_all() -> None:
    value, n = 3_141_592_653, 10**9 + 7
    assert Sample(n, n * value, n * value**2, unit=1e-9).variance == 0.0


def test_a_unit_scales_the_mean_once_and_the_variance_twice() -> None:
    found = Sample(3, 6_000, 14_000_000, unit=1e-3)
    assert (found.mean, found.variance) == pytest.approx((2.0, 1.0), rel=1e-12)


def test_a_small_spread_far_from_zero_survives() -> None:
    values = [10**12 + step for step in (0, 1, 2, 3)]
    assert Sample(4, sum(values), sum(v * v for v in values)).variance == pytest.approx(5 / 3, rel=1e-15)


def test_sums_that_float_rounding_made_impossible_have_variance_0() -> None:
    assert Sample(3, 0.3 * 3, 0.09 * 3 - 1e-12).variance == 0.0


def test_what_only_rounding_made_is_no_variance() -> None:
    constant = Sample(10, 3.0000000000000004, 0.9000000000000002)
    assert constant.variance == 0.0
    windows = sum([Sample(1, d, d * d) for d in [0.01] * 9 + [math.nextafter(0.01, 1.0)]], Sample(0, 0.0, 0.0))
    assert windows.variance == 0.0
    assert sample_of([1e5, 1e5 + 1, 1e5 + 2]).variance == pytest.approx(1.0, rel=1e-4)


def test_what_came_between_two_looks() -> None:
    assert Sample(10, 30.0, 100.0) - Sample(4, 10.0, 30.0) == Sample(6, 20.0, 70.0)
    assert Counts(10, 3) - Counts(4, 1) == Counts(6, 2)


def test_of_nothing_there_is_a_mean_of_0_and_no_warning() -> None:
    assert (Sample(0, 0, 0).mean, Sample(0, 0, 0).variance, Counts(0, 0).share) == (0.0, 0.0, 0.0)


def test_rows_that_count_as_one_keep_the_mean_and_nearly_the_variance() -> None:
    sample = sample_of([float(x) for x in range(1_000)])
    found = deflated_sample(sample, 4.0)
    assert (found.n, found.mean) == (250.0, sample.mean)
    assert found.variance == pytest.approx(sample.variance, rel=4e-3)
    assert deflated_counts(Counts(100, 7), 1.0) == Counts(100, 7)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: Counts(10, 11), "hits is 11: some of the 10 rows"),
        (lambda: Counts(-1, 0), "n is -1"),
        (lambda: Counts(math.nan, 0), "n is nan"),
        (lambda: Sample(1, math.inf, 1.0), "total is inf"),
        (lambda: Sample(1, 1.0, -1.0), "squares is -1.0"),
        (lambda: Sample(1, 1.0, 1.0, unit=0.0), "unit is 0.0"),
        (lambda: Sample(1, 1.0, 1.0, unit=1e-6) + Sample(1, 1.0, 1.0), "units of 1e-06 and one of 1.0"),
        (lambda: deflated_counts(Counts(1, 1), 0.5), "effect is 0.5"),
        (lambda: level(0.0), "level is 0.0"),
        (lambda: level(1.0), "level is 1.0"),
    ],
)
def test_what_cannot_be_is_refused_by_name(made: object, words: str) -> None:
    assert callable(made)
    with pytest.raises(ValueError, match=words):
        made()


def test_an_interval_holds_its_ends() -> None:
    assert [Interval(0.0, 1.0).holds(x) for x in (-0.1, 0.0, 1.0, 1.1)] == [False, True, True, False]
