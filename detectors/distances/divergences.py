"""Distances of two vectors of shares over the same bins.

Each vector sums to 1 (within rounding; what a convention adds for empty bins may make it more).  Bins without order: nothing here
knows which bin is next to which.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from detectors.segments import Floats, Ints


def shares(counts: Ints) -> Floats:
    """Counts as shares of their sum; all 0 where nothing was counted.

    >>> shares(np.array([1, 3])).tolist()
    [0.25, 0.75]
    """
    found: Floats = counts / max(int(counts.sum()), 1)
    return found


def kl(p: Floats, q: Floats) -> float:
    """Kullback-Leibler divergence of p from q in nats; infinite where p has a share that q has not.

    >>> round(kl(np.array([0.5, 0.5]), np.array([0.25, 0.75])), 6)
    0.143841
    """
    return float(special.rel_entr(p, q).sum())


def jensen_shannon(p: Floats, q: Floats, *, base: float = math.e) -> float:
    """The Jensen-Shannon distance, the root of the divergence; at most the root of log_base(2).

    >>> jensen_shannon(np.array([1.0, 0.0]), np.array([0.0, 1.0]), base=2)
    1.0
    """
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2.0
    divergence = float((special.rel_entr(p, middle) + special.rel_entr(q, middle)).sum()) / 2.0
    return math.sqrt(max(0.0, divergence) / math.log(base))


def hellinger(p: Floats, q: Floats) -> float:
    """The Hellinger distance, 0 to 1.

    >>> hellinger(np.array([1.0, 0.0]), np.array([0.0, 1.0])).__round__(12)
    1.0
    """
    return math.sqrt(float(((np.sqrt(p) - np.sqrt(q)) ** 2).sum()) / 2.0)


def total_variation(p: Floats, q: Floats) -> float:
    """Half the sum of differences: the share of rows that would have to change their bin.

    >>> total_variation(np.array([0.5, 0.5]), np.array([0.25, 0.75]))
    0.25
    """
    return float(np.abs(p - q).sum()) / 2.0


def l_infinity(p: Floats, q: Floats) -> float:
    """The largest difference of any bin.

    >>> l_infinity(np.array([0.5, 0.5, 0.0]), np.array([0.25, 0.5, 0.25]))
    0.25
    """
    return float(np.abs(p - q).max(initial=0.0))
