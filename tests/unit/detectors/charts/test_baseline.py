"""What charts are standardised by: the long-run variance of a pane's mean, known where panes are drawn with one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal, special

from detectors.charts.baseline import baseline_of, deviation, standardised
from tests.support.simulated import Floats, Ints

EDGES = special.ndtri(np.arange(1, 10) / 10)
ROWS, PANES, BETWEEN = 50, 4_800, 0.1


def counts(middle: Floats, *, seed: int, rows: int = ROWS) -> Ints:
    below = special.ndtr((EDGES - middle[:, None]) / np.sqrt(1.0 - BETWEEN))
    return np.random.default_rng(seed).multinomial(rows, np.diff(below, axis=1, prepend=0.0, append=1.0))


def wandering(phi: float, *, seed: int) -> Floats:
    """An AR(1) with a tenth of the variance of a row."""
    noise = np.random.default_rng(seed).standard_normal(PANES)
    found: Floats = signal.lfilter([1.0], [1.0, -phi], noise) * np.sqrt(BETWEEN * (1.0 - phi * phi))
    return found


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.8])
def test_the_long_run_variance_counts_what_hangs_together(phi: float) -> None:
    known = BETWEEN * (1.0 + phi) / (1.0 - phi) + (1.0 - BETWEEN) / ROWS
    made = [baseline_of(counts(wandering(phi, seed=seed), seed=seed)) for seed in range(6)]
    found = [one.variance for one in made if one is not None]
    # Deciles see a little less of a shift than values do.
    assert np.mean(found) == pytest.approx(known, rel=0.12)
    assert [one and (one.panes, one.blocks, one.thinness) for one in made] == [(PANES, 200, 1.0 / ROWS)] * 6


def test_a_series_that_swings_to_and_fro_has_the_variance_of_its_panes_at_least() -> None:
    made = baseline_of(counts(np.tile([-0.5, 0.5], PANES // 2), seed=1))
    assert made is not None
    # Scores are in sd of all rows, whose variance is 0.9 within panes and 0.25 between them.
    assert made.variance == pytest.approx((0.25 + 0.9 / ROWS) / 1.15, rel=0.02)


def test_what_tells_no_variance_has_no_baseline_and_panes_all_alike_are_independent_rows() -> None:
    assert baseline_of(np.zeros((40, 10))) is None
    assert baseline_of(np.tile([10, 0], (40, 1))) is None
    assert baseline_of([[5, 5]]) is None
    alike = baseline_of(np.tile([5, 5], (40, 1)))
    assert alike is not None
    assert alike.variance == pytest.approx(0.1 / (1.0 - 1.0 / 20))


def test_a_thin_pane_counts_by_its_rows_and_a_fat_one_as_a_usual_one() -> None:
    usual = deviation(np.array([30.0]), [30], middle=0.0, variance=0.04, thinness=1 / 30)
    thin = deviation(np.array([3.0]), [3], middle=0.0, variance=0.04, thinness=1 / 30)
    fat = deviation(np.array([300.0]), [300], middle=0.0, variance=0.04, thinness=1 / 30)
    assert (usual[0], thin[0], fat[0]) == pytest.approx((5.0, 5.0 / np.sqrt(10.0), 5.0))


def test_live_panes_of_the_same_stream_have_variance_one_in_the_long_run() -> None:
    made = baseline_of(counts(wandering(0.5, seed=3), seed=3))
    assert made is not None
    values = standardised(made, counts(wandering(0.5, seed=4), seed=4))
    assert float(values.mean()) == pytest.approx(0.0, abs=3 / np.sqrt(PANES))
    assert float(values.reshape(-1, 48).sum(axis=1).var()) / 48 == pytest.approx(1.0, abs=0.35)
