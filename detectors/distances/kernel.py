"""Maximum mean discrepancy by all pairs of rows: quadratic in rows, so refused beyond some thousands."""

from __future__ import annotations

import math

import numpy as np

from detectors.edges import Floats

#: Rows of a side beyond which all pairs take too long: 25 million of them.
MOST_ROWS = 5_000
#: Rows of one side taken at once, so that the pairs take little memory.
BLOCK = 256


def unsuitable(reference: Floats, current: Floats) -> str:
    """Why there is no such number of these rows; empty where there is one."""
    if min(reference.size, current.size) < 2:
        return "needs two rows on each side"
    most = max(reference.size, current.size)
    return f"takes all pairs of rows, and {most} are more than {MOST_ROWS} on a side" if most > MOST_ROWS else ""


def median_width(values: Floats) -> float:
    """The root of half the median squared distance of all pairs, each with itself too; root of ½ where that is 0."""
    squares = (values[:, None] - values[None, :]) ** 2
    middle = float(np.percentile(squares, 50, method="nearest"))
    return math.sqrt(0.5 * middle) if middle > 0.0 else math.sqrt(0.5)


def unbiased(reference: Floats, current: Floats, *, width: float) -> float:
    """MMD² with a Gaussian kernel, no row with itself; two rows a side at least.

    >>> round(unbiased(np.array([0.0, 0.0]), np.array([3.0, 3.0]), width=1.0), 6)
    1.977782
    """
    n, m = reference.size, current.size
    return (
        (_sum(reference, reference, width=width) - n) / (n * (n - 1))
        + (_sum(current, current, width=width) - m) / (m * (m - 1))
        - 2.0 * _sum(reference, current, width=width) / (n * m)
    )


def _sum(one: Floats, other: Floats, *, width: float) -> float:
    """The kernel summed over all pairs."""
    total = 0.0
    for start in range(0, one.size, BLOCK):
        apart = (one[start : start + BLOCK, None] - other[None, :]) / width
        total += float(np.exp(-0.5 * apart**2).sum())
    return total
