"""The oldest chart and what teams make of it: a value beyond so many sd, the sd known or learned from recent values.

`beyond` judges standardised values (Shewhart, 1931).  `RollingRule` is the dashboards' rule: mean and sd of recent values, the
newest weighing most, and an alarm beyond three of these sd; it forgets, so it sees jumps and no creeping.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

WIDTH = 3.0
#: Values before the rolling rule may alarm: fewer tell no sd.
WARM_UP = 20


def beyond(values: Floats, *, width: float = WIDTH) -> Bools:
    """Which standardised values alarm; of independent normal ones, one in 370 at 3 sd.

    >>> beyond(np.array([3.0, -3.1])).tolist()
    [False, True]
    """
    found: Bools = np.abs(values) > width
    return found


@dataclass(frozen=True, slots=True)
class RollingRule:
    """Exponentially weighted mean and variance of the values so far, and how many there were.

    After West (1979): with weight w on the newest, d = x - mean, mean += w d, variance = (1 - w)(variance + w d**2).

    >>> rule = RollingRule(weight=0.5)
    >>> for x in (1.0, 3.0): rule = rule.after(x)
    >>> rule.mean, rule.variance
    (2.0, 1.0)
    """

    weight: float
    count: int = 0
    mean: float = 0.0
    variance: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.weight <= 1.0:
            raise ValueError(f"weight {self.weight} is not above 0 and at most 1")

    def after(self, value: float) -> RollingRule:
        """The rule once it has seen a value; the first value is the mean."""
        if not self.count:
            return RollingRule(self.weight, 1, value, 0.0)
        away = value - self.mean
        variance = (1.0 - self.weight) * (self.variance + self.weight * away * away)
        return RollingRule(self.weight, self.count + 1, self.mean + self.weight * away, variance)

    def alarms(self, value: float, *, width: float = WIDTH) -> bool:
        """Whether a value, not yet seen, lies beyond the limits that the values before it set."""
        return self.count >= WARM_UP and abs(value - self.mean) > width * math.sqrt(self.variance)
