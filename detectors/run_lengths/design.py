"""The limit that gives a chart a wanted run length without a change: the inverse of the integral equations.

A run grows with its limit, about as fast as its own exponential, so its logarithm is nearly straight in the limit and the root of
it is found in a few steps however long the run.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy import optimize

from detectors.run_lengths import cusum, ewma

#: A run beyond this is no promise that anybody can keep, and the chart that makes it hardly one.
LONGEST = 1e15


def cusum_limit(arl: float, slack: float, *, head_start: float = 0.0) -> float:
    """The limit of a two-sided CUSUM; ``head_start`` as a share of it, 0 to 0.5.

    >>> round(cusum_limit(500.0, 0.5), 4)
    5.0707
    """
    if slack < 0.0:
        raise ValueError(f"slack {slack} is negative")
    _share(head_start, most=0.5)
    return _limit(arl, lambda limit: cusum.two_sided(slack, limit, head_start=head_start * limit))


def cusum_limit_one_sided(arl: float, slack: float, *, head_start: float = 0.0) -> float:
    """The limit of a one-sided CUSUM; ``head_start`` as a share of it, 0 to 1."""
    if slack < 0.0:
        raise ValueError(f"slack {slack} is negative")
    _share(head_start, most=1.0)
    return _limit(arl, lambda limit: cusum.one_sided(slack, limit, head_start=head_start * limit))


def ewma_width(arl: float, weight: float) -> float:
    """The width, in sd of z, of a two-sided EWMA with asymptotic limits.

    >>> round(ewma_width(370.0, 0.1), 4)
    2.701
    """
    return _limit(arl, lambda width: ewma.two_sided(weight, width))


def ewma_width_one_sided(arl: float, weight: float) -> float:
    """The width of a one-sided EWMA with asymptotic limits."""
    return _limit(arl, lambda width: ewma.one_sided(weight, width))


def ewma_width_time_varying(arl: float, weight: float) -> float:
    """The width of a two-sided EWMA whose limits grow with its age."""
    return _limit(arl, lambda width: ewma.time_varying(weight, width))


def _share(head_start: float, *, most: float) -> None:
    if not 0.0 <= head_start <= most:
        raise ValueError(f"head_start {head_start} is not a share of the limit between 0 and {most}")


def _limit(arl: float, run_of: Callable[[float], float]) -> float:
    """The limit at which ``run_of`` is ``arl``; searched upwards, as short runs are cheap."""
    low, high = 1e-3, 1.0
    if not run_of(low) < arl <= LONGEST:
        raise ValueError(f"a run of {arl:g} values is not between {run_of(low):.4g} and {LONGEST:g}")
    while run_of(high) < arl:
        low, high = high, 1.5 * high
    return float(optimize.brentq(lambda at: math.log(run_of(at) / arl), low, high, xtol=1e-10, rtol=1e-12))
