"""A reference from stored panes: what the rows of those panes would have given, as far as counts can tell."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.edges import bin_of
from detectors.moments import quantise
from detectors.profile import build_reference, coded, numeric_profile, pane_matrix, panes_of
from detectors.psi import deciles_categorical, deciles_numeric, driftline_numeric
from detectors.rolling import (
    NamedPanes,
    NumericPanes,
    previous_window,
    rolling_categorical,
    rolling_numeric,
    rolling_reference,
    same_hours,
)
from schemas.reference import NumericProfile, Reference
from stream.local.flights import HOME, load_flights

HOUR, DAY, WEEK = 3_600_000, 86_400_000, 604_800_000


def closed(base: NumericProfile, values: NDArray[np.float64], pane: NDArray[np.int64]) -> NumericPanes:
    """What panes store of values: counts over the base's edges and sums of q."""
    panes, finite = int(pane.max()) + 1, np.isfinite(values)
    bins = np.zeros((panes, len(base.counts)), np.int64)
    np.add.at(bins, (pane[finite], bin_of(values[finite], base.edges)), 1)
    q = quantise(values[finite], mean=base.center, sd=base.scale)
    missing, nonfinite = (np.bincount(pane[odd], minlength=panes) for odd in (np.isnan(values), np.isinf(values)))
    ends = (float(values[finite].min()), float(values[finite].max()))
    return NumericPanes(bins, missing, nonfinite, int(q.sum()), int((q * q).sum()), *ends)


def stream() -> tuple[NumericProfile, NumericPanes, NDArray[np.float64], NDArray[np.int64]]:
    random = np.random.default_rng(4)
    base = numeric_profile(np.where(random.random(9_000) < 0.2, 0.0, random.normal(size=9_000)), None)
    values = np.where(random.random(5_000) < 0.3, 0.0, random.normal(0.5, 1.0, size=5_000))
    values[::50], values[7] = np.nan, np.inf
    pane = np.sort(random.integers(0, 40, size=5_000))
    return base, closed(base, values, pane), values, pane


def test_counts_moments_and_ends_are_those_of_the_rows() -> None:
    base, panes, values, pane = stream()
    found, rows = rolling_numeric(base, panes), numeric_profile(values, panes_of(pane, pane_ms=1))
    finite = values[np.isfinite(values)]

    assert found.edges == base.edges
    assert found.counts == tuple(np.bincount(bin_of(finite, base.edges), minlength=len(base.counts)).tolist())
    assert (found.rows, found.missing, found.nonfinite) == (5_000, 100, 1) == (rows.rows, rows.missing, rows.nonfinite)
    assert (found.minimum, found.maximum) == (rows.minimum, rows.maximum)
    assert found.mean == pytest.approx(rows.mean, abs=base.scale / 4096)
    assert found.sd == pytest.approx(rows.sd, rel=1e-4)
    assert pane_matrix(found)[:, :-2].tolist() == panes.bins.tolist()
    assert pane_matrix(found).sum() == 5_000


def test_deciles_are_edges_near_the_rows_own_and_atoms_those_that_remain() -> None:
    base, panes, values, _ = stream()
    found = rolling_numeric(base, panes)
    finite = np.sort(values[np.isfinite(values)])
    assert set(found.deciles) <= set(base.edges)
    assert list(found.deciles) == sorted(found.deciles)
    for level, decile in zip(np.arange(1, 10) / 10, found.deciles, strict=True):
        below, upto = (np.searchsorted(finite, decile, side=side) / finite.size for side in ("left", "right"))
        assert below - 0.05 < level < upto + 0.05
    assert found.atoms == base.atoms == (0.0,)
    gone = replace(
        panes, bins=np.where(np.arange(len(base.counts)) == bin_of(np.zeros(1), base.edges)[0], 0, panes.bins)
    )
    assert rolling_numeric(base, gone).atoms == ()


def test_psi_takes_a_rolling_profile_as_any_other() -> None:
    base, panes, _, _ = stream()
    found = rolling_numeric(base, panes)
    assert deciles_numeric(found, found.counts) == driftline_numeric(found, found.counts, missing=101) == 0.0
    assert (deciles_numeric(base, found.counts) or 0.0) > 0.05


def test_names_of_panes_and_buckets_of_hashes() -> None:
    counts, other, missing = np.array([[3, 0, 1], [0, 0, 2]]), np.array([1, 0]), np.array([0, 4])
    found = rolling_categorical(NamedPanes(("b", "a", "c"), counts, other, missing))
    assert (found.categories, found.counts) == (("b", "a", "c"), (3, 0, 3))
    assert (found.rows, found.missing, found.other) == (11, 4, 1)
    assert found.pane_counts == ((0, 3, 2, 1, 3, 1), (2, 2, 4, 4))
    assert deciles_categorical(found, found.counts, other=1) == 0.0


