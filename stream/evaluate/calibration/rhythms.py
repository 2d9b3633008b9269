"""The rhythms of a model's columns side by side: a window's counts as if its hours of the week were all hours.  Pure.

A column without a rhythm, or one that is not worth the rows it costs, is left as it is (:mod:`detectors.calibration.seasonal`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from detectors.calibration.calibrate import Calibration, Window
from detectors.calibration.seasonal import Rhythm, Seasonal, calibrate_seasonal, is_worth_it
from detectors.calibration.stacked import Stacked
from detectors.seasonal import HOUR_MS, HOURS_A_WEEK, hours_of_week, local_ms
from detectors.segments import spread, totals
from stream.evaluate.columns.watched import Watched
from stream.evaluate.columns.yardstick import Place

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Rhythms:
    """As `Rhythm` says, for the folded bins of all tests; ``distance``: (168, tests), 0 of one without a rhythm."""

    shares: Floats
    expected: Floats
    weight: Floats
    distance: Floats

    def flattened(self, tests: Stacked, window: Floats, hour: float) -> Floats:
        """The folded counts of a window that begins in an hour of the week, or so far on in one."""
        rows = spread(tests.rows(window), tests.starts, len(window))
        expected = _between(self.expected, hour)
        found = rows * self.shares + (window - rows * expected) * _between(self.weight, hour)
        whole: Floats = found + (rows - spread(totals(found, tests.starts), tests.starts, len(window))) * self.shares
        return whole

    def distances(self, hour: float) -> list[float]:
        """``distance`` of the tests for a window that begins so."""
        found: list[float] = _between(self.distance, hour).tolist()
        return found


def rhythms_of(tests: Stacked, found: Sequence[Rhythm | None]) -> Rhythms | None:
    """The rhythms of tests in their order; None where none has one."""
    if not any(found):
        return None
    shares, sizes = tests.share, tests.bins.astype(np.int64).tolist()
    expected, weight = np.tile(shares, (HOURS_A_WEEK, 1)), np.ones((HOURS_A_WEEK, len(shares)))
    distance, shares = np.zeros((HOURS_A_WEEK, len(sizes))), shares.copy()
    for at, (one, start, size) in enumerate(zip(found, tests.starts.tolist(), sizes, strict=True)):
        if one is not None:
            bins = slice(start, start + size)
            shares[bins], expected[:, bins], weight[:, bins] = one.shares, one.expected, one.weight
            distance[:, at] = one.distance
    return Rhythms(shares, expected, weight, distance)


def seasonal_test(
    watched: Watched, place: Place, counts: Ints, *, plain: Calibration | None, window: Window
) -> Seasonal | None:
    """The test by the hour of the week from the reference's (panes, bins) counts, where it is worth its rows."""
    pane_ms, starts = watched.reference.pane_ms, watched.reference.pane_starts
    if plain is None or pane_ms is None or starts is None or pane_ms > HOUR_MS or HOUR_MS % pane_ms:
        return None
    if window.panes * pane_ms % HOUR_MS or window.panes * pane_ms >= HOURS_A_WEEK * HOUR_MS:
        return None
    made = calibrate_seasonal(
        counts,
        _hours(starts, watched.monitor.timezone),
        window,
        pane_hours=pane_ms / HOUR_MS,
        ordered=place.number is not None,
    )
    return made if made is not None and is_worth_it(made, plain, window.rows) else None


@lru_cache(maxsize=2)
def _hours(starts_ms: tuple[int, ...], zone: str) -> Ints:
    """Of all columns of a reference alike, and milliseconds for a month of minutes."""
    return hours_of_week(starts_ms, zone=zone)


def hour_of(watched: Watched, start_ms: int) -> float:
    """The hour of the week by the model's clocks, 34.5 for Tuesday at half past ten."""
    return _hour(start_ms, watched.monitor.timezone)


@lru_cache(maxsize=4_096)
def _hour(start_ms: int, zone: str) -> float:
    """Of windows of all lengths and of all models alike: a week begins where a day began six days ago."""
    return float(hours_of_week([start_ms], zone=zone)[0] + local_ms([start_ms], zone=zone)[0] % HOUR_MS / HOUR_MS)


def _between(by_hour: Floats, hour: float) -> Floats:
    """A window that begins between two hours holds a part of the first one, and of the one behind its last the rest."""
    first, part = int(hour), hour % 1.0
    found: Floats = (
        by_hour[first] if not part else (1.0 - part) * by_hour[first] + part * by_hour[(first + 1) % HOURS_A_WEEK]
    )
    return found
