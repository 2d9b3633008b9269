"""Two proportions: the intervals that Newcombe printed, the chi-squared that scipy computes, and states."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from detectors.experiments.proportions import agresti_caffo, newcombe, proportions, wilson
from detectors.experiments.samples import Counts

#: R. G. Newcombe, Statistics in Medicine 17 (1998), table II, method 10: (hits, rows) twice, interval of first minus second.
NEWCOMBE = [
    ((56, 70), (48, 80), (0.0524, 0.3339)),
    ((9, 10), (3, 10), (0.1705, 0.8090)),
    ((6, 7), (2, 7), (0.0582, 0.8062)),
    ((5, 56), (0, 29), (-0.0381, 0.1926)),
    ((0, 10), (0, 20), (-0.1611, 0.2775)),
    ((0, 10), (0, 10), (-0.2775, 0.2775)),
    ((10, 10), (0, 20), (0.6791, 1.0000)),
    ((10, 10), (0, 10), (0.6075, 1.0000)),
]


@pytest.mark.parametrize(("one", "other", "printed"), NEWCOMBE)
def test_newcombes_examples(one: tuple[int, int], other: tuple[int, int], printed: tuple[float, float]) -> None:
    found = newcombe(Counts(other[1], other[0]), Counts(one[1], one[0]))
    assert found == pytest.approx(printed, abs=5.1e-5)


def test_wilson_is_scipys() -> None:
    for hits, rows in ((0, 10), (1, 10), (40, 250), (10, 10)):
        theirs = stats.binomtest(hits, rows).proportion_ci(0.95, method="wilson")
        assert wilson(Counts(rows, hits)) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_the_square_of_z_is_pearsons_chi_squared() -> None:
    found = proportions(Counts(80, 48), Counts(70, 56))
    theirs = stats.chi2_contingency([[48, 32], [56, 14]], correction=False)
    assert found.statistic is not None
    assert (found.statistic**2, found.p_value) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-12)


def test_agresti_and_caffo_add_one_of_each() -> None:
    p, q = 10 / 12, 4 / 12
    reach = 1.959963984540054 * np.sqrt(p * (1 - p) / 12 + q * (1 - q) / 12)
    assert agresti_caffo(Counts(10, 3), Counts(10, 9)) == pytest.approx((0.5 - reach, 0.5 + reach), rel=1e-12)


@pytest.mark.parametrize(("rows", "rate"), [(20, 0.05), (60, 0.5)])
def test_newcombes_interval_covers_about_as_often_as_it_says_by_full_enumeration(rows: int, rate: float) -> None:
    hits = range(rows + 1)
    chance = stats.binom.pmf(list(hits), rows, rate)
    covered = [[newcombe(Counts(rows, a), Counts(rows, b)).holds(0.0) for b in hits] for a in hits]
    assert 0.94 <= float(chance @ np.array(covered) @ chance) <= 0.999


@pytest.mark.parametrize(
    ("champion", "challenger", "state"),
    [
        (Counts(0, 0), Counts(10, 1), "no_traffic"),
        (Counts(10, 1), Counts(0, 0), "no_traffic"),
        (Counts(10, 0), Counts(20, 0), "no_variance"),
        (Counts(10, 10), Counts(20, 20), "no_variance"),
        (Counts(10, 10), Counts(20, 0), "ok"),
    ],
)
def test_states(champion: Counts, challenger: Counts, state: str) -> None:
    assert proportions(champion, challenger).state == state


def test_no_error_in_either_arm_still_has_an_interval() -> None:
    assert proportions(Counts(10, 0), Counts(10, 0)).interval == pytest.approx((-0.2775, 0.2775), abs=5e-5)


def test_a_thousand_billion_rows() -> None:
    found = proportions(Counts(10**12, 10**9), Counts(10**12, 10**9 + 10**6))
    assert found.interval is not None
    assert found.statistic == pytest.approx(10**6 / np.sqrt(2 * 10**9 * 0.999), rel=1e-3)
    assert found.interval == pytest.approx((9.124e-7, 1.0876e-6), rel=1e-3)
