"""PSI between arms: what it is with no difference at any size, and that a hundred rows are no drift."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from detectors.experiments.between_arms import BetweenArms, between_arms, between_named

SCORES = np.diff(stats.norm.cdf(np.linspace(-4.0, 4.0, 65)), prepend=0.0)[1:]
SCORES = SCORES / SCORES.sum()


@pytest.mark.parametrize("rows", [100, 500, 5_000])
def test_arms_that_do_not_differ_show_what_is_expected_and_are_never_beyond(rows: int) -> None:
    rng = np.random.default_rng(20130101)
    found = [between_arms(rng.multinomial(10_000, SCORES), rng.multinomial(rows, SCORES)) for _ in range(400)]
    assert np.mean([each.psi for each in found]) == pytest.approx(np.mean([each.expected for each in found]), rel=0.12)
    assert {each.bins for each in found} <= {7, 8, 9, 10}
    assert not any(each.beyond(0.1) for each in found)
    p = np.array([each.p_value for each in found])
    assert float(np.mean(p <= 0.05)) <= 0.08


def test_the_stable_population_of_a_textbook() -> None:
    """By hand: (.3 - .2) ln(.3/.2) + (.2 - .3) ln(.2/.3) = .0811 where counts are large."""
    found = between_named([200_000, 500_000, 300_000], [300_000, 500_000, 200_000])
    assert found.psi == pytest.approx(0.1 * np.log(1.5) * 2, rel=1e-4)
    assert found.expected == pytest.approx(2 * 2e-6)


def test_a_shifted_challenger_is_beyond() -> None:
    moved = np.roll(SCORES, 8)  # one standard deviation
    rng = np.random.default_rng(20130102)
    found = between_arms(rng.multinomial(10_000, SCORES), rng.multinomial(300, moved))
    assert found.beyond(0.25)
    assert not found.beyond(5.0)


def test_a_large_psi_of_few_rows_is_not_believed() -> None:
    found = between_arms([400, 600], [10, 3])
    assert found.psi is not None
    assert found.psi > 0.25
    assert not found.beyond(0.1)


def test_a_limit_is_held_against_what_is_above_chance() -> None:
    found = BetweenArms("ok", 0.3, 0.1, 1e-6, 10)
    assert (found.beyond(0.19), found.beyond(0.21)) == (True, False)


@pytest.mark.parametrize(
    ("champion", "challenger", "state"),
    [
        ([0, 0], [5, 5], "no_traffic"),
        ([50, 50], [2, 2], "not_enough_data"),
        ([500, 0], [50, 0], "no_variance"),
        ([500, 1, 1], [50, 0, 0], "not_enough_data"),
    ],
)
def test_states(champion: list[int], challenger: list[int], state: str) -> None:
    found = between_arms(champion, challenger)
    assert (found.state, found.psi, found.beyond(0.0)) == (state, None, False)


def test_less_than_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="counts of bins are 0 or more"):
        between_arms([-1, 2], [1, 1])


def test_bins_of_two_references_are_refused() -> None:
    with pytest.raises(ValueError, match="the champion has 2 bins and the challenger 3"):
        between_arms([1, 2], [1, 2, 3])
