"""Could the mean of so many values lie so far below a limit by chance?  Student's t, one-sided."""

from __future__ import annotations

import math

from scipy import special


def mean_below(n: float, total: float, *, squares: float, limit: float) -> float:
    """The p-value of a mean of ``n`` (more than one) values below ``limit``: small where it surely is.

    Sums of values that come in clumps are divided by how many count as one, ``n`` too.

    :param squares: the sum of the values' squares.

    >>> round(mean_below(30, 90.0, squares=300.0, limit=3.5), 4), mean_below(30, 105.0, squares=400.0, limit=3.5)
    (0.0058, 0.5)
    >>> mean_below(30, 90.0, squares=270.0, limit=3.5), mean_below(30, 120.0, squares=480.0, limit=3.5)
    (0.0, 1.0)
    """
    mean = total / n
    variance = max(0.0, (squares - n * mean * mean) / (n - 1))
    if not variance:  # all alike
        return 0.0 if mean < limit else 1.0
    return float(special.stdtr(n - 1, (mean - limit) / math.sqrt(variance / n)))
