"""The scale of charts: what panes wander beyond the noise of their few rows."""

import numpy as np
import pytest

from detectors.pane_means import between, middles, standardised
from detectors.profile import numeric_profile, panes_of


def wander(sd_between: float, *, rows: int, panes: int = 400) -> float:
    rng = np.random.default_rng(11)
    level = np.repeat(rng.normal(0.0, sd_between, panes), rows)
    values = 50.0 + 3.0 * (level + rng.normal(0.0, 1.0, panes * rows))
    profile = numeric_profile(values, panes_of(np.repeat(np.arange(panes), rows) * 10, pane_ms=10))
    found = between(profile, np.arange(panes))
    assert found is not None
    return found


@pytest.mark.parametrize("rows", [5, 100])
def test_rows_that_are_independent_leave_nothing_between_panes(rows: int) -> None:
    assert wander(0.0, rows=rows) < 0.03


@pytest.mark.parametrize("rows", [5, 100])
def test_what_is_between_panes_is_found_whatever_their_size(rows: int) -> None:
    # A variance of 1 beside one of 1 within: half of all.
    assert wander(1.0, rows=rows) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(("panes", "rows", "known"), [(19, 2, False), (20, 2, True), (40, 1, False)])
def test_few_panes_and_single_rows_tell_no_scale(panes: int, rows: int, known: bool) -> None:
    times = np.repeat(np.arange(panes), rows) * 10
    profile = numeric_profile(np.arange(panes * rows, dtype=np.float64), panes_of(times, pane_ms=10))
    assert (between(profile, np.arange(panes)) is not None) is known


def test_panes_are_summed_to_live_ones_and_what_is_missing_is_left_out() -> None:
    """Halves of a pane at -1 and 1 cancel out, and only as far as they have values."""
    level = np.tile([-1.0, 1.0], 40)
    values = np.column_stack([np.repeat(level[:, None], 9, axis=1), np.full(80, np.nan)]).ravel()
    profile = numeric_profile(values, panes_of(np.repeat(np.arange(80), 10) * 10, pane_ms=10))
    assert between(profile, np.arange(80)) == pytest.approx(1.0, abs=1e-9)
    assert between(profile, np.arange(80) // 2) == 0.0


def test_an_atom_is_its_own_middle_and_an_empty_outer_bin_its_edge() -> None:
    profile = numeric_profile(np.array([0.0] * 50 + [4.0] * 50), None)
    assert middles(profile)[[0, 1]].tolist() == [0.0, pytest.approx(0.0, abs=1e-300)]
    assert middles(profile)[-1] == np.nextafter(4.0, 5.0)


def test_a_pane_of_four_rows_counts_half_as_much_as_one_of_sixteen() -> None:
    assert standardised(np.array([0.5, 0.5]), [4, 16], np.zeros(2)).tolist() == [1.0, 2.0]
    assert standardised(np.array([0.5]), [1], np.array([0.25])).tolist() == [0.5]
    assert standardised(np.array([0.5]), [1_000_000_000], np.array([0.25])).tolist() == [pytest.approx(1.0, rel=1e-8)]
