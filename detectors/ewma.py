"""EWMA charts: an exponentially weighted mean of standardised values, with asymptotic limits.

z <- (1 - lambda) z + lambda x from 0, then an alarm where |z| > L sqrt(lambda / (2 - lambda)).  The limits are those of a
chart that has run for long; narrower ones for its first values would give other run lengths.  Pure: the state goes in and
comes out, an array holds a chart an entry.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Weight of the newest value, and width in sd: 500 values between false alarms, 10.3 to find a shift of 1 sd.
WEIGHT, WIDTH = 0.1, 2.814


def limit(weight: float = WEIGHT, width: float = WIDTH) -> float:
    """Beyond which |z| alarms.

    >>> round(limit(), 12)
    0.645575875112
    """
    return width * math.sqrt(weight / (2.0 - weight))


def step(z: Floats, x: Floats, *, weight: float = WEIGHT) -> Floats:
    """z after one more value each.

    >>> step(np.zeros(2), np.array([1.0, -2.0])).tolist()
    [0.1, -0.2]
    """
    after: Floats = (1.0 - weight) * z + weight * x
    return after
