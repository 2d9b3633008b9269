"""The Kolmogorov-Smirnov distance of two samples from their counts over the same bins, for many columns at once.

D = max over edges of |F(edge) - G(edge)|, F and G the shares of each sample below the edge.  With every distinct value an
edge this is the exact two-sample D.  On the about 50 bins of a reference it is a lower bound, short by at most the share of
the largest bin (about 1/50): stated with it as the convention ``stored bins``.

The p-value is the limit law's, K(sqrt(n_eff) D) with n_eff = n m / (n + m); rows count as independent.  On bins and ties it
errs to the safe side (too large).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]


def cumulative(counts: ArrayLike) -> Floats:
    """Shares at or below each bin, (..., bins); all 0 where nothing was counted.

    >>> cumulative([[1, 1, 2], [0, 0, 0]]).tolist()
    [[0.25, 0.5, 1.0], [0.0, 0.0, 0.0]]
    """
    sums = np.cumsum(np.asarray(counts, dtype=np.float64), axis=-1)
    shares: Floats = sums / np.maximum(sums[..., -1:], 1.0)
    return shares


def distance(reference: Floats, current: Floats) -> Floats:
    """D of two cumulative shares, (..., bins) each; 0 for no bins."""
    found: Floats = np.abs(reference - current).max(axis=-1, initial=0.0)
    return found


def effective(n: ArrayLike, m: ArrayLike) -> Floats:
    """n m / (n + m), 0 where both are.

    >>> effective(1500, 2000).tolist()
    857.1428571428571
    """
    n, m = np.asarray(n, dtype=np.float64), np.asarray(m, dtype=np.float64)
    size: Floats = n * m / np.maximum(n + m, 1.0)
    return size


def p_value(d: ArrayLike, n_eff: ArrayLike) -> Floats:
    """P(D at least so large) with no difference, by the limit law."""
    found: Floats = special.kolmogorov(np.sqrt(np.asarray(n_eff)) * np.asarray(d))
    return found
