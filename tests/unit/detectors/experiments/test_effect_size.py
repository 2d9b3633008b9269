"""Cohen's d, Hedges' g and their intervals, against published examples and the definition by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special, stats

from detectors.experiments.effect_size import LARGE, effect_size, noncentrality, unbiased
from detectors.experiments.samples import Sample, sample_of


def _sample(n: int, mean: float, sd: float) -> Sample:
    return Sample(n, n * mean, (n - 1) * sd**2 + n * mean**2)


def test_borensteins_example() -> None:
    """M. Borenstein et al., Introduction to Meta-Analysis (2009), p. 27-28: d = .5970, J = .9923, g = .5924."""
    found = effect_size(_sample(50, 100.0, 4.5), _sample(50, 103.0, 5.5))
    assert (found.cohen, found.hedges) == pytest.approx((0.5970, 0.5924), abs=6e-5)
    assert unbiased(98) == pytest.approx(0.9923, abs=5e-5)


def test_the_ends_are_where_the_noncentral_t_has_the_levels() -> None:
    for t, freedom in ((0.0, 8.0), (2.2, 38.0), (5.0, 20.0), (1.0, 1.0), (12.0, 600.0), (29.0, 19_000.0)):
        low, high = noncentrality(t, freedom, alpha=0.1)
        assert stats.nct.sf(t, freedom, low) == pytest.approx(0.05, abs=1e-9)
        assert stats.nct.cdf(t, freedom, high) == pytest.approx(0.05, abs=1e-9)
        assert noncentrality(-t, freedom, alpha=0.1) == pytest.approx((-high, -low), abs=1e-9)


@pytest.mark.parametrize("freedom", [1.0, 2.0, 3.7, 50.0, 1e4, 1e9, 1e13])
@pytest.mark.parametrize("t", [0.0, 20.0, 1e3, 1e6])
def test_there_is_an_interval_of_any_t(t: float, freedom: float) -> None:
    low, high = noncentrality(t, freedom)
    assert low < t < high
    if freedom > 1e8:
        assert (high - low) / 2 == pytest.approx(1.959964 * np.sqrt(1 + t * t / (2 * freedom)), rel=1e-3)


def test_hedges_factor_is_the_gamma_functions() -> None:
    for freedom in (2, 10, 97):
        exact = special.gamma(freedom / 2) / (math.sqrt(freedom / 2) * special.gamma((freedom - 1) / 2))
        assert unbiased(freedom) == pytest.approx(exact, rel=1e-12)
    assert unbiased(LARGE) == pytest.approx(unbiased(LARGE + 1), rel=1e-8)


def test_hedges_g_has_no_bias_and_the_interval_covers() -> None:
    rng = np.random.default_rng(20130101)
    one, other = rng.normal(0.0, 1.0, (300, 8)), rng.normal(0.8, 1.0, (300, 6))
    found = [effect_size(sample_of(a.tolist()), sample_of(b.tolist())) for a, b in zip(one, other, strict=True)]
    assert np.mean([each.hedges for each in found]) == pytest.approx(0.8, abs=0.05)
    assert np.mean([each.cohen for each in found]) == pytest.approx(0.8 / unbiased(12), abs=0.05)
    covered = [each.interval.holds(0.8) for each in found if each.interval is not None]
    assert 0.92 <= np.mean(covered) <= 0.98


def test_huge_samples_and_huge_effects() -> None:
    found = effect_size(Sample(10**12, 0, 10**12), Sample(10**12, 10**9, 10**12 + 10**6))
    assert found.interval is not None
    assert found.cohen == pytest.approx(1e-3, rel=1e-6)
    assert found.interval[1] - found.interval[0] == pytest.approx(2 * 1.96 * math.sqrt(2e-12), rel=1e-3)
    far = effect_size(_sample(30, 0.0, 1.0), _sample(30, 500.0, 1.0))
    assert far.interval is not None
    assert far.interval.holds(500.0)


def test_states() -> None:
    assert effect_size(Sample(0, 0, 0), Sample(3, 6, 14)).state == "no_traffic"
    assert effect_size(Sample(1, 1, 1), Sample(3, 6, 14)).state == "not_enough_data"
    assert effect_size(Sample(4, 8, 16), Sample(3, 9, 27)).state == "no_variance"
