"""The scale of charts: what panes wander beyond the noise of their few rows."""

import numpy as np
import pytest

from detectors.pane_means import between, middles, standardised
from detectors.profile import numeric_profile, pane_matrix, panes_of


def wander(sd_between: float, *, rows: int, panes: int = 400) -> float:
    rng = np.random.default_rng(11)
    level = np.repeat(rng.normal(0.0, sd_between, panes), rows)
    values = 50.0 + 3.0 * (level + rng.normal(0.0, 1.0, panes * rows))
    profile = numeric_profile(values, panes_of(np.repeat(np.arange(panes), rows) * 10, pane_ms=10))
    found = between(profile, pane_matrix(profile)[:, : len(profile.counts)])
    assert found is not None
    return found


@pytest.mark.parametrize("rows", [5, 100])
def test_rows_that_are_independent_leave_nothing_between_panes(rows: int) -> None:
    assert wander(0.0, rows=rows) < 0.03


@pytest.mark.parametrize("rows", [5, 100])
def test_what_is_between_panes_is_found_whatever_their_size(rows: int) -> None:
    # A variance of 1 beside one of 1 within: half of all.
    assert wander(1.0, rows=rows) == pytest.approx(0.5, abs=0.05)


def test_few_panes_tell_no_scale() -> None:
    profile = numeric_profile(np.arange(38.0), None)
    panes = np.ones((19, len(profile.counts)), dtype=np.int64)
    assert between(profile, panes) is None
    assert between(profile, np.vstack([panes, panes[:1]])) is not None
    assert between(profile, np.eye(len(profile.counts), dtype=np.int64)) is None


def test_an_atom_is_its_own_middle_and_an_empty_outer_bin_its_edge() -> None:
    profile = numeric_profile(np.array([0.0] * 50 + [4.0] * 50), None)
    assert middles(profile)[[0, 1]].tolist() == [0.0, pytest.approx(0.0, abs=1e-300)]
    assert middles(profile)[-1] == np.nextafter(4.0, 5.0)


def test_a_pane_of_four_rows_counts_half_as_much_as_one_of_sixteen() -> None:
    assert standardised(np.array([0.5, 0.5]), [4, 16], np.zeros(2)).tolist() == [1.0, 2.0]
    assert standardised(np.array([0.5]), [1], np.array([0.25])).tolist() == [0.5]
    assert standardised(np.array([0.5]), [1_000_000_000], np.array([0.25])).tolist() == [pytest.approx(1.0, rel=1e-8)]
