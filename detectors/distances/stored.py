"""The Wasserstein distance from stored bins: the area between two distribution functions that rise evenly within a bin.

Exact for the atoms, which have bins of their own; elsewhere off by at most a bin's share times its width.  The outer bins are open:
the least and the greatest value of each side close them.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import numpy as np

from detectors.edges import Floats
from detectors.segments import Ints

Span = tuple[float, float]


def wasserstein(edges: Sequence[float], sides: tuple[Ints, Ints], *, spans: tuple[Span, Span]) -> float:
    """The distance in the values' own unit; each side holds a row, ``spans`` are their least and greatest values.

    >>> wasserstein((0.0, 1.0, 2.0), (np.array([0, 4, 0, 0]), np.array([0, 0, 4, 0])), spans=((0.0, 1.0), (1.0, 2.0)))
    1.0
    """
    points = [_function(edges, counts, span=span) for counts, span in zip(sides, spans, strict=True)]
    at = np.unique(np.concatenate([x for x, _ in points]))
    gap = np.subtract(*(np.interp(at, x, y, left=0.0, right=1.0) for x, y in points))
    return _area(at, gap)


def _function(edges: Sequence[float], counts: Ints, *, span: Span) -> tuple[Floats, Floats]:
    """The distribution function of one side as the corners of a line, from 0 at the least value to 1 at the greatest."""
    inner = np.asarray(edges, dtype=np.float64)
    below = np.cumsum(counts[:-1]) / counts.sum()
    # The float after the greatest value: an atom there keeps its bin, and one value alone is a step.
    low, high = span[0], min(math.nextafter(span[1], math.inf), sys.float_info.max)
    kept = (inner > low) & (inner < high)
    return np.concatenate([[low], inner[kept], [high]]), np.concatenate([[0.0], below[kept], [1.0]])


def _area(at: Floats, gap: Floats) -> float:
    """The integral of |gap|, straight between the points: a stretch in which it changes its sign is two triangles."""
    left, right, width = np.abs(gap[:-1]), np.abs(gap[1:]), np.diff(at)
    crosses = gap[:-1] * gap[1:] < 0.0
    both = np.where(crosses, left + right, 1.0)
    triangles = (left**2 + right**2) / both / 2.0
    return float((width * np.where(crosses, triangles, (left + right) / 2.0)).sum())
