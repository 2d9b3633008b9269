"""Shares of rows that are not as they should be, against the reference, what was promised and what was declared."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from detectors.profile import Panes, categorical_profile, coded, numeric_profile
from detectors.quality.rows import declared_range, missing, missing_promised, nonfinite, outside, unseen, wrong_type
from detectors.quality.shares import Share, block_hits, chance_of, design_effect, limit_of, share_of
from detectors.quality.unseen import UnseenLimit
from schemas.reference import CategoricalProfile, NumericProfile
from tests.support.caused import Floats, window_of

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
    assert chance_of(share, 40, 500) == pytest.approx(law.sf(39), rel=1e-7)
    assert limit_of(share, 500) * 500 == law.isf(0.001)


def test_rows_that_come_together_count_as_one() -> None:
    share = share_of(1_000, 20_000, effect=50.0)
    law = stats.betabinom(10, 20.5, 380.5)
    assert chance_of(share, 150, 500) == pytest.approx(law.sf(2), rel=1e-9)
    assert limit_of(share, 500) == law.isf(0.001) / 10


def test_independent_rows_have_no_design_effect_and_whole_panes_have_their_length() -> None:
    alone, together = (by_pane(holed(50_000, 0.1, run=run)) for run in (1, PANE_ROWS))
    effects = [design_effect(*block_hits(p, [len(p.counts)], length=4)) for p in (alone, together)]
    assert effects == [pytest.approx(1.0, abs=0.15), pytest.approx(PANE_ROWS, rel=0.15)]


def test_blocks_hold_every_row_of_the_reference() -> None:
    profile = by_pane(holed(1_000, 0.1))
    hits, rows = block_hits(profile, [len(profile.counts)], length=6)
    assert (int(hits.sum()), rows.tolist()) == (profile.missing, [300, 300, 300, 100])


@pytest.mark.parametrize("run", [1, PANE_ROWS])
def test_a_window_like_the_reference_is_not_missing_more(run: int) -> None:
    profile = by_pane(holed(20_000, 0.05, run=run))
    window = holed(1_000 * 200, 0.05, run=run, seed=2).reshape(200, 1_000)
    fails = [missing(profile, int(np.isnan(rows).sum()), 1_000, length=20).fails for rows in window]
    assert sum(fails) <= 1  # of 200, at a level of one in a thousand


def test_without_the_design_effect_holes_of_an_hour_alarm() -> None:
    profile = by_pane(holed(20_000, 0.05, run=PANE_ROWS))
    window = holed(1_000 * 200, 0.05, run=PANE_ROWS, seed=2).reshape(200, 1_000)
    fails = [missing(profile, int(np.isnan(rows).sum()), 1_000).fails for rows in window]
    assert sum(fails) > 20


def test_more_missing_than_the_reference_is_found_with_its_numbers() -> None:
    profile = by_pane(holed(20_000, 0.05))
    found = missing(profile, 120, 1_000, length=20)
    assert (found.check, found.state, found.value, found.n) == ("missing", "drift", 0.12, 1_000)
    assert found.threshold is not None
    assert 0.07 <= found.threshold <= 0.085
    assert found.p is not None
    assert found.p < 1e-9


def test_a_reference_that_never_missed_allows_next_to_nothing() -> None:
    profile = by_pane(np.random.default_rng(1).normal(size=20_000))
    assert missing(profile, 1, 1_000).state == "ok"
    assert missing(profile, 5, 1_000).state == "drift"


def test_missing_names_are_those_without_any_and_not_those_beyond_the_list() -> None:
    profile = categorical_profile(
        coded(["a"] * 900 + [None] * 100), Panes(1, tuple(range(10)), np.arange(1_000) // 100)
    )
    assert missing(profile, 100, 1_000, length=1).state == "ok"
    assert missing(categorical_profile(coded(["a"] * 1_000), None), 100, 1_000).state == "drift"


def test_names_beyond_the_list_come_in_runs_and_missing_ones_do_not() -> None:
    panes = tuple((0, 5, 1, 4, 2, 1) if at % 2 else (0, 9, 2, 1) for at in range(100))
    profile = CategoricalProfile(("a",), (700,), panes, rows=1_000, missing=100, other=200)
    assert missing(profile, 0, 500, length=1).threshold == limit_of(share_of(100, 1_000), 500)


def test_what_was_promised_stands_above_what_was_learned() -> None:
    assert missing_promised(60, 1_000, threshold=0.05).state == "drift"
    assert missing_promised(50, 1_000, threshold=0.05).state == "ok"
    assert missing_promised(99, 99, threshold=0.05).state == "not_enough_data"


def test_infinities_beyond_those_of_the_reference() -> None:
    assert nonfinite(by_pane(np.random.default_rng(1).normal(size=5_000)), 30, 1_000).state == "drift"
    with_some = np.where(np.arange(5_000) % 20 == 0, np.inf, 1.0)
    assert nonfinite(by_pane(with_some), 55, 1_000, length=1).state == "ok"


def test_one_value_of_another_type_is_too_many() -> None:
    assert [wrong_type(hits, 1_000).state for hits in (0, 1)] == ["ok", "drift"]
    assert wrong_type(0, 0).state == "no_traffic"


def test_the_declared_range_is_exact_at_its_ends() -> None:
    values = np.random.default_rng(1).uniform(0.0, 98.0, 5_000)
    profile = by_pane(values)
    inside = np.append(values[:200], [0.0, 100.0])
    assert declared_range(profile, window_of(inside, profile), allowed=(0.0, 100.0)).state == "ok"
    one = declared_range(profile, window_of(np.append(values[:200], 100.5), profile), allowed=(0.0, 100.0))
    assert (one.state, one.value) == ("drift", 1 / 201)
    many = declared_range(profile, window_of(np.append(values[:200], [5_000.0] * 50), profile), allowed=(0.0, 100.0))
    assert many.value == 50 / 250
    assert many.words.startswith("at least 50 of 250 values outside 0 … 100; least ")
    assert many.words.endswith("greatest 5000")


def test_the_share_out_of_range_is_never_more_than_it_is() -> None:
    random = np.random.default_rng(3)
    profile = by_pane(random.normal(size=5_000))
    for low, high in [(-1.0, 1.0), (-0.1, 3.0), (-9.0, -2.5), (5.0, 9.0)]:
        values = random.normal(0.0, 2.0, 500)
        truth = float(((values < low) | (values > high)).mean())
        found = declared_range(profile, window_of(values, profile), allowed=(low, high)).value
        assert found is not None
        assert truth - 0.12 <= found <= truth


def test_values_beyond_all_of_the_reference() -> None:
    random = np.random.default_rng(4)
    profile = by_pane(random.normal(size=5_000))
    quiet = [outside(profile, window_of(random.normal(size=1_000), profile).counts, length=20) for _ in range(100)]
    assert sum(one.fails for one in quiet) <= 1
    loud = outside(profile, window_of(random.normal(1.0, 1.0, 1_000), profile).counts, length=20)
    assert (loud.check, loud.state) == ("outside", "drift")
    law = stats.betabinom(1_000, 2.0, 4_999.0)
    alone = outside(profile, window_of(random.normal(size=1_000), profile).counts)
    assert alone.threshold == law.isf(0.001) / 1_000


def test_unseen_names_against_their_limit() -> None:
    limit = UnseenLimit(0.02, 0.01, 0.002, 30, True)
    assert [unseen(limit, hits, 1_000).state for hits in (20, 21)] == ["ok", "drift"]
    assert unseen(None, 5, 1_000).state == "no_reference"
    assert unseen(limit, 5, 99).state == "not_enough_data"


@pytest.mark.parametrize("column", [[], [np.nan] * 200, [7.0] * 200, [1.0], [np.inf, -np.inf]])
@pytest.mark.parametrize("rows", [0, 1, 500])
def test_no_reference_and_no_window_is_too_poor(column: list[float], rows: int) -> None:
    profile = numeric_profile(np.array(column), None)
    window = window_of(np.full(rows, 3.0), profile)
    found = [
        missing(profile, rows, rows),
        nonfinite(profile, rows, rows),
        outside(profile, window.counts),
        declared_range(profile, window, allowed=(0.0, 1.0)),
    ]
    assert all(one.value is None or 0.0 <= one.value <= 1.0 for one in found)
    assert limit_of(Share(0.5, 0.5), rows) <= 1.0
