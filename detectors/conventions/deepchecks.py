"""``deepchecks``: what the drift functions of deepchecks 0.19.1 return by default.

PSI: shares of at least 0.01.  Cramér's V: the longer sample cut down to the shorter one's size and rounded, Bergsma's correction.
KS: D alone.  Wasserstein: each sample without its own lowest and highest 2.5 %, both scaled to [0, 1] by what is left of them.
"""

from __future__ import annotations

import numpy as np

from detectors.conventions.method import Convention, Found, OfNames, OfNumbers
from detectors.conventions.pair import NamesPair, NumericPair
from detectors.distances import divergences, rows, tables
from detectors.edges import Floats
from detectors.psi import psi

LEAST_SHARE, MARGIN = 0.01, 0.025


def _psi(pair: NamesPair) -> Found:
    then, now = (np.maximum(divergences.shares(side), LEAST_SHARE) for side in pair.union)
    return Found(psi(then, now))


def _cramers_v(pair: NamesPair) -> Found:
    if len(pair.names) == 1:
        return Found(0.0)
    shorter = min(pair.n_reference, pair.n_current)
    then, now = (np.round(side * (shorter / side.sum())).astype(np.int64) for side in pair.union)
    statistic, freedom = tables.contingency_yates(then, now)
    value = tables.cramers_v_corrected(statistic, int(then.sum() + now.sum()), freedom + 1)
    return Found(value, reason="" if value is not None else "one name is left after rounding")


def _ks(pair: NumericPair) -> Found:
    return Found(rows.kolmogorov_smirnov_distance(*_rows(pair)))


def _wasserstein(pair: NumericPair) -> Found:
    reference, current = (_without_margins(side) for side in _rows(pair))
    low, high = min(reference.min(), current.min()), max(reference.max(), current.max())
    if high == low:
        return Found(0.0)
    return Found(rows.wasserstein((reference - low) / (high - low), (current - low) / (high - low)))


def _without_margins(values: Floats) -> Floats:
    low, high = np.quantile(values, [MARGIN, 1 - MARGIN])
    found: Floats = values[(values >= low) & (values <= high)]
    return found


def _rows(pair: NumericPair) -> tuple[Floats, Floats]:
    assert pair.rows is not None
    return pair.rows


DEEPCHECKS = Convention(
    name="deepchecks",
    source="deepchecks 0.19.1, deepchecks.utils.distribution.drift",
    numeric={"wasserstein": OfNumbers(_wasserstein), "ks": OfNumbers(_ks)},
    categorical={"psi": OfNames(_psi), "cramers_v": OfNames(_cramers_v)},
)
