"""Serving against store: exact numbers, and how often windows that are alike are called skewed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.quality.skew import Skew, skew
from detectors.quality.verdict import BY_CHANCE, LEVEL

Ints = NDArray[np.int64]
#: Ten bins of a tenth each, as deciles are.
DECILES = np.full(10, 0.1)


def counts(*numbers: int) -> Ints:
    return np.array(numbers, dtype=np.int64)


def of_numbers(served: Ints, stored: Ints, *, level: float = LEVEL) -> Skew:
    found = skew(served, stored, ordered=True, level=level)
    assert found is not None
    return found


def test_the_same_counts_are_no_skew_and_need_no_test() -> None:
    found = of_numbers(counts(60, 40), counts(120, 80))
    assert found.value == pytest.approx(0.0, abs=1e-5)
    assert found == Skew(found.value, 1 / 100 + 1 / 200, 0.1, None, exceeded=False)


def test_psi_is_that_of_two_sides_with_half_a_count_more_in_each_bin() -> None:
    served, stored = counts(100, 200, 300), counts(300, 200, 100)
    p, q = (300.5, 200.5, 100.5), (100.5, 200.5, 300.5)
    by_hand = sum((b - a) / 601.5 * np.log(b / a) for a, b in zip(p, q, strict=True))
    found = of_numbers(served, stored)
    assert found.value == pytest.approx(by_hand, abs=1e-12)
    assert found.expected == pytest.approx(2 * (1 / 600 + 1 / 600), abs=1e-12)
    assert found.p is not None
    assert found.p < 1e-30
    assert found.exceeded


def test_small_windows_of_names_that_are_alike_are_no_skew_and_others_are() -> None:
    alike = skew(counts(18, 32, 20, 30), counts(28, 22, 30, 20), ordered=False, level=LEVEL)
    assert alike is not None
    assert alike.value == pytest.approx(0.156320, abs=1e-6)
    assert alike.p == pytest.approx(0.045482, abs=1e-6)
    assert not alike.exceeded
    other = skew(counts(10, 40, 10, 40), counts(28, 22, 30, 20), ordered=False, level=LEVEL)
    assert other is not None
    assert other.exceeded


def test_a_large_difference_that_is_surely_none_by_chance_is_small_by_psi() -> None:
    """Serving of a million rows: the surest difference is not worth a finding below the threshold."""
    found = of_numbers(counts(520_000, 480_000), counts(480_000, 520_000))
    assert (found.value < 0.01, found.p, found.exceeded) == (True, None, False)


@pytest.mark.parametrize(("served", "stored"), [((60, 39), (500, 500)), ((500, 500), (60, 39)), ((0, 0), (500, 500))])
def test_fewer_than_a_hundred_values_of_a_side_say_nothing(served: tuple[int, int], stored: tuple[int, int]) -> None:
    assert skew(counts(*served), counts(*stored), ordered=True, level=LEVEL) is None


@pytest.mark.parametrize(("rows", "above", "found"), [(100, 1_622, 2), (200, 676, 1), (400, 38, 3)])
def test_independent_rows_that_are_alike_are_called_skewed_once_in_a_thousand_though_their_psi_is_large(
    rows: int, above: int, found: int
) -> None:
    random = np.random.default_rng(7)
    pairs = random.multinomial(rows, DECILES, size=(2_000, 2))
    said = [of_numbers(served, stored) for served, stored in pairs]
    assert sum(one.value > 0.1 for one in said) == above
    assert sum(one.exceeded for one in said) == found


def test_a_promise_is_broken_by_chance_once_in_a_million_windows_at_most() -> None:
    pairs = np.random.default_rng(3).multinomial(100, DECILES, size=(2_000, 2))
    assert not any(of_numbers(served, stored, level=BY_CHANCE).exceeded for served, stored in pairs)


def _wandering(random: np.random.Generator, panes: int, strength: float) -> NDArray[np.float64]:
    """(panes, bins): shares of panes that hang together (φ = .5), of weather that both sides see."""
    state, shares = np.zeros(10), []
    for _ in range(panes):
        state = 0.5 * state + random.normal(0.0, strength, 10)
        weights = DECILES * np.exp(state)
        shares.append(weights / weights.sum())
    return np.array(shares)


@pytest.mark.parametrize(("rows", "share"), [(10, 1.0), (50, 0.3), (200, 0.3)])
def test_what_both_sides_see_is_no_skew_however_it_wanders(rows: int, share: float) -> None:
    """A day of hours: the store counts each value, serving a part of the same rows; panes are unlike each other on both sides."""
    random, exceeded, windows = np.random.default_rng(11), 0, 400
    for _ in range(windows):
        stored = np.array([random.multinomial(rows, shares) for shares in _wandering(random, 24, 0.8)])
        served = random.binomial(stored, share)
        said = skew(served.sum(axis=0), stored.sum(axis=0), ordered=True, level=LEVEL)
        exceeded += said is not None and said.exceeded
    assert exceeded == 0


def test_what_each_side_sees_by_itself_wanders_into_skew() -> None:
    """Two entities' weather: rows that hang together count for fewer, and the test of independent rows is passed too often."""
    random, exceeded = np.random.default_rng(13), 0
    for _ in range(400):
        sides = [
            np.array([random.multinomial(50, shares) for shares in _wandering(random, 24, 0.5)]).sum(axis=0)
            for _ in range(2)
        ]
        exceeded += of_numbers(*sides).exceeded
    assert exceeded == 124
