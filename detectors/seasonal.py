"""The hours of the week by the clocks of a zone: when clocks change, the rhythm of people moves with them.

A window from 3 to 6 on a Tuesday morning is no sample of all hours; it is held against others of the same ones.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import ArrayLike, NDArray

HOUR_MS = 3_600_000
HOURS_A_WEEK = 168
_THURSDAY = 72  # the first hour of 1970, counted from Monday
_MILLISECOND = timedelta(milliseconds=1)
_QUARTER_S = 900  # clocks change on a quarter of an hour of UTC, everywhere

Ints = NDArray[np.int64]


def hours_of_week(starts_ms: ArrayLike, *, zone: str) -> Ints:
    """The hour of the week in which each pane begins, by the clocks of a zone: 0 is Monday from 0:00, 167 Sunday from 23:00.

    >>> hours_of_week([1357034400000, 1373277600000], zone="America/New_York").tolist()  # Tu 05:00 EST, Mo 06:00 EDT
    [29, 6]
    """
    since_thursday = local_ms(starts_ms, zone=zone) // HOUR_MS
    hours: Ints = (since_thursday + _THURSDAY) % HOURS_A_WEEK
    return hours


def local_ms(starts_ms: ArrayLike, *, zone: str) -> Ints:
    """What the clocks of a zone show at each instant, as milliseconds since they showed 1970-01-01T00:00.

    >>> local_ms([1357034400000], zone="America/New_York").tolist()
    [1357016400000]
    """
    clock, instants = _zone(zone), np.asarray(starts_ms, dtype=np.int64)
    quarters, place = np.unique(instants // (1000 * _QUARTER_S), return_inverse=True)
    ahead = (datetime.fromtimestamp(quarter * _QUARTER_S, clock).utcoffset() for quarter in quarters.tolist())
    offsets = np.fromiter((0 if by is None else by // _MILLISECOND for by in ahead), np.int64, quarters.size)
    shown: Ints = instants + offsets[place]
    return shown


def week_before(at_ms: int, *, zone: str) -> int:
    """The instant at which clocks showed the same seven days before; where they showed it twice, the first time.

    >>> (1363006800000 - week_before(1363006800000, zone="America/New_York")) / HOUR_MS  # Mo 09:00 EDT, clocks changed on Sunday
    167.0
    """
    shown = datetime.fromtimestamp(at_ms // 1000, _zone(zone)) - timedelta(days=7)
    return int(shown.timestamp()) * 1000 + at_ms % 1000


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is no time zone; expected a name such as America/New_York or UTC") from None
