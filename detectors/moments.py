"""Fixed-point moments: sums of integers that merge bit for bit in any order.

Float sums depend on their order, so two workers that split a pane would not agree with one that saw it
whole. Here a value becomes ``q = rint(clip((x - mean) / sd, -64, 64) * 4096)`` with the reference's mean
and sd; panes carry Σq and Σq², and the mean and variance come back from those. Resolution: sd/4096; a value
further than 64 sd from the reference's mean counts as 64 sd (the histogram of values outside the range
keeps how far it was).

|q| <= 2^18, so Σq² stays below 2^63 up to 2^27 values (134 million) in one sum.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEPS = 4096
"""Steps of q to one standard deviation."""

CLIP = 64.0
"""Standard deviations beyond which a value counts as this far."""


def quantise(x: Floats, *, mean: float | Floats, sd: float | Floats) -> NDArray[np.int64]:
    """q of each value; x must hold no NaN, infinities count as 64 sd. ``mean`` and ``sd`` may differ by value.

    The definition that compiled counting is tested against.

    >>> quantise(np.array([10.0, 12.0, 1e9]), mean=10.0, sd=2.0).tolist()
    [0, 4096, 262144]
    """
    with np.errstate(over="ignore"):
        z = (np.asarray(x, dtype=np.float64) - mean) / scales_of(sd)
    return np.rint(np.clip(z, -CLIP, CLIP) * STEPS).astype(np.int64)


def mean_of(sum_q: int, n: int, *, mean: float, sd: float) -> float | None:
    """The mean of n values in their own unit; None of no value.

    >>> mean_of(4096, 2, mean=10.0, sd=2.0)
    11.0
    """
    return None if n == 0 else mean + scale_of(sd) * (int(sum_q) / (STEPS * int(n)))


def variance_of(sum_q: int, sum_q2: int, n: int, *, sd: float) -> float | None:
    """The variance (divisor n) of n values in their own unit squared; None of no value.

    Whole numbers up to the last division, so a constant column has variance 0 exactly.

    >>> variance_of(4096, 4096**2, 2, sd=2.0)
    1.0
    """
    if n == 0:
        return None
    n, sum_q, sum_q2 = int(n), int(sum_q), int(sum_q2)
    scale = scale_of(sd)
    return (n * sum_q2 - sum_q * sum_q) / (n * STEPS) ** 2 * scale * scale


def scale_of(sd: float) -> float:
    """The unit of z: the reference's sd, or 1 where that is 0 or not finite."""
    return float(sd) if sd > 0 and math.isfinite(sd) else 1.0


def scales_of(sd: float | Floats) -> Floats:
    """``scale_of`` of each."""
    sd = np.asarray(sd, dtype=np.float64)
    return np.where((sd > 0) & np.isfinite(sd), sd, 1.0)
