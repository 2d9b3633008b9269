"""Rows that no table has, by another method: the chart as a Markov chain of a fine grid (Brook and Evans, 1972)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

from detectors.edges import Floats
from detectors.run_lengths import cusum, ewma

STATES = 1_001


def by_cusum(slack: float, limit: float, shift: float, *, start: float = 0.0) -> float:
    """One side: state 0 is the chart at 0, the others are cells of equal width up to the limit."""
    width = limit / (STATES - 0.5)
    middles = np.arange(STATES) * width
    upper = middles[None, :] + width / 2 - middles[:, None] + slack - shift
    below = special.ndtr(upper)
    return float(np.interp(start, middles, _runs(np.diff(below, axis=1, prepend=0.0))))


def by_ewma(weight: float, width: float, shift: float) -> float:
    """Cells of equal width between both limits."""
    limit = width * math.sqrt(weight / (2.0 - weight))
    cell = 2.0 * limit / STATES
    middles = -limit + (np.arange(STATES) + 0.5) * cell
    below = [
        special.ndtr((middles[None, :] + side * cell / 2 - (1.0 - weight) * middles[:, None]) / weight - shift)
        for side in (1, -1)
    ]
    return float(_runs(below[0] - below[1])[STATES // 2])


def _runs(moves: Floats) -> Floats:
    return np.asarray(np.linalg.solve(np.eye(len(moves)) - moves, np.ones(len(moves))), dtype=np.float64)


@pytest.mark.parametrize(
    ("slack", "limit", "shift"),
    [(0.25, 8.0, 0.0), (0.25, 8.0, 0.3), (1.0, 2.5, 0.0), (1.0, 2.5, 2.0), (0.5, 6.5, -0.2), (0.75, 3.3, 1.5)],
)
def test_a_cusum_of_other_limits(slack: float, limit: float, shift: float) -> None:
    assert cusum.one_sided(slack, limit, shift) == pytest.approx(by_cusum(slack, limit, shift), rel=2e-4)
    both = 1.0 / (1.0 / by_cusum(slack, limit, shift) + 1.0 / by_cusum(slack, limit, -shift))
    assert cusum.two_sided(slack, limit, shift) == pytest.approx(both, rel=2e-4)


@pytest.mark.parametrize("start", [1.0, 3.0, 5.5])
def test_other_head_starts(start: float) -> None:
    found = cusum.one_sided(0.5, 6.0, 0.5, head_start=start)
    assert found == pytest.approx(by_cusum(0.5, 6.0, 0.5, start=start), rel=1e-3)


@pytest.mark.parametrize(
    ("weight", "width", "shift"),
    [(0.03, 2.437, 0.0), (0.03, 2.437, 0.75), (0.13, 3.1, 0.0), (0.35, 2.7, 1.5), (0.75, 3.087, 0.0), (1.0, 3.0, 1.0)],
)
def test_an_ewma_of_other_weights(weight: float, width: float, shift: float) -> None:
    assert ewma.two_sided(weight, width, shift) == pytest.approx(by_ewma(weight, width, shift), rel=5e-4)
