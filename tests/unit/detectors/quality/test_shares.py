"""How large a share of a window may be what the reference rarely holds: the law, and rows that come together."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from detectors.calibration.calibrate import Window
from detectors.profile import Panes, numeric_profile
from detectors.quality.limits import LEARNED, learned_limits
from detectors.quality.shares import design_effect, limit_of, share_of
from detectors.sparse_panes import sparse_panes
from schemas.reference import CategoricalProfile, NumericProfile
from tests.support.caused import Floats

PANE_ROWS = 50


def by_pane(values: Floats) -> NumericProfile:
    """Fifty rows a pane."""
    panes = len(values) // PANE_ROWS
    return numeric_profile(values, Panes(3_600_000, tuple(range(panes)), np.arange(len(values)) // PANE_ROWS))


def holed(rows: int, share: float, *, run: int = 1, seed: int = 1) -> Floats:
    """Normal values of which a share is missing, ``run`` rows together."""
    random = np.random.default_rng(seed)
    gone = np.repeat(random.random(rows // run) < share, run)
    return np.where(gone, np.nan, random.normal(size=rows))


def test_the_law_is_beta_binomial() -> None:
    share = share_of(1_000, 20_000)
    law = stats.betabinom(500, 1_000.5, 19_000.5)
    assert limit_of(share, 500) * 500 == law.isf(0.001)


def test_rows_that_come_together_count_as_one() -> None:
    share = share_of(1_000, 20_000, effect=50.0)
    law = stats.betabinom(10, 20.5, 380.5)
    assert limit_of(share, 500) == law.isf(0.001) / 10


def test_independent_rows_have_no_design_effect_and_whole_panes_have_their_length() -> None:
    alone, together = (by_pane(holed(50_000, 0.1, run=run)) for run in (1, PANE_ROWS))
    effects = [design_effect(*sparse_panes(p).block_hits([len(p.counts)], length=4)) for p in (alone, together)]
    assert effects == [pytest.approx(1.0, abs=0.15), pytest.approx(PANE_ROWS, rel=0.15)]


def test_blocks_hold_every_row_of_the_reference() -> None:
    profile = by_pane(holed(1_000, 0.1))
    hits, rows = sparse_panes(profile).block_hits([len(profile.counts)], length=6)
    assert (int(hits.sum()), rows.tolist()) == (profile.missing, [300, 300, 300, 100])


def test_names_beyond_the_list_come_in_runs_and_missing_ones_do_not() -> None:
    panes = tuple((0, 5, 1, 4, 2, 1) if at % 2 else (0, 9, 2, 1) for at in range(100))
    profile = CategoricalProfile(("a",), (700,), panes, rows=1_000, missing=100, other=200)
    missing = learned_limits(profile, Window(1, 500))["missing"]
    assert (missing.limit, missing.effect) == (limit_of(share_of(100, 1_000), 500), 1.0)


@pytest.mark.parametrize("column", [[], [np.nan] * 200, [7.0] * 200, [1.0], [np.inf, -np.inf]])
@pytest.mark.parametrize("rows", [0, 1, 500])
def test_no_reference_and_no_window_is_too_poor(column: list[float], rows: int) -> None:
    panes = Panes(3_600_000, tuple(range(50)), np.arange(len(column)) // 4)
    for profile in (numeric_profile(np.array(column), None), numeric_profile(np.array(column), panes)):
        limits = learned_limits(profile, Window(1, rows))
        assert set(limits) <= set(LEARNED)
        assert all(0.0 <= one.limit <= 1.0 and 0.0 <= one.expected <= 1.0 for one in limits.values())
