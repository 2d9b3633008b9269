"""The limit of a CUSUM whose baseline was itself estimated, for a rate of false alarms.

Mean and sd come from a reference of so many panes.  An error of the mean tilts the chart, an error of the sd narrows it, and
either costs far more alarms than it saves; so the rate is averaged over both errors before it is solved for the limit.  Inside
that average Siegmund's approximation of the run length is enough (within 3 % of the integral equation,
:mod:`detectors.run_lengths`).
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

Floats = NDArray[np.float64]

_OVERSHOOT = 1.166
_NODES = 9
#: Share of the reference's blocks that count as degrees of freedom of the sd: blocks are correlated, and overlap in part.
FREE_SHARE = 0.7


@functools.lru_cache(4096)  # the columns of a model ask alike
def cusum_limit(rate: float, slack: float, *, panes: int, blocks: float) -> float:
    """The limit of a two-sided CUSUM of pane means, in long-run sd of the reference, so that it alarms at ``rate`` a pane.

    :param panes: of the reference, which fix its mean; ``blocks``: of the calibration, which fix its sd; inf: both are known.

    >>> round(cusum_limit(1 / 73_000, 0.5, panes=744, blocks=37), 1)
    13.4
    >>> round(cusum_limit(1 / 73_000, 0.5, panes=10**9, blocks=math.inf), 1)
    10.0
    """
    if not 0.0 < rate < 1.0:
        raise ValueError(f"a rate of {rate:g} alarms a pane is not between 0 and 1")
    errors = _errors(panes, blocks)
    low, high = 0.1, 20.0
    while _rate(slack, high, errors) > rate:
        high *= 2.0
    return float(optimize.brentq(lambda at: math.log(_rate(slack, at, errors) / rate), low, high, xtol=1e-6))


def _errors(panes: int, blocks: float) -> tuple[Floats, Floats, Floats]:
    """(error of the mean, ratio of the sd, weight) at nodes of their distributions."""
    y, weight = np.polynomial.hermite_e.hermegauss(_NODES)
    shift = y / math.sqrt(panes)
    free = FREE_SHARE * blocks
    ratio = np.ones(1) if math.isinf(free) else np.sqrt(special.chdtri(free, 1.0 - _middles(_NODES)) / free)
    grid = np.meshgrid(shift, ratio, indexing="ij")
    weights = np.outer(weight / weight.sum(), np.full(len(ratio), 1.0 / len(ratio)))
    return grid[0].ravel(), grid[1].ravel(), weights.ravel()


def _middles(count: int) -> Floats:
    return (np.arange(count) + 0.5) / count


def _rate(slack: float, limit: float, errors: tuple[Floats, Floats, Floats]) -> float:
    shift, ratio, weight = errors
    # Both sides: the errors of the mean are symmetric, so twice one side.
    return float(2.0 * (weight * np.exp(-_log_run(slack * ratio, limit * ratio, shift))).sum())


def _log_run(slack: Floats, limit: Floats, shift: Floats) -> Floats:
    """log of Siegmund's run length of one side: (exp(-2 D b) + 2 D b - 1) / 2 D**2, D = shift - slack, b = limit + 1.166."""
    tilt, barrier = shift - slack, limit + _OVERSHOOT
    level = np.abs(tilt) < 1e-6
    tilt = np.where(level, 1.0, tilt)
    way = -2.0 * tilt * barrier
    # exp(way) - way - 1 without overflow for large ways and without cancellation for negative ones.
    large = way > 30.0
    log_sum = np.where(large, way, np.log(np.expm1(np.where(large, 1.0, way)) - np.where(large, 1.0, way)))
    found: Floats = np.where(level, 2.0 * np.log(barrier), log_sum - np.log(2.0 * tilt * tilt))
    return found
