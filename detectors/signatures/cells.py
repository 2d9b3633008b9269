"""Where a window's values lie, as finely as panes know it: the reference's bins, half-octaves beyond its range, both ends exact.

Cells lie behind one another from -inf to inf.  The exact minimum and maximum are bounds too: that no value lies beyond them is
known, and tells a scale where all values share a half-octave.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detectors.moments import scale_of
from detectors.outside import KEYS_A_SIDE, distances_of
from schemas.reference import NumericProfile

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: The far end of each half-octave of a side, in sd.
_FURTHEST = np.array([distances_of(key)[1] for key in range(KEYS_A_SIDE)])


@dataclass(frozen=True, eq=False, slots=True)
class Window:
    """The finite values of a window of a numeric feature, as its panes add up.

    :param counts: (edges + 1,) over the profile's edges.
    :param minimum, maximum: exact, of the finite values.
    :param outside: (64,) values beyond the reference's range by :func:`detectors.outside.outside_keys`; None where not counted.
    :param buckets: (16,) values by a hash of their bits; None where not counted.
    :param sd: their standard deviation; None where not known, as where values were cut before they were summed.
    """

    counts: ArrayLike
    minimum: float
    maximum: float
    outside: ArrayLike | None = None
    buckets: ArrayLike | None = None
    sd: float | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Cells:
    """bounds: (cells + 1,) strictly rising from -inf to inf; counts: (cells,) values with bounds[i] <= x < bounds[i+1]."""

    bounds: Floats
    counts: Ints

    @property
    def rows(self) -> int:
        return int(self.counts.sum())


def cells_of(profile: NumericProfile, window: Window) -> Cells:
    """The window's cells.

    :raises ValueError: counts that do not fit the profile, or whose values beyond the range do not add up.
    """
    counts = np.asarray(window.counts, dtype=np.int64)
    if counts.shape != (len(profile.edges) + 1,):
        raise ValueError(f"counts of shape {counts.shape} for {len(profile.edges)} edges; expected one more")
    if not counts.sum():
        return Cells(np.array([-np.inf, np.inf]), np.zeros(1, np.int64))
    if not window.minimum <= window.maximum or not np.isfinite([window.minimum, window.maximum]).all():
        raise ValueError(f"minimum {window.minimum} and maximum {window.maximum} are not finite and rising")
    bounds, held = _with_outside(profile, counts, window.outside)
    return _with_ends(bounds, held, ends=(window.minimum, float(np.nextafter(window.maximum, np.inf))))


def without_gaps(cells: Cells) -> Cells:
    """The same cells with empty ones that are neighbours as one.

    >>> without_gaps(Cells(np.array([-np.inf, 1.0, 2.0, 3.0, 4.0, np.inf]), np.array([0, 0, 7, 0, 2]))).counts.tolist()
    [0, 7, 0, 2]
    """
    held = cells.counts > 0
    begins = np.append(True, held[1:] | held[:-1])
    return Cells(np.append(cells.bounds[:-1][begins], cells.bounds[-1]), cells.counts[begins])


def _with_outside(profile: NumericProfile, counts: Ints, outside: ArrayLike | None) -> tuple[Floats, Ints]:
    edges = np.asarray(profile.edges, dtype=np.float64)
    if outside is None or profile.minimum is None or profile.maximum is None:
        return np.concatenate([[-np.inf], edges, [np.inf]]), counts
    beyond = np.asarray(outside, dtype=np.int64)
    below, above = beyond[:KEYS_A_SIDE], beyond[KEYS_A_SIDE:]
    if below.sum() != counts[0] or above.sum() != counts[-1]:
        raise ValueError(f"{below.sum()} and {above.sum()} values outside the range, of {counts[0]} and {counts[-1]}")
    with np.errstate(over="ignore"):
        far = _FURTHEST * scale_of(profile.scale)
        bounds = np.concatenate([(profile.minimum - far)[::-1], edges, profile.maximum + far])
    return _strictly_rising(bounds, np.concatenate([below[::-1], counts[1:-1], above]))


def _strictly_rising(bounds: Floats, counts: Ints) -> tuple[Floats, Ints]:
    """Without bounds that are equal, as half-octaves near the end of the floats may be; their counts are added."""
    kept = np.append(True, bounds[1:] > bounds[:-1])
    kept[-1] = True
    place = np.cumsum(kept[:-1]) - 1
    found = np.zeros(place[-1] + 1, np.int64)
    np.add.at(found, place, counts)
    return np.append(bounds[:-1][kept[:-1]], np.inf), found


def _with_ends(bounds: Floats, counts: Ints, *, ends: tuple[float, float]) -> Cells:
    """Cells cut at the least value and behind the greatest: nothing lies on the far side."""
    for end, values_behind in ((ends[0], True), (ends[1], False)):
        at = int(np.searchsorted(bounds, end, side="left"))
        if at < len(bounds) and bounds[at] != end and np.isfinite(end):
            pair = (0, counts[at - 1]) if values_behind else (counts[at - 1], 0)
            bounds = np.insert(bounds, at, end)
            counts = np.concatenate([counts[: at - 1], pair, counts[at:]])
    return Cells(bounds, counts)
