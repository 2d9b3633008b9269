"""Sums over columns that lie behind one another in one vector, so that a judgement of twenty columns is one pass of numpy.

``starts`` holds where each column begins, strictly rising from 0; every column has at least one entry.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Number = TypeVar("Number", np.float64, np.int64)


def totals(values: NDArray[Number], starts: Ints) -> NDArray[Number]:
    """The sum of each column.

    >>> totals(np.array([1, 2, 3]), np.array([0, 1])).tolist()
    [1, 5]
    """
    if not len(starts):
        return values[:0]
    found: NDArray[Number] = np.add.reduceat(values, starts)
    return found


def spread(values: NDArray[Number], starts: Ints, length: int) -> NDArray[Number]:
    """A value a column, repeated for each of the column's entries.

    >>> spread(np.array([7, 8]), np.array([0, 1]), 3).tolist()
    [7, 8, 8]
    """
    lengths = np.empty(len(starts), np.int64)
    np.subtract(starts[1:], starts[:-1], out=lengths[:-1])
    lengths[-1:] = length - starts[-1:]
    return np.repeat(values, lengths)
