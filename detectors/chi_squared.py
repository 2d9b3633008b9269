"""Pearson's chi-squared of 2 x k tables, many columns at once: are two samples of names drawn from one population?

The counts of all columns lie behind one another; ``starts`` says where each column begins.  Names that neither sample holds
are left out and cost no degree of freedom.  Rows count as independent.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from detectors.segments import Floats, Ints, spread, totals


def contingency(reference: Ints, current: Ints, starts: Ints) -> tuple[Floats, Ints]:
    """(statistic, degrees of freedom) of each column; 0 and at most 0 degrees where a side is empty.

    >>> at = np.array([0])
    >>> statistic, freedom = contingency(np.array([10, 20, 0]), np.array([20, 10, 0]), at)
    >>> round(float(statistic[0]), 6), freedom.tolist()
    (6.666667, [1])
    """
    both = reference + current
    used: NDArray[np.bool_] = both > 0
    statistic = _squares(reference, both, starts=starts) + _squares(current, both, starts=starts)
    return statistic, totals(used.astype(np.int64), starts) - 1


def p_value(statistic: Floats, freedom: Ints) -> Floats:
    """P(a statistic at least so large) with no difference; 1 where there is no degree of freedom.

    >>> p_value(np.array([3.841458820694124, 0.0]), np.array([1, 0])).round(12).tolist()
    [0.05, 1.0]
    """
    found: Floats = special.chdtrc(np.maximum(freedom, 1), statistic)
    return np.where(freedom > 0, found, 1.0)


def _squares(side: Ints, both: Ints, *, starts: Ints) -> Floats:
    """Sum of (observed - expected)^2 / expected over one side's row of each table; 0 for a table without rows."""
    share = totals(side, starts) / np.maximum(totals(both, starts), 1)
    expected = both * spread(share, starts, len(both))
    filled = expected > 0
    terms = np.where(filled, (side - expected) ** 2 / np.where(filled, expected, 1.0), 0.0)
    return totals(terms, starts)
