"""Two-sided CUSUM charts of standardised values.

S+ <- max(0, S+ + x - k) and S- <- max(0, S- - x - k), both from 0; an alarm where either exceeds h, and the alarming value
counts.  Pure: the state goes in and comes out, an array holds a chart an entry.

The last value at which a sum was 0 is the estimate of where the change began: nothing before it supports the alarm.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: Slack and limit in sd: 465 values between false alarms, 10.4 to find a shift of 1 sd.
SLACK, LIMIT = 0.5, 5.0


def step(up: Floats, down: Floats, x: Floats, *, slack: float = SLACK) -> tuple[Floats, Floats]:
    """(S+, S-) after one more value each.

    >>> up, down = step(np.zeros(2), np.zeros(2), np.array([2.0, -3.0]))
    >>> up.tolist(), down.tolist()
    ([1.5, 0.0], [0.0, 2.5])
    """
    return np.maximum(0.0, up + x - slack), np.maximum(0.0, down - x - slack)


def alarms(up: Floats, down: Floats, *, limit: float = LIMIT) -> Bools:
    """Which charts alarm.

    >>> alarms(np.array([5.0, 0.0]), np.array([0.0, 5.1])).tolist()
    [False, True]
    """
    found: Bools = np.maximum(up, down) > limit
    return found
