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
Ints = NDArray[np.int64]

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


def run_length(width: float = WIDTH) -> float:
    """Independent normal values from one false alarm to the next; of values that hang together, in long-run sd, more.

    >>> round(run_length(), 1)
    370.4
    """
    chance = math.erfc(width / math.sqrt(2.0))
    return 1.0 / chance if chance else math.inf


@dataclass(frozen=True, eq=False, slots=True)
class RollingRule:
    """Exponentially weighted means and variances of the values of so many columns, and how many values there were of each.

    After West (1979): with weight w on the newest, d = x - mean, mean += w d, variance = (1 - w)(variance + w d**2).

    >>> rule = RollingRule.begun(1, weight=0.5)
    >>> for x in (1.0, 3.0): rule = rule.after(np.array([x]))
    >>> rule.mean.tolist(), rule.variance.tolist()
    ([2.0], [1.0])
    """

    weight: float
    count: Ints
    mean: Floats
    variance: Floats

    @staticmethod
    def begun(columns: int, *, weight: float) -> RollingRule:
        """No value yet.

        :raises ValueError: the weight is not above 0 and at most 1.
        """
        if not 0.0 < weight <= 1.0:
            raise ValueError(f"weight {weight} is not above 0 and at most 1")
        return RollingRule(weight, np.zeros(columns, np.int64), np.zeros(columns), np.zeros(columns))

    def after(self, values: Floats) -> RollingRule:
        """The rule once it has seen a value of each column, where there is one (else NaN); the first value is the mean."""
        there = ~np.isnan(values)
        away = np.where(there, values - self.mean, 0.0)
        mean = self.mean + np.where(self.count > 0, self.weight, 1.0) * away
        spread = np.where(self.count > 0, (1.0 - self.weight) * (self.variance + self.weight * away * away), 0.0)
        return RollingRule(self.weight, self.count + there, mean, np.where(there, spread, self.variance))

    def distances(self, values: Floats) -> Floats:
        """How far values, not yet seen, lie from the means before them; NaN where there is no value."""
        found: Floats = values - self.mean
        return found

    def limits(self, *, width: float = WIDTH) -> Floats:
        """How far a value may lie off; infinite where the values before it are too few to tell an sd."""
        found: Floats = np.where(self.count >= WARM_UP, width * np.sqrt(self.variance), np.inf)
        return found
