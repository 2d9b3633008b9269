"""Evidence of two rates at any look: exact by enumeration, the least over every common rate, monotone, never NaN."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import special, stats

from detectors.experiments.beta_mixture import WORTHS, log_e_of_counts, log_e_of_share
from detectors.experiments.rates import FIRMER, log_e_of_rates, look_at_rates
from detectors.experiments.samples import Counts
from tests.support.experiments import Floats

RATES = (0.003, 0.05, 0.3, 0.5, 0.98)


@pytest.mark.parametrize("rate", RATES)
def test_a_mixture_is_1_on_average_whatever_the_rows(rate: float) -> None:
    hits = np.arange(41)
    e = np.exp(log_e_of_share(40, hits, rate))
    assert e @ stats.binom.pmf(hits, 40, rate) == pytest.approx(1.0, rel=1e-9)


def test_a_mixture_is_a_martingale_row_by_row() -> None:
    now = np.exp(log_e_of_counts(9, 4, 0.3, worth=5.0))
    hit, miss = np.exp(log_e_of_counts(10, [5, 4], 0.3, worth=5.0))
    assert 0.3 * hit + 0.7 * miss == pytest.approx(float(now), rel=1e-12)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("alpha", [0.05, 0.5])
def test_the_chance_of_ever_calling_arms_that_do_not_differ_is_at_most_alpha_exactly(rate: float, alpha: float) -> None:
    """All ways the counts can go, over eight looks of blocks of changing size and share."""
    alive = np.ones((1, 1))
    one, other = 0, 0
    for new_one, new_other in ((5, 1), (3, 2), (1, 1), (6, 1), (2, 4), (4, 4), (1, 7), (10, 3)):
        alive = _convolved(alive, stats.binom.pmf(range(new_one + 1), new_one, rate), axis=0)
        alive = _convolved(alive, stats.binom.pmf(range(new_other + 1), new_other, rate), axis=1)
        one, other = one + new_one, other + new_other
        hits = np.meshgrid(np.arange(one + 1), np.arange(other + 1), indexing="ij")
        alive[log_e_of_rates((one, hits[0]), (other, hits[1])) >= -math.log(alpha)] = 0.0
    assert 1.0 - alive.sum() <= alpha


def test_it_is_the_least_over_every_rate_that_both_arms_might_have() -> None:
    rng = np.random.default_rng(20130101)
    everywhere = special.expit(np.linspace(-16.0, 16.0, 10_001))
    for _ in range(20):
        n1, n2 = (int(n) for n in 10 ** rng.uniform(0.5, 5.0, 2))
        h1, h2 = (int(rng.binomial(n, p)) for n, p in ((n1, rng.beta(0.5, 1.0)), (n2, rng.beta(0.5, 1.0))))
        least = float(_at_every(everywhere, (n1, h1), (n2, h2)).min())
        found = float(log_e_of_rates((n1, h1), (n2, h2)))
        assert found <= max(0.0, least + 1e-6 * max(1.0, least)), (n1, h1, n2, h2)


def test_looks_at_once_are_looks_one_by_one() -> None:
    rng = np.random.default_rng(20130102)
    n1, n2 = rng.integers(1, 3_000, (2, 8))
    h1, h2 = rng.binomial(n1, 0.1), rng.binomial(n2, 0.2)
    each = [
        look_at_rates(Counts(int(a), int(b)), Counts(int(c), int(d))).log_e
        for a, b, c, d in zip(n1, h1, n2, h2, strict=True)
    ]
    assert log_e_of_rates((n1, h1), (n2, h2)).tolist() == pytest.approx(each, rel=1e-12)


def test_more_of_a_difference_is_more_evidence_and_so_are_more_rows_of_it() -> None:
    by_hits = [look_at_rates(Counts(10_000, 500), Counts(500, hits)).p_value for hits in range(25, 120, 9)]
    assert all(after <= before for before, after in pairwise(by_hits))
    by_rows = [look_at_rates(Counts(1_000 * k, 50 * k), Counts(100 * k, 9 * k)).p_value for k in range(1, 60, 9)]
    assert all(after <= before for before, after in pairwise(by_rows))
    assert (by_hits[0], by_rows[0]) == (1.0, 1.0)
    assert max(by_hits[-1], by_rows[-1]) < 1e-4


def test_arms_and_hits_are_alike_where_the_arms_have_one_name() -> None:
    found = look_at_rates(Counts(2_000, 100), Counts(2_000, 160))
    misses = look_at_rates(Counts(2_000, 1_900), Counts(2_000, 1_840))
    assert found.log_e == pytest.approx(misses.log_e, rel=1e-9)
    assert found.interval is not None
    assert misses.interval == pytest.approx((-found.interval.high, -found.interval.low), abs=1e-7)


def test_the_interval_and_the_p_value_say_the_same() -> None:
    for hits in (60, 75, 80, 85, 100):
        found = look_at_rates(Counts(20_000, 1_000), Counts(1_000, hits), alpha=0.01)
        assert found.interval is not None
        assert found.interval.holds(0.0) == (found.p_value > 0.01)


def test_the_ends_of_the_interval_are_where_the_evidence_is_1_over_alpha() -> None:
    found = look_at_rates(Counts(500, 30), Counts(300, 40), alpha=0.1)
    assert found.interval is not None
    ends = log_e_of_rates((500, 30), (300, 40), shift=found.interval)
    assert ends.tolist() == pytest.approx([math.log(10.0)] * 2, abs=1e-4)


def test_the_p_value_before_is_kept() -> None:
    assert look_at_rates(Counts(100, 5), Counts(100, 5), before=0.02).p_value == 0.02


@pytest.mark.parametrize(
    ("champion", "challenger"),
    [
        (Counts(100, 0), Counts(5, 0)),
        (Counts(100, 100), Counts(5, 5)),
        (Counts(1, 0), Counts(1, 1)),
        (Counts(1_000, 0), Counts(1_000, 1_000)),
        (Counts(10**12, 10**9), Counts(10**12, 10**9 + 10**6)),
        (Counts(33.3, 4.4), Counts(2.5, 0.3)),
    ],
)
def test_extremes_have_an_answer(champion: Counts, challenger: Counts) -> None:
    found = look_at_rates(champion, challenger)
    assert found.interval is not None
    assert 0.0 <= found.p_value <= 1.0
    assert -1.0 <= found.interval.low <= challenger.share - champion.share <= found.interval.high <= 1.0


def test_an_empty_arm_is_no_traffic() -> None:
    assert look_at_rates(Counts(0, 0), Counts(5, 1), before=0.3).state == "no_traffic"
    assert look_at_rates(Counts(0, 0), Counts(5, 1), before=0.3).p_value == 0.3


def _at_every(p: Floats, champion: tuple[int, int], challenger: tuple[int, int]) -> Floats:
    spread = p * (1.0 - p)
    both = [
        log_e_of_counts(*champion, p, worth=FIRMER * worth / spread)
        + log_e_of_counts(*challenger, p, worth=worth / spread)
        for worth in WORTHS
    ]
    found: Floats = special.logsumexp(np.array(both), axis=0) - math.log(len(WORTHS))
    return found


def _convolved(chances: Floats, new: Floats, *, axis: int) -> Floats:
    found: Floats = np.apply_along_axis(np.convolve, axis, chances, new)
    return found
