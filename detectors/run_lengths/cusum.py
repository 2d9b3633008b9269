"""Average run lengths of CUSUM charts of independent N(shift, 1) values, by integral equation.

Update, then compare with ``>``; the alarming value counts.  Page's equation for one side has an atom at 0 and a density on (0, h]
(Lucas and Crosier, 1982); both sides together run 1/L = 1/L+ + 1/L- (Kemp, 1971), exact for equal limits.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from detectors.run_lengths.absorbing import steps_to_absorption
from detectors.run_lengths.nodes import Floats, nodes


def one_sided(slack: float, limit: float, shift: float = 0.0, *, head_start: float = 0.0) -> float:
    """Mean number of values until S = max(0, S + x - slack) exceeds ``limit``; S begins at ``head_start``.

    >>> round(one_sided(0.5, 4.0), 4)
    335.3676
    """
    if not 0.0 <= head_start <= limit:
        raise ValueError(f"head_start {head_start} is not between 0 and the limit {limit}")
    return float(_runs(slack, limit, shift, begins=(head_start,))[0])


def two_sided(slack: float, limit: float, shift: float = 0.0, *, head_start: float = 0.0) -> float:
    """The same of S+ and S- together, both from ``head_start``, at most half the limit.

    Up to there a side that alarms finds the other at 0, and the runs of the sides determine the run of both.

    >>> round(two_sided(0.5, 5.0), 4), round(two_sided(0.5, 5.0, 1.0, head_start=2.5), 3)
    (465.4435, 6.347)
    """
    if not 0.0 <= head_start <= limit / 2.0:
        raise ValueError(f"head_start {head_start} is not between 0 and half the limit, {limit / 2.0}")
    up, early_up = _runs(slack, limit, shift, begins=(0.0, head_start))
    down, early_down = _runs(slack, limit, -shift, begins=(0.0, head_start))
    return _together(float(up), float(down), early=(float(early_up), float(early_down)))


def _together(up: float, down: float, *, early: tuple[float, float]) -> float:
    """(u D + v U - U D) / (U + D), u and v from the head start, written so that no product overflows."""
    if math.isinf(down) or math.isinf(up):
        return early[0] if math.isinf(down) else early[1]
    share = up / (up + down)
    return early[0] * (1.0 - share) + (early[1] - down) * share


def _runs(slack: float, limit: float, shift: float, *, begins: tuple[float, ...]) -> Floats:
    """Runs from each beginning: these are states of the chain, to which nothing returns but 0."""
    if limit <= 0.0:
        raise ValueError(f"limit {limit} is not positive")
    x, w = nodes(0.0, limit, sd=1.0)
    z = np.concatenate([[0.0], x, begins])
    drift = shift - slack
    moves = np.zeros((len(z), len(z)))
    moves[:, 0] = special.ndtr(-z - drift)
    moves[:, 1 : len(x) + 1] = w * _density(x[None, :] - z[:, None] - drift)
    return steps_to_absorption(moves, special.ndtr(z + drift - limit))[len(x) + 1 :]


def _density(x: Floats) -> Floats:
    found: Floats = np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi)
    return found
