"""Numbers of rows, a tuple each, as a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def matrix(rows: Sequence[tuple[Any, ...]], columns: int) -> Floats:
    """Row tuples of numbers as a (rows × columns) matrix; short rows are filled up with missing values.

    >>> matrix([(1, None), (2.5,)], 2).tolist()
    [[1.0, nan], [2.5, nan]]
    """
    try:
        # Where rows are short this comes to an end too early, and says so.
        return np.fromiter(chain.from_iterable(rows), np.float64, len(rows) * columns).reshape(len(rows), columns)
    except ValueError:
        found = np.full((len(rows), columns), np.nan)
        found[_filled(rows, columns)] = np.fromiter(chain.from_iterable(rows), np.float64)
        return found


def _filled(rows: Sequence[tuple[Any, ...]], columns: int) -> Bools:
    """Which places of (rows × columns) have a value."""
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    filled: Bools = np.arange(columns) < lengths[:, None]
    return filled
