"""An event's time: epoch milliseconds or RFC 3339, floored to a millisecond; all else is refused."""

import pytest

from schemas.errors import RejectedEvent
from schemas.timestamps import timestamp_ms_of


@pytest.mark.parametrize(
    ("given", "ms"),
    [
        (1357035300000, 1357035300000),
        (1357035300000.999, 1357035300000),
        (100_000_000_000, 100_000_000_000),
        (4_000_000_000_000, 4_000_000_000_000),
        ("2013-01-01T10:15:00Z", 1357035300000),
        ("2013-01-01T05:15:00-05:00", 1357035300000),
        ("2013-01-01t10:15:00.1239z", 1357035300123),
        ("2013-01-01 10:15:00.9+00:00", 1357035300900),
    ],
)
def test_a_time_in_milliseconds(given: object, ms: int) -> None:
    assert timestamp_ms_of(given) == ms
    assert type(timestamp_ms_of(given)) is int


@pytest.mark.parametrize(
    ("given", "reason", "detail"),
    [
        (1357035300, "seconds_time", "is below 1e11: seconds? Milliseconds are wanted"),
        (1357035300.5, "seconds_time", "is below 1e11: seconds? Milliseconds are wanted"),
        (99_999_999_999, "seconds_time", "is below 1e11: seconds? Milliseconds are wanted"),
        (4_000_000_000_001, "out_of_range_time", "is above 4e12, after the year 2096"),
        (10**400, "out_of_range_time", "is above 4e12, after the year 2096"),
        (float("nan"), "out_of_range_time", "is not a finite number"),
        (float("inf"), "out_of_range_time", "is not a finite number"),
        ("1970-01-01T00:00:00Z", "out_of_range_time", "is before 1973-03-03"),
        ("9999-12-31T23:59:59Z", "out_of_range_time", "is above 4e12, after the year 2096"),
        ("2013-02-30T00:00:00Z", "wrong_type", "is no day, time or offset that exists"),
        ("0001-01-01T00:00:00+23:59", "out_of_range_time", "is before 1973-03-03"),
        (True, "wrong_type", "must be epoch milliseconds or an RFC 3339 text with an offset"),
        ({}, "wrong_type", "must be epoch milliseconds or an RFC 3339 text with an offset"),
        ("1357035300000", "wrong_type", "must be RFC 3339 with an offset, such as 2013-01-01T05:15:00-05:00"),
        (
            "2013-01-01T10:15:00",
            "wrong_type",
            "must be RFC 3339 with an offset, such as 2013-01-01T05:15:00-05:00",
        ),
        ("9" * 100_000, "wrong_type", "must be RFC 3339 with an offset, such as 2013-01-01T05:15:00-05:00"),
    ],
)
def test_what_is_no_time(given: object, reason: str, detail: str) -> None:
    with pytest.raises(RejectedEvent) as caught:
        timestamp_ms_of(given)
    assert (caught.value.reason, caught.value.field, caught.value.detail) == (reason, "timestamp", detail)
