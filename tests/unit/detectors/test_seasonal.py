"""What is expected of a window by the hours of the week it covers, on the clocks of the model's own zone."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.profile import numeric_profile, pane_matrix, panes_of
from detectors.psi import fold_to
from detectors.seasonal import HOUR_MS, expected_counts, expected_shares, hourly_shares, hours_of_week
from stream.local.flights import HOME, load_flights

MONDAY = 1_357_516_800_000  # 2013-01-07T00:00:00Z


@given(
    st.lists(st.integers(0, 4_102_444_800), max_size=20), st.sampled_from([HOME, "Asia/Kolkata", "UTC", "Pacific/Apia"])
)
def test_the_hour_is_that_on_the_clock(seconds: list[int], zone: str) -> None:
    clocks = [datetime.fromtimestamp(at, ZoneInfo(zone)) for at in seconds]
    expected = [clock.weekday() * 24 + clock.hour for clock in clocks]
    assert hours_of_week([at * 1000 for at in seconds], zone=zone).tolist() == expected


def test_clocks_put_forward_keep_the_hours_of_people() -> None:
    nine = [datetime(2013, 3, day, 9, tzinfo=ZoneInfo(HOME)) for day in (4, 11)]  # clocks changed on the 10th
    assert nine[1] - nine[0] == timedelta(days=7)
    assert nine[1].astimezone(UTC) - nine[0].astimezone(UTC) == timedelta(days=7, hours=-1)
    starts = [int(at.timestamp() * 1000) for at in nine]
    assert hours_of_week(starts, zone=HOME).tolist() == [9, 9]
    assert hours_of_week(starts, zone="UTC").tolist() == [14, 13]


def test_expected_shares_in_full() -> None:
    hours = np.array([0, 1, 168, 169, 2]) % 168
    profile = hourly_shares([[3, 1], [0, 2], [1, 3], [2, 0], [0, 0]], hours, pane_ms=HOUR_MS)
    assert profile.shares[:2].tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert profile.rows[:3].tolist() == [8, 4, 0]
    assert profile.shares[2].tolist() == [0.5, 0.5]

    sloped = hourly_shares([[9, 1], [2, 8]], np.array([0, 1]), pane_ms=HOUR_MS)
    assert expected_counts(sloped, np.array([0, 1]), [30, 10]).tolist() == [[27.0, 3.0], [2.0, 8.0]]
    assert expected_shares(sloped, np.array([0, 1]), [30, 10]).tolist() == [0.725, 0.275]


def test_an_hour_without_a_value_borrows_from_other_days_then_from_all() -> None:
    profile = hourly_shares([[3, 1], [1, 1]], np.array([5, 6]), pane_ms=HOUR_MS)
    assert profile.shares[24 + 5].tolist() == [0.75, 0.25]
    assert profile.shares[24 + 7].tolist() == [4 / 6, 2 / 6]
    assert (profile.rows[5], profile.rows[24 + 5]) == (4, 0)


@given(st.lists(st.lists(st.integers(0, 9), min_size=3, max_size=3), min_size=1, max_size=400))
def test_of_itself_the_reference_is_expected_to_hold_what_it_holds(counts: list[list[int]]) -> None:
    table = np.array(counts)
    if not table.sum():
        table[0, 0] = 1
    hours = hours_of_week(MONDAY + HOUR_MS * np.arange(len(table)), zone=HOME)
    profile = hourly_shares(table, hours, pane_ms=HOUR_MS)
    found = expected_shares(profile, hours, table.sum(axis=1))
    np.testing.assert_allclose(found, table.sum(axis=0) / table.sum(), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(profile.shares.sum(axis=1), 1.0, rtol=1e-12)


@pytest.mark.parametrize(
    ("counts", "hours", "pane_ms", "message"),
    [
        ([[1, 2]], [0], 2 * HOUR_MS, "panes of 7200000 ms do not lie within hours"),
        ([[1, 2]], [0], 7_000_000 // 3, "do not lie within hours"),
        ([[1, 2]], [0, 1], HOUR_MS, r"counts of shape \(1, 2\) for 2 panes"),
        ([[0, 0]], [0], HOUR_MS, "the reference holds no value"),
    ],
)
def test_what_has_no_hourly_shares(counts: list[list[int]], hours: list[int], pane_ms: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        hourly_shares(counts, np.array(hours), pane_ms=pane_ms)


def test_an_empty_window_and_a_zone_that_is_none() -> None:
    profile = hourly_shares([[1, 2]], np.array([0]), pane_ms=HOUR_MS)
    with pytest.raises(ValueError, match="the window holds no value"):
        expected_shares(profile, np.array([0]), [0])
    for zone in ("Mars/Olympus", "", "../etc/passwd"):
        with pytest.raises(ValueError, match="is no time zone"):
            hours_of_week([0], zone=zone)


def test_three_hours_of_flights_are_no_sample_of_the_month_but_of_their_hours() -> None:
    """Departures: three hours of a day differ wholly from the month, and hardly from the same hours of other weeks."""
    flights: Any = load_flights()
    january = flights[flights["month"] == 1]
    panes = panes_of(january["departure_ms"].to_numpy(), pane_ms=HOUR_MS)
    profile = numeric_profile(january["sched_min"].to_numpy(dtype=float), panes)
    counts = fold_to(profile.edges, np.unique(profile.deciles), pane_matrix(profile)[:, :-2])
    hours, rows = hours_of_week(panes.starts, zone=HOME), counts.sum(axis=1)
    three = slice(np.searchsorted(panes.starts, MONDAY + 7 * 86_400_000 + 15 * HOUR_MS), None)
    three = slice(three.start, three.start + 3)  # Monday 14 January, 10:00 to 13:00 in New York
    window = counts[three].sum(axis=0) / rows[three].sum()

    others = np.delete(np.arange(len(hours)), np.arange(len(hours))[three])
    seasonal = hourly_shares(counts[others], hours[others], pane_ms=HOUR_MS)
    by_hour = expected_shares(seasonal, hours[three], rows[three])
    assert hours[three].tolist() == [10, 11, 12]
    assert 0.5 * np.abs(window - counts.sum(axis=0) / counts.sum()).sum() > 0.7
    assert 0.5 * np.abs(window - by_hour).sum() < 0.05
    late = expected_shares(seasonal, (hours[three] + 1) % 168, rows[three])
    assert 0.5 * np.abs(window - late).sum() > 0.2
