"""Quantiles from bins: exact at edges, linear between, closed by the extremes, never NaN."""

import math

import numpy as np
import pytest

from detectors.bin_quantile import count_above, quantile
from stream.state.columns import LATENCY_S

EDGES = (1.0, 2.0, 4.0)


@pytest.mark.parametrize(
    ("counts", "level", "value"),
    [
        ([10, 0, 0, 0], 0.5, 0.75),  # from the minimum 0.5 to the edge
        ([5, 5, 0, 0], 0.5, 1.0),  # at an edge: exact
        ([0, 0, 10, 0], 0.95, 3.9),
        ([0, 0, 0, 10], 0.5, 6.5),  # from the last edge to the maximum 9
        ([9, 0, 0, 1], 1.0, 9.0),
        ([1, 0, 0, 0], 0.0, 0.5),
    ],
)
def test_within_a_bin_it_is_linear(counts: list[int], level: float, value: float) -> None:
    assert quantile(EDGES, counts, level, span=(0.5, 9.0)) == pytest.approx(value, rel=1e-12)


def test_one_value_is_every_quantile() -> None:
    assert [quantile(EDGES, [0, 0, 1, 0], level, span=(3.0, 3.0)) for level in (0.01, 0.5, 0.99)] == [3.0] * 3


@pytest.mark.parametrize(("counts", "value"), [([4, 0, 0, 0], 1.0), ([0, 0, 0, 4], 4.0)])
def test_extremes_that_are_not_known_leave_the_edge(counts: list[int], value: float) -> None:
    assert quantile(EDGES, counts, 0.5, span=(math.inf, -math.inf)) == value


def test_the_error_on_latencies_is_within_their_bin() -> None:
    latencies = np.random.default_rng(3).lognormal(-2.5, 0.8, size=20_000)
    counts = np.bincount(np.searchsorted(LATENCY_S, latencies, side="right"), minlength=len(LATENCY_S) + 1)
    found = quantile(LATENCY_S, counts, 0.95, span=(latencies.min(), latencies.max()))
    assert (round(float(np.quantile(latencies, 0.95)), 3), round(found or 0.0, 3)) == (0.305, 0.365)  # of 0.25 to 0.5


@pytest.mark.parametrize(
    ("limit", "above"), [(0.5, 20), (0.75, 15), (1.0, 10), (2.0, 10), (3.0, 5), (4.0, 0), (9.0, 0), (0.1, 20)]
)
def test_above_a_limit_is_the_other_way_round(limit: float, above: float) -> None:
    assert count_above(EDGES, [10, 0, 10, 0], limit, span=(0.5, 4.0)) == pytest.approx(above, rel=1e-12)


def test_above_a_limit_in_an_open_bin_is_closed_by_the_greatest() -> None:
    assert [count_above(EDGES, [0, 0, 0, 10], limit, span=(4.0, 9.0)) for limit in (4.0, 6.5, 9.0)] == [10.0, 5.0, 0.0]
    assert count_above(EDGES, [0, 1, 0, 0], 1.2, span=(1.5, 1.5)) == 1.0


def test_a_quantile_has_its_share_above_it() -> None:
    counts = [3, 14, 1, 5]
    for level in (0.05, 0.3, 0.95):
        limit = quantile(EDGES, counts, level, span=(0.5, 9.0))
        assert limit is not None
        assert count_above(EDGES, counts, limit, span=(0.5, 9.0)) == pytest.approx((1 - level) * 23, rel=1e-9)
