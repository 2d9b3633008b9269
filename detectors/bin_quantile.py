"""A quantile from counts over bins: linear within the bin it falls in, exact at the edges.

The outer bins are open; the exact minimum and maximum close them.  Where those are not finite, an open bin's one
edge stands for it.
"""

from __future__ import annotations

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
    below = np.cumsum(np.asarray(counts, dtype=np.float64))
    if not below[-1]:
        return None
    rank = level * below[-1]
    at = int(np.searchsorted(below, rank, side="left"))
    low, high = _ends(edges, at, span=span)
    before = below[at - 1] if at else 0.0
    return float(low + (high - low) * (rank - before) / (below[at] - before))


def _ends(edges: Sequence[float], at: int, *, span: tuple[float, float]) -> tuple[float, float]:
    """The bin's ends, cut to the span where it is known."""
    known = span if math.isfinite(span[0]) and math.isfinite(span[1]) else (-math.inf, math.inf)
    low = max(known[0], edges[at - 1]) if at else known[0]
    high = min(known[1], edges[at]) if at < len(edges) else known[1]
    return (low if math.isfinite(low) else high), (high if math.isfinite(high) else low)
