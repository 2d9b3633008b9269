"""Moments as sums of integers: exact under any order and split, and close to the moments of the values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.moments import mean_of, quantise, variance_of

values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200).map(np.array)


def test_a_step_is_a_4096th_of_a_standard_deviation_and_the_ends_are_64() -> None:
    x = np.array([5.0, 5.0 + 2 / 4096, 3.0, 5.0 + 64 * 2, 1e300, -np.inf])
    assert quantise(x, mean=5.0, sd=2.0).tolist() == [0, 1, -4096, 262144, 262144, -262144]


def test_half_steps_round_to_even() -> None:
    assert quantise(np.array([0.5, 1.5, 2.5]) / 4096, mean=0.0, sd=1.0).tolist() == [0, 2, 2]


@pytest.mark.parametrize("sd", [0.0, float("nan"), float("inf")])
def test_without_a_usable_sd_the_unit_is_one(sd: float) -> None:
    assert quantise(np.array([7.0]), mean=5.0, sd=sd).tolist() == [8192]
    assert mean_of(8192, 1, mean=5.0, sd=sd) == 7.0
    assert variance_of(0, 2 * 4096**2, 2, sd=sd) == 1.0


def test_the_widest_floats_neither_warn_nor_overflow() -> None:
    assert quantise(np.array([1.7e308]), mean=-1.7e308, sd=5e-324).tolist() == [262144]


def test_a_constant_column_has_no_variance_at_all() -> None:
    q = quantise(np.full(1000, 0.1), mean=0.3, sd=0.7)
    assert variance_of(int(q.sum()), int((q * q).sum()), 1000, sd=0.7) == 0.0


def test_no_value_has_no_mean() -> None:
    assert mean_of(0, 0, mean=1.0, sd=1.0) is None
    assert variance_of(0, 0, 0, sd=1.0) is None


@given(values, st.integers(0, 200))
def test_sums_of_two_parts_add_up_to_the_sum_of_the_whole(x: np.ndarray, cut: int) -> None:
    q = quantise(x, mean=3.0, sd=11.0)
    parts = [quantise(part, mean=3.0, sd=11.0) for part in (x[:cut], x[cut:])]
    assert sum(int(part.sum()) for part in parts) == q.sum()
    assert sum(int((part**2).sum()) for part in parts) == (q**2).sum()


@given(values)
def test_mean_and_variance_come_back_within_half_a_step(x: np.ndarray) -> None:
    center, scale = float(x.mean()), float(x.std()) + 1.0
    q = quantise(x, mean=center, sd=scale)
    sums = int(q.sum()), int((q * q).sum())
    half = scale / 4096 / 2
    assert mean_of(sums[0], x.size, mean=center, sd=scale) == pytest.approx(x.mean(), abs=half + 1e-9)
    assert variance_of(*sums, x.size, sd=scale) == pytest.approx(x.var(), abs=2 * half * scale + 1e-6)
