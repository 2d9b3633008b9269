"""Hours of the week, and the same hours a week before, on the clocks of a zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.seasonal import HOUR_MS, hours_of_week, week_before
from stream.local.flights import HOME


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


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2013-03-11T13:00Z", "2013-03-04T14:00Z"),  # nine o'clock; the clocks went forward on the 10th
        ("2013-11-04T14:00Z", "2013-10-28T13:00Z"),  # and back on the 3rd
        ("2013-03-17T06:30Z", "2013-03-10T07:30Z"),  # half past two, which no clock showed on the 10th: an hour on
        ("2013-11-10T06:30Z", "2013-11-03T05:30Z"),  # half past one, which clocks showed twice: the first time
        ("2013-07-01T00:00Z", "2013-06-24T00:00Z"),
    ],
)
def test_the_week_before_is_that_on_the_clock(now: str, then: str) -> None:
    at, before = (int(datetime.fromisoformat(each).timestamp() * 1000) for each in (now, then))
    assert week_before(at + 7, zone=HOME) == before + 7
    assert week_before(at, zone="UTC") == at - 7 * 24 * HOUR_MS


def test_a_zone_that_is_none() -> None:
    for zone in ("Mars/Olympus", "", "../etc/passwd"):
        with pytest.raises(ValueError, match="is no time zone"):
            hours_of_week([0], zone=zone)
