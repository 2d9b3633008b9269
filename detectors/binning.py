"""Bins of many values over many models' edges in one pass: a branchless bisection on padded edge tables.

Edges of every (model, column) are padded with +inf to a power of two, so one value costs log2 of that many gathers
whatever the number of models.  ``x >= edge`` goes right, as ``numpy.searchsorted(edges, x, side="right")``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def padded(edges: Sequence[Sequence[float]]) -> Floats:
    """Edge lists as the rows of one table, padded with +inf to a power of two with at least one pad each.

    >>> padded([[1.0, 2.0], [5.0]]).shape
    (2, 4)
    """
    longest = max((len(row) for row in edges), default=0)
    width = 1 << longest.bit_length()
    table = np.full((len(edges), width), np.inf)
    for at, row in enumerate(edges):
        table[at, : len(row)] = row
    return table


def bins(values: Floats, table: Floats, rows: Ints) -> Ints:
    """Bin of each value over the edges in its row of ``table``: how many edges are at or below it.

    ``values`` and ``rows`` have one shape; NaN falls in bin 0, +inf in the last real bin's index or beyond, so count
    non-finite values apart.  The definition that compiled counting is tested against.

    >>> bins(np.array([0.5, 1.0, 9.0]), padded([[1.0, 2.0]]), np.zeros(3, np.int64)).tolist()
    [0, 1, 2]
    """
    width = table.shape[1]
    flat = table.ravel()
    base = rows * width
    found = base.copy()
    step = width >> 1
    while step:
        found += step * (values >= flat.take(found + (step - 1)))
        step >>= 1
    result: Ints = found - base
    return result


def tree(edges: Sequence[float]) -> Floats:
    """Edges, padded with +inf, as a search tree: behind node n are 2n + 1 (below its edge) and 2n + 2.

    From the root down to where a node is missing, ``found - len(tree)`` edges are at or below a value; compared once a level.

    >>> tree([1.0, 2.0, 3.0]).tolist(), tree([5.0, 6.0]).tolist()
    ([2.0, 1.0, 3.0], [6.0, 5.0, inf])
    """
    depth = len(edges).bit_length()
    rising = np.full((1 << depth) - 1, np.inf)
    rising[: len(edges)] = edges
    levels = [rising[(1 << depth - level - 1) - 1 :: 1 << depth - level] for level in range(depth)]
    return np.concatenate([np.empty(0), *levels])
