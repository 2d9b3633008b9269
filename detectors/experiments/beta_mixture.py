"""Evidence of counts against one given probability, at any look: a beta mixture centred at it.

n rows with h hits are more likely by

    e(p) = B(ap + h, a(1-p) + n - h) / (B(ap, a(1-p)) p^h (1-p)^(n-h))

when the probability was drawn from Beta(ap, a(1-p)) than when it is p: a test martingale of independent rows, exact at every
n (H. Robbins 1970; S. Howard, A. Ramdas, J. McAuliffe & J. Sekhon, Annals of Statistics 49, 2021, §3; for shares of traffic
M. Lindon & A. Malek, "Anytime-valid inference for multinomial count data", NeurIPS 2022). It depends on the order of the rows
through nothing but n and h.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

Floats = NDArray[np.float64]

#: What a prior is worth in n·p·(1-p), one of these with equal chances: odds that differ by some 70, 22, 7 and 2 %.
WORTHS = np.array([2.0, 20.0, 200.0, 2_000.0])


def log_e_of_counts(n: ArrayLike, hits: ArrayLike, p: ArrayLike, *, worth: ArrayLike) -> Floats:
    """The logarithm of e(p); arrays broadcast, 0 < p < 1.

    worth: a, the rows that the prior is worth.

    >>> round(float(log_e_of_counts(10, 5, 0.5, worth=2.0)), 6), round(float(log_e_of_counts(10, 0, 0.5, worth=2.0)), 6)
    (-0.995853, 4.533577)
    """
    n, hits, p = (np.asarray(each, dtype=np.float64) for each in (n, hits, p))
    worth = np.asarray(worth, dtype=np.float64)
    one, other = worth * p, worth * (1.0 - p)
    drawn = special.betaln(one + hits, other + n - hits) - special.betaln(one, other)
    found: Floats = drawn - special.xlogy(hits, p) - special.xlog1py(n - hits, -p)
    return found


def log_e_of_share(n: ArrayLike, hits: ArrayLike, p: ArrayLike) -> Floats:
    """The logarithm of e(p) with a prior worth one of `WORTHS`.

    >>> log_e_of_share(10_000, [500, 620, 700], 0.05).round(3).tolist()
    [-0.852, 10.966, 33.853]
    """
    p = np.asarray(p, dtype=np.float64)
    each = np.array([log_e_of_counts(n, hits, p, worth=worth / (p * (1.0 - p))) for worth in WORTHS])
    found: Floats = special.logsumexp(each, axis=0) - np.log(len(WORTHS))
    return found
