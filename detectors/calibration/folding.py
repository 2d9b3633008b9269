"""Which bins are summed so that each expects at least five rows of the window: below that a sum of squares is no chi-squared.

Neighbours fold with neighbours where bins have an order; names without one fold into one bin of rare names.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Rows that each folded bin expects of the window at least.
LEAST = 5.0


def ordered_groups(shares: Floats, rows: float) -> Ints:
    """The folded bin of each bin, from left to right; a last one that stays too small joins its neighbour.

    >>> ordered_groups(np.array([0.1, 0.1, 0.5, 0.2, 0.1]), 30.0).tolist()
    [0, 0, 1, 2, 2]
    """
    groups, group, expected = np.zeros(len(shares), dtype=np.int64), 0, 0.0
    for at, share in enumerate(shares.tolist()):
        groups[at] = group
        expected += share * rows
        if expected >= LEAST:
            group, expected = group + 1, 0.0
    if expected > 0.0:
        groups[groups == group] = max(group - 1, 0)
    return groups


def named_groups(shares: Floats, rows: float) -> Ints:
    """The folded bin of each name: its own, or the last, of all rare ones; where that is too small, with the least of the others.

    >>> named_groups(np.array([0.5, 0.05, 0.35, 0.1]), 40.0).tolist()
    [0, 2, 1, 2]
    >>> named_groups(np.array([0.5, 0.05, 0.35, 0.1]), 50.0).tolist()
    [0, 2, 1, 2]
    """
    rare = shares * rows < LEAST
    groups = np.where(rare, np.count_nonzero(~rare), np.cumsum(~rare) - 1)
    if rare.any() and not rare.all() and shares[rare].sum() * rows < LEAST:
        groups[rare] = groups[int(np.argmin(np.where(rare, np.inf, shares)))]
    return groups.astype(np.int64)


def folded(counts: ArrayLike, groups: Ints) -> Floats:
    """(..., bins) counts summed to (..., folded bins).

    >>> folded([1, 2, 3], np.array([0, 0, 1])).tolist()
    [3.0, 3.0]
    """
    counts = np.asarray(counts, dtype=np.float64)
    found: Floats = counts @ (groups[:, None] == np.arange(groups.max() + 1)).astype(np.float64)
    return found
