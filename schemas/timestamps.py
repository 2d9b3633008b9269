"""When an event says it happened, as integer epoch milliseconds.

Both ways of reading events, the fast one and the strict one, take their time from here, so they cannot
disagree.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from schemas.errors import RejectedEvent

#: Below it (3 March 1973 in milliseconds) a number is taken for seconds; 4e12 is in the year 2096.
EARLIEST_MS = 100_000_000_000
LATEST_MS = 4_000_000_000_000
DAY_MS = 86_400_000

_RFC_3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def timestamp_ms_of(value: object) -> int:
    """Epoch milliseconds of an event's ``timestamp``; what is finer than a millisecond is floored.

    :raises RejectedEvent: ``wrong_type``, ``seconds_time`` (a number below 1e11) or ``out_of_range_time``.

    >>> timestamp_ms_of(1357035300000.9), timestamp_ms_of("2013-01-01T05:15:00-05:00")
    (1357035300000, 1357035300000)
    """
    if type(value) is int:
        return _number_in_range(value)
    if type(value) is float:
        return _number_in_range(_floored(value))
    if type(value) is str:
        return _text_in_range(_read_text(value))
    raise _refused_type("must be epoch milliseconds or an RFC 3339 text with an offset")


def _number_in_range(ms: int) -> int:
    if ms < EARLIEST_MS:
        raise RejectedEvent("seconds_time", "timestamp", "is below 1e11: seconds? Milliseconds are wanted")
    return _not_too_late(ms)


def _text_in_range(ms: int) -> int:
    if ms < EARLIEST_MS:
        raise RejectedEvent("out_of_range_time", "timestamp", "is before 1973-03-03")
    return _not_too_late(ms)


def _not_too_late(ms: int) -> int:
    if ms > LATEST_MS:
        raise RejectedEvent("out_of_range_time", "timestamp", "is above 4e12, after the year 2096")
    return ms


def _floored(value: float) -> int:
    if not math.isfinite(value):
        raise RejectedEvent("out_of_range_time", "timestamp", "is not a finite number")
    return math.floor(value)


def _read_text(text: str) -> int:
    # The length is bounded first: a 100 kB string is no time, and needs no regular expression to say so.
    match = _RFC_3339.fullmatch(text) if len(text) <= 64 else None
    if match is None:
        raise _refused_type("must be RFC 3339 with an offset, such as 2013-01-01T05:15:00-05:00")
    day, clock, fraction, offset = match.groups()
    try:
        whole = datetime.fromisoformat(f"{day}T{clock}{offset.upper()}")
        return (whole - _EPOCH) // _MILLISECOND + int((fraction or "0").ljust(3, "0")[:3])
    except (ValueError, OverflowError):
        raise _refused_type("is no day, time or offset that exists") from None


def _refused_type(detail: str) -> RejectedEvent:
    return RejectedEvent("wrong_type", "timestamp", detail)


def end_of_day(timestamp_ms: int) -> int:
    """The first midnight, UTC, after an instant: by then every pane and daily step that holds it has ended.

    >>> end_of_day(1388565540000) - 1388565540000
    55260000
    """
    return timestamp_ms - timestamp_ms % DAY_MS + DAY_MS


def rfc3339(timestamp_ms: int) -> str:
    """An instant as text, in UTC; milliseconds where they are not zero.

    >>> rfc3339(1357035300000), rfc3339(1357035300001)
    ('2013-01-01T10:15:00Z', '2013-01-01T10:15:00.001Z')
    """
    text = datetime.fromtimestamp(timestamp_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{timestamp_ms % 1000:03d}Z" if timestamp_ms % 1000 else f"{text}Z"
