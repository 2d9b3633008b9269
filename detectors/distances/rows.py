"""Two-sample statistics of the rows themselves: Kolmogorov-Smirnov, Cramér-von Mises, Wasserstein.

Both samples hold finite values only.  From counts: :mod:`detectors.kolmogorov_smirnov` and :mod:`detectors.distances.stored`.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
from scipy import stats

from detectors.edges import Floats


def kolmogorov_smirnov(reference: Floats, current: Floats) -> tuple[float, float]:
    """(D, p), exact up to 10 000 rows a side and by the limit law beyond, as scipy's ``auto``; both samples hold a row.

    >>> kolmogorov_smirnov(np.arange(10.0), np.arange(10.0) + 5)[0]
    0.5
    """
    with warnings.catch_warnings():
        # Where its exact sum overflows, scipy says that it turns to the limit law.
        warnings.simplefilter("ignore", RuntimeWarning)
        found = stats.ks_2samp(reference, current)
    return float(found.statistic), float(found.pvalue)


def kolmogorov_smirnov_distance(reference: Floats, current: Floats) -> float:
    """D alone, which needs no law.

    >>> kolmogorov_smirnov_distance(np.array([1.0, 1.0, 2.0]), np.array([1.0, 2.0, 2.0])).__round__(12)
    0.333333333333
    """
    at = np.concatenate([reference, current])
    below = (np.searchsorted(np.sort(side), at, side="right") / side.size for side in (reference, current))
    return float(np.abs(np.subtract(*below)).max(initial=0.0))


def cramer_von_mises(reference: Floats, current: Floats) -> tuple[float, float] | None:
    """(T, p), ties by mid-ranks; exact up to 20 rows a side and by the limit law beyond; None below two rows on a side."""
    if min(reference.size, current.size) < 2:
        return None
    found = stats.cramervonmises_2samp(reference, current)
    return float(found.statistic), float(found.pvalue)


def wasserstein(reference: Floats, current: Floats) -> float:
    """The first Wasserstein distance in the values' own unit: the area between the two distribution functions.

    >>> wasserstein(np.array([0.0, 1.0]), np.array([5.0, 6.0]))
    5.0
    """
    # A power of two costs no digit and keeps differences of values near the end of the floats finite.
    _, exponent = np.frexp(max(np.abs(reference).max(), np.abs(current).max()))
    then, now = (np.sort(np.ldexp(side, -int(exponent) - 1)) for side in (reference, current))
    at = np.sort(np.concatenate([then, now]))
    below = (np.searchsorted(side, at[:-1], side="right") / side.size for side in (then, now))
    area = float((np.abs(np.subtract(*below)) * np.diff(at)).sum())
    return math.ldexp(area, int(exponent) + 1)


def wasserstein_normalised(reference: Floats, current: Floats, *, least: float = 0.0) -> float | None:
    """The same in standard deviations of the reference (divisor n), of which at least ``least``; None where it is 0.

    >>> wasserstein_normalised(np.array([0.0, 2.0]), np.array([2.0, 4.0]))
    2.0
    """
    deviation = max(float(np.std(reference)), least)
    return wasserstein(reference, current) / deviation if deviation > 0.0 else None
