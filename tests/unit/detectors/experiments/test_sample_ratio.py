"""Whether the arms got their shares: scipy's chi-squared, evidence that may be looked at, stages, and what draws nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from detectors.experiments.sample_ratio import Stage, look_at_ratio, sample_ratio


def test_one_stage_is_scipys_chi_squared() -> None:
    theirs = stats.chisquare([9_430, 570], [9_500, 500])
    found = sample_ratio([Stage(0.05, 9_430, 570)])
    assert (found.statistic, found.p_value) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-12)


def test_a_stage_is_a_degree_of_freedom() -> None:
    stages = [Stage(0.05, 9_430, 570), Stage(0.5, 1_000, 1_100)]
    apart = [sample_ratio([stage]).statistic or 0.0 for stage in stages]
    assert sample_ratio(stages).p_value == pytest.approx(stats.chi2.sf(sum(apart), 2), rel=1e-12)


def test_stages_are_held_each_against_its_own_share() -> None:
    stages = [Stage(0.05, 9_500, 500), Stage(0.1, 9_000, 1_000), Stage(0.5, 5_000, 5_000)]
    assert sample_ratio(stages).p_value == 1.0
    assert look_at_ratio(stages).p_value == 1.0
    moved = [Stage(0.05, 9_000, 1_000), Stage(0.1, 9_500, 500), Stage(0.5, 5_000, 5_000)]
    assert sample_ratio(moved).p_value == pytest.approx(0.0, abs=1e-12)
    assert look_at_ratio(moved).p_value < 1e-12


def test_a_look_that_says_mismatch_is_the_mixture_by_hand() -> None:
    found = look_at_ratio([Stage(0.5, 480, 560)])
    by_hand = [
        math.lgamma(w + 480)
        + math.lgamma(w + 560)
        - math.lgamma(2 * w + 1_040)
        - 2 * math.lgamma(w)
        + math.lgamma(2 * w)
        for w in (4.0, 40.0, 400.0, 4_000.0)
    ]
    assert found.log_e is not None
    assert math.exp(found.log_e) == pytest.approx(
        float(np.exp(np.array(by_hand) + 1_040 * math.log(2)).mean()), rel=1e-9
    )
    assert found.difference == 40 / 1_040


def test_nobody_is_called_by_looking_daily() -> None:
    rng = np.random.default_rng(20130101)
    called = 0
    for _ in range(100):
        n = rng.poisson(400, 20).cumsum()
        challenger = rng.binomial(np.diff(n, prepend=0), 0.1).cumsum()
        looks = [
            look_at_ratio([Stage(0.1, float(a - b), float(b))]).p_value for a, b in zip(n, challenger, strict=True)
        ]
        called += min(looks) <= 0.05
    assert called <= 3


@pytest.mark.parametrize(
    ("stages", "one", "many"),
    [
        ([], "no_traffic", "no_traffic"),
        ([Stage(0.5, 0, 0)], "no_traffic", "no_traffic"),
        ([Stage(1.0, 0, 100)], "not_enough_data", "not_enough_data"),
        ([Stage(0.05, 90, 5)], "not_enough_data", "ok"),
    ],
)
def test_states(stages: list[Stage], one: str, many: str) -> None:
    assert (sample_ratio(stages).state, look_at_ratio(stages, before=0.5).state) == (one, many)
    assert look_at_ratio(stages, before=0.5).p_value <= 0.5


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ((1.5, 1, 1), "share is 1.5"),
        ((0.5, -1, 1), "rows are -1 and 1"),
        ((0.5, math.inf, 1), "rows are inf"),
        ((0.5, math.nan, 1), "rows are nan"),
    ],
)
def test_what_cannot_be_is_refused(made: tuple[float, float, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Stage(*made)
