"""Quantiles, and how many lie above a limit, from counts over bins: linear within the bin it falls in, exact at the edges.

The outer bins are open; the exact minimum and maximum close them.  Where those are not finite, an open bin's one
edge stands for it.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike


def quantile(edges: Sequence[float], counts: ArrayLike, level: float, *, span: tuple[float, float]) -> float | None:
    """The value below which the share ``level`` lies; None of no value.

    :param counts: one more than edges, of which there is one at least; ``span``: the least and the greatest value counted.

    >>> quantile((1.0, 2.0), [0, 10, 0], 0.95, span=(1.0, 1.9))
    1.855
    >>> quantile((1.0, 2.0), [0, 0, 9], 0.95, span=(float("inf"), float("-inf")))
    2.0
    >>> quantile((1.0, 2.0), [0, 0, 0], 0.95, span=(float("inf"), float("-inf"))) is None
    True
    """
    # A few dozen numbers: a list is through them before an array is made.
    below: list[float] = list(itertools.accumulate(np.asarray(counts, dtype=np.float64).tolist()))
    if not below[-1]:
        return None
    rank = level * below[-1]
    at = bisect.bisect_left(below, rank)
    low, high = _ends(edges, at, span=span)
    before = below[at - 1] if at else 0.0
    return low + (high - low) * (rank - before) / (below[at] - before)


def count_above(edges: Sequence[float], counts: ArrayLike, limit: float, *, span: tuple[float, float]) -> float:
    """How many values lie above a limit: the other way round, and as exact.

    >>> count_above((1.0, 2.0), [5, 8, 2], 1.5, span=(0.0, 9.0)), count_above((1.0, 2.0), [5, 8, 2], 2.0, span=(0.0, 9.0))
    (6.0, 2.0)
    >>> count_above((1.0, 2.0), [5, 8, 0], 2.0, span=(0.0, 1.9))
    0.0
    """
    found = np.asarray(counts, dtype=np.float64)
    at = int(np.searchsorted(np.asarray(edges), limit, side="right"))
    low, high = _ends(edges, at, span=span)
    share = (high - limit) / (high - low) if high > low else float(low > limit)
    return float(found[at + 1 :].sum() + found[at] * min(1.0, max(0.0, share)))


def _ends(edges: Sequence[float], at: int, *, span: tuple[float, float]) -> tuple[float, float]:
    """The bin's ends, cut to the span where it is known."""
    known = span if math.isfinite(span[0]) and math.isfinite(span[1]) else (-math.inf, math.inf)
    low = max(known[0], edges[at - 1]) if at else known[0]
    high = min(known[1], edges[at]) if at < len(edges) else known[1]
    return (low if math.isfinite(low) else high), (high if math.isfinite(high) else low)
