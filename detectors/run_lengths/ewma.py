"""Average run lengths of EWMA charts of independent N(shift, 1) values, by integral equation (Crowder, 1987).

z <- (1 - weight) z + weight x, then an alarm where it lies beyond its limit; the alarming value counts.  The limit is
width sqrt(weight / (2 - weight)), the asymptotic one, or grows towards that as the variance of z does (time-varying): the two
give different runs, so each has a name.  One-sided: z is held at its start where it would fall below (reflected).
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from detectors.run_lengths.absorbing import steps_to_absorption
from detectors.run_lengths.nodes import ENOUGH, Floats, nodes

#: Time-varying limits count as arrived where their square lacks this share of the asymptotic one's (ten digits of a run),
#: and nobody is left to count where no more than this share of charts still runs.
_ARRIVED, _NOBODY = 1e-10, 1e-15


def two_sided(weight: float, width: float, shift: float = 0.0, *, head_start: float = 0.0) -> float:
    """Mean number of values until \\|z\\| exceeds the asymptotic limit; z begins at ``head_start``, in sd of x.

    >>> round(two_sided(0.1, 2.814), 4), round(two_sided(0.1, 2.814, 1.0), 4)
    (499.5796, 10.3307)
    """
    limit = limit_of(weight, width)
    if not -limit <= head_start <= limit:
        raise ValueError(f"head_start {head_start} is beyond the limit {limit}")
    x, w = nodes(-limit, limit, sd=weight)
    return float(_runs(x, w, np.array([head_start]), weight=weight, limit=limit, shift=shift)[0])


def one_sided(weight: float, width: float, shift: float = 0.0, *, head_start: float = 0.0) -> float:
    """Mean number of values until z, which never falls below 0, exceeds the asymptotic limit.

    >>> round(one_sided(1.0, 3.0), 2)  # a Shewhart chart: 1 / P(x > 3)
    740.8
    """
    limit = limit_of(weight, width)
    if not 0.0 <= head_start <= limit:
        raise ValueError(f"head_start {head_start} is not between 0 and the limit {limit}")
    x, w = nodes(0.0, limit, sd=weight)
    z = np.concatenate([[0.0], x, [head_start]])
    moves = np.zeros((len(z), len(z)))
    moves[:, 0] = special.ndtr(-(1.0 - weight) * z / weight - shift)
    moves[:, 1:-1] = w * _kernel(z, x, weight=weight, shift=shift)
    exits = special.ndtr(((1.0 - weight) * z - limit) / weight + shift)
    return float(steps_to_absorption(moves, exits)[-1])


def time_varying(weight: float, width: float, shift: float = 0.0) -> float:
    """Mean number of values until \\|z\\|, from 0, exceeds the limit of its age: width times the sd of z then.

    >>> round(time_varying(1.0, 3.0), 2)
    370.4
    """
    limit = limit_of(weight, width)
    end, w_end = nodes(-limit, limit, sd=weight)
    before, mass, total, age = np.zeros(1), np.ones(1), 1.0, 1
    while (lacks := (1.0 - weight) ** (2 * age)) > _ARRIVED and mass.sum() > _NOBODY:
        now = limit * math.sqrt(1.0 - lacks)
        x, w = nodes(-now, now, sd=weight, density=ENOUGH)
        mass = w * (mass @ _kernel(before, x, weight=weight, shift=shift))
        before, total, age = x, total + float(mass.sum()), age + 1
    runs = _runs(end, w_end, before, weight=weight, limit=limit, shift=shift)
    return total - float(mass.sum()) + float(mass @ runs)


def limit_of(weight: float, width: float) -> float:
    """The asymptotic limit, in sd of x.

    >>> round(limit_of(0.1, 2.814), 12)
    0.645575875112
    """
    if not 0.0 < weight <= 1.0:
        raise ValueError(f"weight {weight} is not above 0 and at most 1")
    if width <= 0.0:
        raise ValueError(f"width {width} is not positive")
    return width * math.sqrt(weight / (2.0 - weight))


def _runs(x: Floats, w: Floats, begins: Floats, *, weight: float, limit: float, shift: float) -> Floats:
    """Runs from each beginning, for a chart that stays within +-limit."""
    z = np.concatenate([x, begins])
    moves = np.zeros((len(z), len(z)))
    moves[:, : len(x)] = w * _kernel(z, x, weight=weight, shift=shift)
    over = special.ndtr(((1.0 - weight) * z - limit) / weight + shift)
    under = special.ndtr((-limit - (1.0 - weight) * z) / weight - shift)
    return steps_to_absorption(moves, over + under)[len(x) :]


def _kernel(z: Floats, x: Floats, *, weight: float, shift: float) -> Floats:
    """(len(z), len(x)) density of the next value at each x, from each z."""
    at = (x[None, :] - (1.0 - weight) * z[:, None]) / weight - shift
    found: Floats = np.exp(-0.5 * at * at) / (weight * math.sqrt(2.0 * math.pi))
    return found
