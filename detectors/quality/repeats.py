"""How many rows bear an id that came before, from how the ids fell into buckets of a hash: counts, which merge by ``+``.

Ids that all differ fall like rows into urns; an id that comes again falls into its own bucket again, so more pairs of rows share a
bucket than chance would put together.  Pairs beyond chance are repeats: as many where no id comes more than twice, up to k/2 times
as many where ids come k times.  A bucket far beyond what rows of their own would put there holds an id that comes very often, and
its rows are counted one by one.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from detectors.quality.verdict import BY_CHANCE, LEAST_ROWS, Verdict, judged, undecided

#: Standard deviations, and rows, above the mean beyond which a bucket is not filled by different ids.
HEAVY, HEAVY_ROWS = 6.0, 4.0


def repeats(counts: ArrayLike) -> float:
    """The share of rows whose id came before, 0 to 1; ``counts``: rows with an id by bucket.

    Of different ids its standard deviation is 1 / sqrt(2 x buckets), of however many rows.

    >>> repeats([2] * 8 + [0] * 8), repeats([1] * 15 + [985])
    (0.03125, 0.976)
    """
    found = np.asarray(counts, dtype=np.int64)
    rows = int(found.sum())
    if not rows:
        return 0.0
    heavy = found > _most(rows / len(found))
    light = found[~heavy]
    n = int(light.sum())
    mean = n / len(light) if len(light) else 0.0
    pairs = int((light * (light - 1)).sum()) / 2 - mean * (n - 1) / 2
    often = float((found[heavy] - mean - 1.0).sum())
    return min(1.0, max(0.0, (pairs + often) / rows))


def by_chance(rows: int, buckets: int) -> float:
    """The share that different ids seem to repeat once in a million windows.

    >>> [round(by_chance(rows, 4096), 3) for rows in (100, 1_000, 1_000_000)]
    [0.076, 0.055, 0.054]
    """
    pairs = rows * (rows - 1) / (2 * buckets)
    # Few rows in many buckets share one like a Poisson number of pairs, many rows fill them like chi-squared.
    few = float(special.pdtrik(1.0 - BY_CHANCE, pairs)) - pairs
    many = rows / (2 * buckets) * (float(special.chdtri(buckets - 1, BY_CHANCE)) - (buckets - 1))
    return max(few, many) / rows


def duplicates(counts: ArrayLike, *, allowed: float) -> Verdict:
    """Whether more rows repeat an id than ``allowed``, beyond chance."""
    found = np.asarray(counts, dtype=np.int64)
    rows = int(found.sum())
    if rows < LEAST_ROWS:
        return undecided("duplicates", rows)
    # Repeats spread the buckets' counts, and so what chance makes of them.
    chance = by_chance(rows, len(found)) * (1.0 + 2.0 * allowed)
    return judged("duplicates", repeats(found), allowed + chance, n=rows)


def _most(mean: float) -> float:
    return mean + HEAVY * math.sqrt(mean) + HEAVY_ROWS
