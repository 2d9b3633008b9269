"""``whylabs``: the WhyLabs platform's distances (whylabs-oss), and KS and chi-squared of whylogs 1.6.4.

Both packages count in sketches that are exact for short samples and off by about 0.3 % of rank for long ones; here the counts
are exact, so a long sample's number is what the sketch stands for.

Distances: 31 cells at minimum + i (maximum - minimum) / 30 over both samples, the first of them always empty; shares within
[1e-7 as a 4-byte float, 1] in PSI and KL. KS: the largest difference at the 100 quantiles of both sides, shares strictly
below. Chi-squared: expected counts cut to whole numbers; a name of which none is expected makes p 0.
"""

from __future__ import annotations

import math
import sys

import numpy as np
from scipy import stats

from detectors.conventions.method import Convention, Found, OfNames, OfNumbers
from detectors.conventions.pair import CountedPair, NamesPair, NumericPair
from detectors.distances import divergences, tables
from detectors.edges import Floats
from detectors.psi import psi

CELLS, QUANTILES = 30, 100
LEAST = float(np.float32(1e-07))


def _shares(pair: CountedPair) -> tuple[Floats, Floats]:
    if isinstance(pair, NamesPair):
        then, now = (divergences.shares(side) for side in pair.union)
        return then, now
    reference, current = _rows(pair)
    low, high = min(reference.min(), current.min()), max(reference.max(), current.max())
    edges = low + np.arange(CELLS) * max((high - low) / CELLS, sys.float_info.epsilon)
    cells = (
        np.bincount(np.searchsorted(edges, side, side="right"), minlength=CELLS + 1) for side in (reference, current)
    )
    then, now = (divergences.shares(side) for side in cells)
    return then, now


def _clipped(pair: CountedPair) -> tuple[Floats, Floats]:
    then, now = (np.clip(side, LEAST, 1.0) for side in _shares(pair))
    return then, now


def _psi(pair: CountedPair) -> Found:
    return Found(psi(*_clipped(pair)))


def _kl(pair: CountedPair) -> Found:
    return Found(divergences.kl(*_clipped(pair)))


def _js(pair: CountedPair) -> Found:
    return Found(divergences.jensen_shannon(*_shares(pair)))


def _hellinger(pair: CountedPair) -> Found:
    return Found(divergences.hellinger(*_shares(pair)))


def _ks(pair: NumericPair) -> Found:
    sides = [np.sort(side) for side in _rows(pair)]
    at = np.concatenate([_quantiles(side) for side in sides])
    below = (np.searchsorted(side, at, side="left") / side.size for side in sides)
    value = float(np.abs(np.subtract(*below)).max())
    effective = round(pair.n_reference * pair.n_current / (pair.n_reference + pair.n_current))
    if effective == 0:
        return Found(None, reason="one row on each side is too few")
    return Found(value, float(stats.kstwo.sf(value, effective)))


def _quantiles(ordered: Floats) -> Floats:
    """Values of the sample at 100 equal steps of rank, the least and the greatest included."""
    ranks = np.floor(np.linspace(0.0, 1.0, QUANTILES) * ordered.size).astype(np.int64)
    return ordered[np.minimum(ranks, ordered.size - 1)]


def _chi2(pair: NamesPair) -> Found:
    """Shares are of all rows, with and without a name."""
    then, now = pair.union
    totals = pair.n_reference + pair.profile.missing, pair.n_current + pair.missing
    expected: Floats = np.floor(then / totals[0] * totals[1])
    freedom = max(1, int(np.count_nonzero(now)) - 1)
    if (expected == 0.0).any():
        return Found(None, 0.0, reason="infinite: a name of which no row is expected")
    statistic = tables.goodness_of_fit(now, expected)
    return Found(statistic, 0.0 if math.isinf(statistic) else tables.p_of_chi_squared(statistic, freedom))


def _rows(pair: NumericPair) -> tuple[Floats, Floats]:
    assert pair.rows is not None
    return pair.rows


WHYLABS = Convention(
    name="whylabs",
    source="whylabs-oss 151d158, Distance.java, without its sketches; KS and chi2: whylogs 1.6.4, whylogs.viz.drift",
    numeric={
        "psi": OfNumbers(_psi),
        "kl": OfNumbers(_kl),
        "js": OfNumbers(_js),
        "hellinger": OfNumbers(_hellinger),
        "ks": OfNumbers(_ks),
    },
    categorical={
        "psi": OfNames(_psi),
        "kl": OfNames(_kl),
        "js": OfNames(_js),
        "hellinger": OfNames(_hellinger),
        "chi2": OfNames(_chi2),
    },
)