def test_panes_without_a_value_have_no_deciles_and_no_moments() -> None:
    base, panes, _, _ = stream()
    nothing = NumericPanes(0 * panes.bins, panes.missing, 0 * panes.nonfinite, 0, 0, float("inf"), float("-inf"))
    found = rolling_numeric(base, nothing)
    assert (found.deciles, found.minimum, found.maximum, found.mean, found.sd) == ((), None, None, None, None)
    assert found.rows == found.missing == 100


def test_the_previous_window_ends_where_this_one_begins() -> None:
    starts = np.arange(0, 20 * HOUR, HOUR)
    assert previous_window(starts, (10 * HOUR, 13 * HOUR)).tolist() == [7, 8, 9]
    assert previous_window(starts, (2 * HOUR, 8 * HOUR)).tolist() == [0, 1]


def test_the_same_hours_are_those_on_the_clock() -> None:
    """New York put its clocks forward on 10 March 2013: nine o'clock came an hour earlier from then on."""

    def instant(day: int, hour: int) -> int:
        return int(datetime(2013, 3, day, hour, tzinfo=ZoneInfo(HOME)).timestamp() * 1000)

    starts = np.arange(instant(1, 0), instant(20, 0), HOUR)
    window = (instant(18, 9), instant(18, 11))
    found = same_hours(starts, window, weeks=2, zone=HOME)
    assert starts[found].tolist() == [instant(day, hour) for day in (4, 11) for hour in (9, 10)]
    in_utc = same_hours(starts, window, weeks=2, zone="UTC")
    assert starts[in_utc].tolist() == [instant(day, hour) for day, hour in ((4, 8), (4, 9), (11, 9), (11, 10))]
    assert len(same_hours(starts, (window[0], window[0] + WEEK), weeks=9, zone=HOME)) < len(starts)
    with pytest.raises(ValueError, match="a window of 169 hours overlaps"):
        same_hours(starts, (window[0], window[0] + WEEK + HOUR), weeks=1, zone=HOME)


def test_a_reference_of_its_own_with_a_hash_of_its_own() -> None:
    base, panes, _, _ = stream()
    fixed = build_reference("m", {"x": np.arange(5.0), "c": coded("abcab")})
    fixed = replace(fixed, features={**fixed.features, "x": base})
    names = NamedPanes(("a", "b"), np.ones((40, 2), np.int64), np.zeros(40, np.int64), np.zeros(40, np.int64))
    starts = tuple(range(0, 40 * HOUR, HOUR))

    found = rolling_reference(fixed, {"x": panes, "c": names}, starts, pane_ms=HOUR, rows=5_000)
    assert Reference.from_json(found.to_json()).hash == found.hash != fixed.hash
    assert (found.model, found.rows, found.pane_ms, found.pane_starts) == ("m", 5_000, HOUR, starts)
    assert list(found.features) == ["c", "x"]

    wrong: list[tuple[dict[str, Any], tuple[int, ...], str]] = [
        ({"x": panes}, (), "no pane: there is nothing to compare with"),
        ({"x": panes}, starts[1:], r"x: counts of shape \(40, \d+\), expected \(39, \d+\)"),
        ({"x": names}, starts, "x: NamedPanes, but in the reference it is NumericProfile"),
        ({"y": panes}, starts, "y: NumericPanes, but in the reference it is NoneType"),
    ]
    for given, times, message in wrong:
        with pytest.raises(ValueError, match=message):
            rolling_reference(fixed, given, times, pane_ms=HOUR, rows=1)


def test_ids_that_age_are_like_last_month_where_they_are_unlike_january() -> None:
    """Tail numbers of the flights by 256 buckets of a hash: July is nearer to June than to January."""
    flights: Any = load_flights()

    def month(number: int) -> NDArray[np.int64]:
        names = flights[(flights["month"] == number) & flights["tailnum"].notna()]["tailnum"]
        return np.bincount([crc32(name.encode()) % 256 for name in names], minlength=256)

    buckets, none = tuple(map(str, range(256))), np.zeros(1, np.int64)
    far, near = (
        deciles_categorical(rolling_categorical(NamedPanes(buckets, month(number)[None], none, none)), month(7))
        for number in (1, 6)
    )
    assert far == pytest.approx(0.0739, abs=5e-5)
    assert near == pytest.approx(0.0444, abs=5e-5)
