"""Looking as often as one likes: what a look leaves behind is one number, the least p-value so far.

An e-value is at most 1 on average with no difference, at any time one may stop (Ville 1939): so the chance that 1 / e ever
falls to alpha is at most alpha, however often it is looked at (J. Ter Schure & P. Grünwald 2019; R. Johari, P. Koomen, L.
Pekelis & D. Walsh, "Always valid inference", Operations Research 70, 2022). The least of 1 / e over all looks stays such a
p-value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.experiments.samples import Interval, State

Floats = NDArray[np.float64]

#: Evidence counts up to here, where its exponential is still a float.
LARGEST = 700.0


@dataclass(frozen=True, slots=True)
class Look:
    """One look at an experiment.

    ``p_value``: the least so far, two-sided, to be handed to the next look as ``before``; ``log_e``: this look's evidence against
    "no difference", natural logarithm; ``interval`` holds the difference at this look and all others with confidence 1 - alpha.
    """

    state: State
    p_value: float
    difference: float | None = None
    log_e: float | None = None
    interval: Interval | None = None


def p_of(log_e: float, before: float = 1.0) -> float:
    """The always-valid p-value after a look: the least of 1 / e so far, at most 1.

    >>> round(p_of(math.log(20.0)), 12), p_of(-3.0), p_of(math.log(20.0), 0.01)
    (0.05, 1.0, 0.01)
    """
    return min(before, math.exp(-max(0.0, log_e)))


def over_stages(log_es: Sequence[float], *, planned: int) -> float:
    """The evidence of several stages of a canary, each counted from its own beginning: the mean of all that are planned.

    Sums over stages would set the busy days of one against the calm ones of another.  A stage that has not begun says e = 1.

    >>> round(math.exp(over_stages([math.log(97.0), 0.0], planned=5)), 6)
    20.2
    """
    if len(log_es) > planned or not planned:
        raise ValueError(f"{len(log_es)} stages have begun and {planned} were planned, at least 1 of them")
    begun = math.fsum(math.exp(min(each, LARGEST)) for each in log_es)
    return math.log((begun + planned - len(log_es)) / planned)


def running_p(log_e: Floats) -> Floats:
    """The always-valid p-value after each look of many experiments, looks along the last axis.

    >>> running_p(np.log([[2.0, 10.0, 4.0]])).round(12).tolist()
    [[0.5, 0.1, 0.1]]
    """
    found: Floats = np.exp(-np.maximum(np.maximum.accumulate(log_e, axis=-1), 0.0))
    return found
