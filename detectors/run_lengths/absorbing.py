"""How many steps a Markov chain takes until it is absorbed, to full precision however long that is.

I - A is singular in double precision once absorption is rarer than one step in 1e15.  Elimination in the manner of Grassmann,
Taksar and Heyman (1985) never subtracts: a pivot is the sum of the ways out of a state, not 1 less the way back, so every digit of
a run of 1e30 steps is as good as the kernel's own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def steps_to_absorption(moves: Floats, exits: Floats) -> Floats:
    """Expected steps from each state; the absorbing step counts.

    :param moves: (n, n) chance of each move between the states that stay; the diagonal is not read.
    :param exits: (n,) chance of absorption from each; where it is 0 in all of them, the runs are infinite.

    >>> steps_to_absorption(np.array([[0.0, 0.5], [0.5, 0.0]]), np.array([0.5, 0.0])).tolist()
    [4.0, 6.0]
    >>> float(steps_to_absorption(np.zeros((1, 1)), np.array([0.0009765625]))[0])
    1024.0
    """
    moves, exits, steps = moves.copy(), exits.copy(), np.ones(len(exits))
    pivots = np.empty(len(exits))
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        for last in range(len(exits) - 1, -1, -1):
            pivots[last] = exits[last] + moves[last, :last].sum()
            way = moves[:last, last] / pivots[last]
            moves[:last, :last] += np.outer(way, moves[last, :last])
            exits[:last] += way * exits[last]
            steps[:last] += way * steps[last]
        return _forward(moves, pivots, steps)


def _forward(moves: Floats, pivots: Floats, steps: Floats) -> Floats:
    runs = np.empty(len(steps))
    for at in range(len(steps)):
        runs[at] = (steps[at] + moves[at, :at] @ runs[:at]) / pivots[at]
    # 0 / 0 and 0 x inf: absorption so rare that its chance is 0 to a float.
    return np.where(np.isnan(runs), np.inf, runs)
