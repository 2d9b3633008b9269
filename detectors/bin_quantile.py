"""A quantile from counts over bins: linear within the bin it falls in, exact at the edges.

The outer bins are open; the exact minimum and maximum close them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike


def quantile(edges: Sequence[float], counts: ArrayLike, level: float, *, span: tuple[float, float]) -> float | None:
    """The value below which the share ``level`` lies; None of no value.

    :param counts: one more than edges; ``span``: the least and the greatest value that was counted.

    >>> quantile((1.0, 2.0), [0, 10, 0], 0.95, span=(1.0, 1.9))
    1.855
    >>> quantile((1.0, 2.0), [0, 0, 0], 0.95, span=(float("inf"), float("-inf"))) is None
    True
    """
    below = np.cumsum(np.asarray(counts, dtype=np.float64))
    if not below[-1]:
        return None
    rank = level * below[-1]
    at = int(np.searchsorted(below, rank, side="left"))
    low = max(span[0], edges[at - 1]) if at else span[0]
    high = min(span[1], edges[at]) if at < len(edges) else span[1]
    before = below[at - 1] if at else 0.0
    return float(low + (high - low) * (rank - before) / (below[at] - before))
