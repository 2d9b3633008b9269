"""The drift test where rows are independent of each other on both sides: no design effect, so no panes to learn one from.

The same two questions as :mod:`detectors.calibration.judge`, of two samples: do the shares of the bins differ (X², rows without a
value a bin of their own), and did the middle move (mid-rank normal scores, where bins have an order).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from detectors.calibration.folding import LEAST, folded, named_groups, ordered_groups
from detectors.calibration.judge import cauchy
from detectors.calibration.location import normal_scores
from detectors.distances import tables

#: So few folded bins a handful of values can fill as evenly as rows that are alike.
_FEW = 3

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def ordered_p_value(reference: Ints, current: Ints, *, missing: tuple[int, int] = (0, 0)) -> float | None:
    """P(two samples at least so different by chance) of a numeric feature's (bins,) counts; None of too few rows.

    >>> ordered_p_value(np.array([50, 50, 50, 50]), np.array([20, 40, 60, 80])) < 1e-5
    True
    >>> ordered_p_value(np.array([3, 0]), np.array([0, 3])) is None
    True
    """
    groups = ordered_groups(_shares(reference + current), _least(reference, current))
    then, now = (folded(side, groups) for side in (reference, current))
    omnibus = _omnibus(np.append(then, missing[0]), np.append(now, missing[1]))
    if np.count_nonzero(then + now) < 2:
        return _together(omnibus, _crowded_out(reference, current))
    return _or_within(_together(omnibus, _location(then, now)), reference, current, groups=groups)


def named_p_value(reference: Ints, current: Ints, *, missing: tuple[int, int] = (0, 0)) -> float | None:
    """The same of a categorical feature, whose names have no order: the sum of squares alone.

    >>> round(named_p_value(np.array([60, 40]), np.array([40, 60])), 6)
    0.004678
    """
    then, now = np.append(reference, missing[0]), np.append(current, missing[1])
    groups = named_groups(_shares(then + now), _least(then, now))
    omnibus = _omnibus(folded(then, groups), folded(now, groups))
    if not groups.any():
        return _together(omnibus, _crowded_out(then, now))
    rare = _shares(then + now) * _least(then, now) < LEAST
    mixed = np.isin(groups[rare], groups[~rare]).any()
    return _or_within(omnibus, then, now, groups=groups) if mixed else omnibus


def _or_within(p: float | None, then: Ints, now: Ints, *, groups: Ints) -> float | None:
    """Where bins that hold rows were folded into two or three, the surest single bin is asked too: the lesser p-value counts twice.

    Ten rows of which five lie below all of the other sample and five above fill two folded bins as evenly as ten that are alike.
    """
    mixed = groups.max() < _FEW and folded(then + now > 0, groups).max() > 1.0
    within = _crowded_out(then, now) if mixed else None
    return p if p is None or within is None else min(1.0, 2.0 * min(p, within))


def _together(omnibus: float | None, second: float | None) -> float | None:
    if omnibus is None or second is None:
        return omnibus
    return float(cauchy(np.array([omnibus]), np.array([second]))[0])


def _omnibus(then: Floats, now: Floats) -> float | None:
    """X² of the bins that expect five rows of both samples; 1 where all rows are in one bin, however many."""
    kept = (then + now) * min(then.sum(), now.sum()) >= LEAST * (then.sum() + now.sum())
    if np.count_nonzero(then + now) == 1 and min(then.sum(), now.sum()) >= 2 * LEAST:
        return 1.0
    if np.count_nonzero(kept) < 2:
        return None
    statistic, freedom = tables.contingency(then[kept].astype(np.int64), now[kept].astype(np.int64))
    return tables.p_of_chi_squared(statistic, freedom)


def _crowded_out(then: Ints, now: Ints) -> float | None:
    """Where all rows fold into one bin, though of several: the surest bin's own p-value, times their number.

    So many rows lie on one side that whatever fills the other is rare in both together.  Exact: the chance that the smaller sample
    has so many of a bin's rows.  None where there is one value, or too few rows.

    >>> bool(_crowded_out(np.array([250, 250, 0]), np.array([0, 0, 1_000_000])) < 1e-100)
    True
    >>> round(_crowded_out(np.array([498, 1, 1, 0]), np.array([999_000, 300, 300, 400])), 3)
    0.559
    """
    small, both = min(then, now, key=np.sum), then + now
    if np.count_nonzero(both) < 2 or small.sum() < 2 * LEAST:
        return None
    rows = int(both.sum()), int(small.sum())
    most = int(np.argmax(small - both * (rows[1] / rows[0])))
    surest = float(stats.hypergeom.sf(int(small[most]) - 1, rows[0], int(both[most]), rows[1]))
    return min(1.0, surest * int(np.count_nonzero(both)))


def _location(then: Floats, now: Floats) -> float | None:
    """Two-sided p-value of the difference of mean scores; None without two bins or without rows on a side."""
    n, m = float(then.sum()), float(now.sum())
    if len(then) < 2 or min(n, m) < 2 * LEAST:
        return None
    scores = normal_scores(_shares(then + now))
    return tables.p_of_z(float((now / m - then / n) @ scores) / math.sqrt(1.0 / n + 1.0 / m))


def _least(reference: Ints, current: Ints) -> float:
    """Rows of the smaller sample: what expects five of those expects five of the other."""
    return float(min(reference.sum(), current.sum()))


def _shares(both: Ints | Floats) -> Floats:
    found: Floats = both / max(float(both.sum()), 1.0)
    return found
