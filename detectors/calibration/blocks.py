"""Blocks of panes of the reference: what a window would have held, had there been one then.

A block is as long as the window where the reference is long enough for twenty of them and more, else as long as leaves that many.
A day's rhythm is not cut: blocks of a day or more are whole days, where enough of these are left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Fewer non-empty blocks tell too little of how windows wander.
LEAST_BLOCKS = 20
_MOST_BLOCKS, _PANES_A_BLOCK = 50, 20


def block_length(panes: int, window: int, *, day: int | None = None) -> int:
    """Panes in a block, for a reference of ``panes`` and a window of as many; ``day``: panes in a day, where a day shows.

    >>> block_length(744, 24), block_length(744, 24, day=24), block_length(744, 168, day=24), block_length(100, 24)
    (20, 24, 24, 5)
    """
    wanted = min(max(panes // _PANES_A_BLOCK, LEAST_BLOCKS), _MOST_BLOCKS)
    length = max(1, min(window, panes // wanted))
    return length if day is None else _whole_days(length, day, panes=panes, window=window)


def _whole_days(length: int, day: int, *, panes: int, window: int) -> int:
    if window < day or panes // day < LEAST_BLOCKS:
        return length
    return max(day, length // day * day)


def sums(counts: Floats, length: int, *, step: int) -> Floats:
    """(blocks, ...) sums of ``length`` panes, beginning every ``step`` panes.

    >>> sums(np.array([[1.0], [2.0], [3.0], [4.0]]), 2, step=2).tolist()
    [[3.0], [7.0]]
    """
    total = np.concatenate([np.zeros((1, *counts.shape[1:])), np.cumsum(counts, axis=0)])
    starts = np.arange(0, len(counts) - length + 1, step)
    found: Floats = total[starts + length] - total[starts]
    return found
