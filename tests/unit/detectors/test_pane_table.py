"""A reference's counts in live panes."""

from __future__ import annotations

import numpy as np

from detectors.pane_table import pane_table
from detectors.profile import numeric_profile, pane_matrix, panes_of


def test_panes_are_summed_to_live_ones_and_what_has_no_value_is_left_out() -> None:
    values = np.array([1.0, 2.0, np.nan, 2.0, 3.0, 1.0])
    times = np.array([0, 0, 1, 1, 2, 5]) * 10
    profile = numeric_profile(values, panes_of(times, pane_ms=10))
    counts = pane_matrix(profile)[:, : len(profile.counts)]
    assert counts.sum(axis=1).tolist() == [2, 1, 1, 0, 0, 1]
    number = np.arange(6)
    assert pane_table(profile, 7 + number).tolist() == counts.tolist()
    assert pane_table(profile, number // 2).tolist() == counts.reshape(3, 2, -1).sum(axis=1).tolist()
    # Panes that the reference does not list.
    assert pane_table(profile, number * 2)[1::2].sum() == 0
