"""Tests of a table of counts: two samples of names, or two bins.

Pearson's X² of many columns at once is :mod:`detectors.chi_squared`; here it is one column, with what people derive from it.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from detectors.chi_squared import contingency as columns_contingency
from detectors.segments import Floats, Ints


def contingency(reference: Ints, current: Ints) -> tuple[float, int]:
    """(X², degrees of freedom) of the 2 x k table of two samples, without Yates' correction; bins empty on both sides do not count.

    >>> statistic, freedom = contingency(np.array([10, 20, 0]), np.array([20, 10, 0]))
    >>> round(statistic, 6), freedom
    (6.666667, 1)
    """
    if not len(reference):
        return 0.0, 0
    statistic, freedom = columns_contingency(reference, current, np.array([0]))
    return float(statistic[0]), max(0, int(freedom[0]))


def contingency_yates(reference: Ints, current: Ints) -> tuple[float, int]:
    """The same with Yates' correction where there is one degree of freedom: differences from what is expected shrink by up to ½.

    >>> round(contingency_yates(np.array([10, 20]), np.array([20, 10]))[0], 6)
    5.4
    """
    statistic, freedom = contingency(reference, current)
    if freedom != 1:
        return statistic, freedom
    table = np.array([reference, current], dtype=np.float64)
    table = table[:, table.sum(axis=0) > 0]
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    shrunk = np.maximum(0.0, np.abs(table - expected) - np.minimum(0.5, np.abs(table - expected)))
    return float((shrunk**2 / expected).sum()), freedom


def goodness_of_fit(observed: Ints, expected: Floats) -> float:
    """X² of counts against what was expected of each bin; infinite where something was seen that nothing was expected of.

    >>> goodness_of_fit(np.array([12, 8]), np.array([10.0, 10.0]))
    0.8
    >>> goodness_of_fit(np.array([1]), np.array([0.0]))
    inf
    """
    impossible = (expected == 0.0) & (observed > 0)
    if impossible.any():
        return math.inf
    used = expected > 0.0
    return float(((observed[used] - expected[used]) ** 2 / expected[used]).sum())


def p_of_chi_squared(statistic: float, freedom: int) -> float:
    """P(a chi-squared at least so large); 1 without a degree of freedom.

    >>> round(p_of_chi_squared(3.841458820694124, 1), 12), p_of_chi_squared(0.0, 0)
    (0.05, 1.0)
    """
    if freedom <= 0:
        return 1.0
    return 0.0 if math.isinf(statistic) else float(special.chdtrc(freedom, statistic))


def cramers_v(statistic: float, rows: int) -> float | None:
    """Cramér's V of a 2 x k table: the root of X² / n, 0 to 1; None without rows.

    >>> cramers_v(9.0, 100)
    0.3
    """
    return math.sqrt(statistic / rows) if rows else None


def cramers_v_corrected(statistic: float, rows: int, bins: int) -> float | None:
    """Cramér's V of a 2 x k table with Bergsma's correction of its bias (2013); None where it is 0 / 0.

    >>> round(cramers_v_corrected(9.0, 100, 2), 6)
    0.284103
    """
    if rows < 2:
        return None
    phi2 = max(0.0, statistic / rows - (bins - 1) / (rows - 1))
    least = min(bins - (bins - 1) ** 2 / (rows - 1), 2 - 1 / (rows - 1)) - 1
    return math.sqrt(phi2 / least) if least > 0.0 else None


def two_proportions(reference: tuple[int, int], current: tuple[int, int]) -> float | None:
    """z of two proportions, (hits, rows) each, with a pooled variance; None where there is none: no rows, or all alike.

    The sign is the change's: above 0 where the current proportion is the larger one.

    >>> round(two_proportions((30, 100), (45, 100)), 6)
    2.19089
    """
    hits, rows = reference[0] + current[0], reference[1] + current[1]
    if not reference[1] or not current[1] or hits in (0, rows):
        return None
    pooled = hits / rows
    error = math.sqrt(pooled * (1.0 - pooled) * (1.0 / reference[1] + 1.0 / current[1]))
    return (current[0] / current[1] - reference[0] / reference[1]) / error


def p_of_z(z: float) -> float:
    """The two-sided p-value of a standard normal.

    >>> round(p_of_z(1.959963984540054), 12)
    0.05
    """
    return float(2.0 * special.ndtr(-abs(z)))
