"""KS from counts: the exact two-sample D where every distinct value is an edge, and never more than that on fewer."""

import numpy as np
import pytest

from detectors.edges import Floats, bin_of
from detectors.kolmogorov_smirnov import cumulative, distance, effective, p_value
from detectors.profile import numeric_profile
from tests.support.judged import NOW, TEMP


def counts(values: Floats, edges: Floats) -> Floats:
    return np.bincount(bin_of(values, edges), minlength=len(edges) + 1).astype(np.float64)


def d_over(edges: Floats) -> float:
    return float(distance(cumulative(counts(TEMP, edges)), cumulative(counts(NOW, edges))))


def test_every_distinct_value_an_edge_gives_the_exact_distance() -> None:
    assert d_over(np.unique(np.concatenate([TEMP, NOW]))) == pytest.approx(244 / 1500, rel=1e-14, abs=0)


def test_stored_bins_give_at_most_that_and_lack_at_most_the_largest_bin() -> None:
    profile = numeric_profile(TEMP, None)
    found = d_over(np.asarray(profile.edges))
    assert found == pytest.approx(244 / 1500, rel=1e-12)  # its maximum lies at an edge
    coarse = d_over(np.asarray(profile.deciles))
    assert coarse == pytest.approx(121 / 1500, rel=1e-12)
    assert 244 / 1500 - 0.1 <= coarse < 244 / 1500


def test_p_is_the_limit_law_at_the_effective_size() -> None:
    # Near the exact 2.998894579744038e-20, which the limit law exceeds.
    assert effective(1500, 2000) == pytest.approx(6000 / 7, rel=1e-14)
    assert p_value(244 / 1500, effective(1500, 2000)) == pytest.approx(4.0159e-20, rel=1e-3)


def test_many_columns_are_many_single_ones() -> None:
    shares = cumulative([[1, 2, 1], [0, 0, 4]])
    assert distance(shares, cumulative([[0, 0, 2], [0, 0, 9]])).tolist() == [0.75, 0.0]


def test_nothing_counted_is_no_difference_and_no_warning() -> None:
    empty = cumulative([[0, 0]])
    assert distance(empty, empty).tolist() == [0.0]
    assert p_value(distance(empty, empty), effective(0, 0)).tolist() == [1.0]
