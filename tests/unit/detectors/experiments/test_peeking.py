"""Looking daily promotes nobody by chance: the short form of ``tests/bench/test_peeking.py``."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.experiments.means import log_e_of_means
from detectors.experiments.rates import log_e_of_rates
from tests.support.experiments import QUANTITIES, daily_rows, quantities, rates
from tests.support.power import means_needed, rates_needed
from tests.support.promotions import ever, ever_naive, z_of_means, z_of_rates


@pytest.mark.parametrize(("rate", "share"), [(0.001, 0.5), (0.05, 0.05), (0.5, 0.5)])
def test_rates(rate: float, share: float) -> None:
    rng = np.random.default_rng(20130101)
    arms = rates(rng, daily_rows(rng, 1_000, share=share, rows=2_000), chances=(rate, rate))
    assert ever(log_e_of_rates(arms.champion, arms.challenger)) <= 0.01
    assert ever_naive(z_of_rates(arms)) >= 0.2


@pytest.mark.parametrize("quantity", ["normal", "rating 1 to 5", "latency, log-normal σ 1.5", "0 or 1, .001"])
def test_means_of_a_small_arm(quantity: str) -> None:
    arms = quantities(np.random.default_rng(20130102), 1_000, draw=QUANTITIES[quantity], share=0.05)
    assert ever(log_e_of_means(arms.champion, arms.challenger)) <= 0.025
    assert ever_naive(z_of_means(arms)) >= 0.2


def test_a_difference_is_found_with_two_to_three_times_the_rows_of_one_size() -> None:
    rng = np.random.default_rng(20130103)
    rate = rates_needed(rng, 100, rates=(0.05, 0.06), share=0.5)
    mean = means_needed(rng, 100, effect=0.1, share=0.05)
    assert rate.fixed == pytest.approx(16_310, rel=0.001)
    assert (1.5 < rate.at_most < 3.2, 1.2 < rate.mean < 2.3) == (True, True)
    assert (1.2 < mean.at_most < 2.5, 0.8 < mean.mean < 1.8) == (True, True)
