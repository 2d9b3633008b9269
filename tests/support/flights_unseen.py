"""Names that January's profile does not list, in the flights of 2013: their share in windows of the year, and what January allows.

It lists the 2 000 most frequent: all destinations, and two planes of three.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.profile import categorical_profile, coded, panes_of
from detectors.quality.unseen import LEVEL, UnseenLimit, blocks_of, limit_of, longest
from stream.local.flights import load_flights
from tests.support.flights_drift import BEGIN_MS, DAY, HOUR_MS, JANUARY, YEAR, day_of, ends_of

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Unseen:
    """(hours,) rows with a value, and those of them whose value the profile does not list; January's profile in hourly panes."""

    rows: Ints
    unseen: Ints
    january: Any

    def limit(self, length: int, *, level: float = LEVEL) -> UnseenLimit:
        """By blocks of a day, and the share of blocks as long as the window."""
        whole = blocks_of(self.january, longest(self.january, length))
        found = limit_of(blocks_of(self.january, DAY), window_blocks=length / DAY, level=level, whole=whole)
        assert found is not None
        return found

    def shares(self, length: int) -> dict[date, float]:
        """Of a window of every day, as `p_of_year` has them."""
        return {
            day_of(end): float(self.unseen[end - length : end].sum() / self.rows[end - length : end].sum())
            for end in ends_of(length)
        }


def unseen_of(name: str) -> Unseen:
    """A column of names; rows without one do not count."""
    flights = load_flights()
    there = flights[flights[name].notna()]
    times = there["departure_ms"].to_numpy()
    hour, names = (times - BEGIN_MS) // HOUR_MS, there[name].to_numpy(dtype=object)
    before = hour < JANUARY
    profile = categorical_profile(coded(names[before].tolist()), panes_of(times[before], pane_ms=HOUR_MS))
    unseen = ~np.isin(names.astype(str), np.array(profile.categories))
    return Unseen(np.bincount(hour, minlength=YEAR), np.bincount(hour[unseen], minlength=YEAR), profile)
