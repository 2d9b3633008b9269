"""How much longer a mean of correlated blocks takes to settle than one of independent ones."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: An autocorrelation is never taken for more: beyond, a mean would tell nothing at all.
MOST = 0.95
_GUARDED_FROM, _HOPELESS = 30, 4


def inflation(phi: Floats, blocks: float) -> Floats:
    """Variance of the mean of ``blocks`` values of an AR(1) of coefficient ``phi``, over that of independent ones.

    >>> inflation(np.array([0.0, 0.5]), 2.0).tolist(), inflation(np.array([0.5]), 0.5).tolist()
    ([1.0, 1.5], [1.0])
    """
    if blocks <= 1.0:
        return np.ones_like(phi)
    gap = 1.0 - phi
    found: Floats = 1.0 + 2.0 * (phi / gap - phi * (1.0 - phi**blocks) / (blocks * gap * gap))
    return found


def lag_one(series: Floats) -> Floats:
    """(series,) lag-1 autocorrelation of each column of (blocks, series) around 0; of a column of zeros, 0."""
    power = np.einsum("ij,ij->j", series, series)
    products = np.einsum("ij,ij->j", series[1:], series[:-1])
    found: Floats = np.divide(products, power, out=np.zeros_like(power), where=power > 0.0)
    return found


def believed(raw: float, blocks: int, *, series: float = 1.0) -> float:
    """An estimate from ``blocks`` blocks without its bias (Marriott and Pope, 1954), where it exceeds its own noise.

    :param series: how many independent series the estimate is a mean of.

    >>> believed(0.5, 40), believed(0.1, 40), round(believed(0.1, 25), 4), believed(0.99, 25)
    (0.5675675675675675, 0.0, 0.1591, 0.95)
    """
    if blocks <= _HOPELESS:
        return MOST
    if blocks >= _GUARDED_FROM and raw < 1.0 / math.sqrt(blocks * series):
        return 0.0
    return min(max((blocks * raw + 1.0) / (blocks - 3.0), 0.0), MOST)
