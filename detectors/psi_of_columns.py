"""PSI in the convention ``driftline`` (see :mod:`detectors.psi`) of many columns at once, from counts already folded.

The same numbers as ``driftline_numeric`` and ``driftline_categorical``, a column at a time, up to the order of a sum.
"""

from __future__ import annotations

import numpy as np

from detectors.segments import Floats, Ints, spread, totals


def driftline(reference: Ints, current: Ints, starts: Ints) -> tuple[Floats, Ints]:
    """(PSI, bins in use) of each column; the reference of every column holds at least one row.

    Half a count is added to each bin that holds a row on either side; other bins take no part.

    >>> found, bins = driftline(np.array([10, 10, 5, 0]), np.array([10, 10, 0, 0]), np.array([0, 2]))
    >>> found.round(12).tolist(), bins.tolist()
    ([0.0, 0.0], [2, 1])
    """
    used = (reference > 0) | (current > 0)
    bins = totals(used.astype(np.int64), starts)
    then, now = (_shares(side, bins, starts=starts) for side in (reference, current))
    return totals(np.where(used, (now - then) * np.log(now / then), 0.0), starts), bins


def expected(bins: Ints, n: Ints, m: Ints) -> Floats:
    """The value to expect with no drift, rows independent: (bins - 1)(1/n + 1/m), n and m the rows of both sides.

    >>> expected(np.array([11]), np.array([1000]), np.array([1000])).tolist()
    [0.02]
    """
    found: Floats = (bins - 1) * (1.0 / np.maximum(n, 1) + 1.0 / np.maximum(m, 1))
    return found


def _shares(counts: Ints, bins: Ints, *, starts: Ints) -> Floats:
    rows = totals(counts, starts) + 0.5 * bins
    found: Floats = (counts + 0.5) / spread(rows, starts, len(counts))
    return found
