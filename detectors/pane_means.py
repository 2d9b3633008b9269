"""How much the means of panes wander in the reference, beyond what so few rows explain: the unit of charts.

In units of the reference's variance, the variance of a pane's mean is b² + (1 - b²)/n: b² between panes (the rhythm of a
day, the weather), the rest from its n rows.  With V the mean square of the reference's pane means around its mean, and m the
mean of 1/n, b² = (V - m)/(1 - m), cut to 0 … 1.  A pane's mean over bins is taken from the middle of each bin (about 50 bins:
an error of some hundredths of an sd).  Live means are exact; only this scale rests on bins.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schemas.reference import NumericProfile

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Fewer non-empty panes than these tell no scale.
LEAST_PANES = 20


def middles(profile: NumericProfile) -> Floats:
    """The middle of each bin; of the open outer ones, which the reference leaves empty, their edge.

    Half of each end is added, as the sum of two ends may overflow.
    """
    edges = np.asarray(profile.edges, dtype=np.float64)
    low, high = np.concatenate([edges[:1], edges]), np.concatenate([edges, edges[-1:]])
    middle: Floats = low / 2 + high / 2
    return middle


def between(profile: NumericProfile, live_pane: Ints) -> float | None:
    """b², 0 to 1; None of fewer than 20 panes with values, or where no pane has more than one.

    :param live_pane: the number of the live pane that each of the reference's panes is a part of; rising.
    """
    rows, means = _panes(profile, live_pane)
    rows, means = rows[rows > 0], means[rows > 0]
    if len(rows) < LEAST_PANES:
        return None
    noise = float(np.mean(1.0 / rows))
    if noise == 1.0:
        return None
    return float(np.clip((np.mean(means**2) - noise) / (1.0 - noise), 0.0, 1.0))


def _panes(profile: NumericProfile, live_pane: Ints) -> tuple[Floats, Floats]:
    """(values, their mean) of each live pane; straight from the sparse rows, as a dense table takes ten times as long."""
    flat = np.fromiter(itertools.chain.from_iterable(profile.pane_counts), dtype=np.int64)
    pairs = np.fromiter(map(len, profile.pane_counts), dtype=np.int64) // 2
    column, count = flat[0::2], flat[1::2]
    valued = column < len(profile.counts)
    pane = (np.repeat(live_pane, pairs) - live_pane[0])[valued]
    column, count = column[valued], count[valued]
    deviation = (middles(profile) - profile.center) / profile.scale
    rows = np.bincount(pane, weights=count).astype(np.float64)
    return rows, np.bincount(pane, weights=count * deviation[column]) / np.maximum(rows, 1.0)


def standardised(mean: Floats, rows: ArrayLike, between: Floats) -> Floats:
    """Pane means in sd of pane means; ``mean`` is in sd of the reference from its mean, 0 where there is no row.

    >>> standardised(np.array([0.5]), [4], np.array([0.0])).tolist()
    [1.0]
    """
    rows = np.maximum(np.asarray(rows, dtype=np.float64), 1.0)
    found: Floats = mean / np.sqrt(between + (1.0 - between) / rows)
    return found
