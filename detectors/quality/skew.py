"""Serving against the feature store: the values of one feature that a model was given beside those that the store says.

Both sides are counted over the same bins, and neither is *the* reference: what is asked is whether they are two samples of one
distribution, and how far apart they are.  PSI says how far, in the convention ``driftline``; by itself it is above 0.1 in three of
four windows of a hundred rows that are alike, so beyond its threshold a test of two samples is asked whether that is chance.

Rows without a value take no part: a store may send values only, where a model's requests say that there is none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors import psi_of_columns
from detectors.calibration.independent import named_p_value, ordered_p_value
from detectors.quality.verdict import LEAST_ROWS

Ints = NDArray[np.int64]

#: PSI between serving and store from which the two are not the same feature.
SKEW = 0.1
_START = np.zeros(1, np.int64)


@dataclass(frozen=True, slots=True)
class Skew:
    """``value`` is PSI, ``expected`` that of two samples that are alike; ``p`` is known where it is above the threshold."""

    value: float
    expected: float
    threshold: float
    p: float | None = None
    exceeded: bool = False


def skew(served: Ints, stored: Ints, *, ordered: bool, threshold: float = SKEW, level: float) -> Skew | None:
    """How far apart two (bins,) counts of values are; None where a side has fewer than a hundred.

    It is exceeded above the threshold where that is no chance either (``level``, of independent rows).

    :param ordered: the bins have an order (numbers); names have none.

    >>> counts = np.array([60, 40]), np.array([40, 60])
    >>> found = skew(*counts, ordered=False, level=0.01)
    >>> round(found.value, 4), found.expected, round(found.p, 4), found.exceeded
    (0.1589, 0.02, 0.0047, True)
    >>> skew(*counts, ordered=False, level=0.001).exceeded
    False
    """
    n, m = int(served.sum()), int(stored.sum())
    if min(n, m) < LEAST_ROWS:
        return None
    psi, bins = psi_of_columns.driftline(stored, served, _START)
    value = float(psi[0])
    expected = float(psi_of_columns.expected(bins, np.array([n]), np.array([m]))[0])
    if value <= threshold:
        return Skew(value, expected, threshold)
    p = (ordered_p_value if ordered else named_p_value)(stored, served)
    return Skew(value, expected, threshold, p, p is not None and p < level)
