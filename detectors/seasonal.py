"""What a window would hold with no drift, hour by hour of the week: shorter windows than the season need it.

A window from 3 to 6 on a Tuesday morning is no sample of the whole reference. Its pane t is expected to be spread as the
reference's panes of the same hour of the week were, p_hour(t), so the window is expected to hold the shares Σ n_t p_hour(t) / n.
Hours are those of the model's own time zone: when clocks change, the rhythm of people moves with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import ArrayLike, NDArray

HOUR_MS = 3_600_000
HOURS_A_DAY = 24
HOURS_A_WEEK = 168
_THURSDAY = 72  # the first hour of 1970, counted from Monday
_MILLISECOND = timedelta(milliseconds=1)
_QUARTER_S = 900  # clocks change on a quarter of an hour of UTC, everywhere

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class HourlyShares:
    """shares: (168, columns), each row sums to 1; rows: (168,) values of the reference that it rests on, 0 where borrowed.

    An hour of the week without a value takes the shares of that hour on all days, and if none has any, those of all hours.
    """

    shares: Floats
    rows: Ints


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


def hourly_shares(counts: ArrayLike, hours: Ints, *, pane_ms: int) -> HourlyShares:
    """The reference's shares by hour of the week.

    :param counts: (panes, columns) in the bins of the test; :param hours: of each pane, see `hours_of_week`.
    :raises ValueError: panes are longer than an hour or of no such number, or none holds a value.
    """
    table = np.asarray(counts, dtype=np.int64)
    if pane_ms > HOUR_MS or HOUR_MS % pane_ms:
        raise ValueError(
            f"panes of {pane_ms} ms do not lie within hours; a profile by the hour needs panes that divide one"
        )
    if table.ndim != 2 or len(table) != len(hours):
        raise ValueError(f"counts of shape {table.shape} for {len(hours)} panes")
    if not table.sum():
        raise ValueError("the reference holds no value: there are no shares")
    weekly = np.zeros((HOURS_A_WEEK, table.shape[1]), np.int64)
    np.add.at(weekly, hours, table)
    return HourlyShares(_borrowed(weekly), weekly.sum(axis=1))


def expected_shares(profile: HourlyShares, hours: Ints, rows: ArrayLike) -> Floats:
    """(columns,) shares that a window is expected to hold: Σ n_t p_hour(t) / n.

    :param hours: of each of its panes; :param rows: n_t, the values in each.
    :raises ValueError: the window holds no value.
    """
    found = expected_counts(profile, hours, rows).sum(axis=0)
    total = found.sum()
    if not total > 0:
        raise ValueError("the window holds no value: nothing is expected of it")
    shares: Floats = found / total
    return shares


def expected_counts(profile: HourlyShares, hours: Ints, rows: ArrayLike) -> Floats:
    """(panes, columns) n_t p_hour(t): what lies off it, pane by pane, is the residual whose blocks the test is calibrated on."""
    return np.asarray(rows, dtype=np.float64)[:, None] * profile.shares[hours]


def _borrowed(weekly: Ints) -> Floats:
    """Shares of each hour of the week, borrowed where it has no value."""
    daily = np.tile(weekly.reshape(-1, HOURS_A_DAY, weekly.shape[1]).sum(axis=0), (HOURS_A_WEEK // HOURS_A_DAY, 1))
    overall = np.broadcast_to(weekly.sum(axis=0), weekly.shape)
    held, held_that_hour = (table.sum(axis=1, keepdims=True) > 0 for table in (weekly, daily))
    counts = np.where(held, weekly, np.where(held_that_hour, daily, overall))
    shares: Floats = counts / counts.sum(axis=1, keepdims=True)
    return shares


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name!r} is no time zone; expected a name such as America/New_York or UTC") from None
