"""``frouros``: what the batch detectors of Frouros 0.9.0 return by default.

PSI and Hellinger in ten equal widths over both samples, an empty bin's share the least float (so it adds about p x 708 to the
PSI). KL and JS in nine: each sample is first a histogram of its own, with as many bins as numpy's ``auto`` takes, and spread
evenly within those.
"""

from __future__ import annotations

import math
import sys

import numpy as np

from detectors.conventions.method import Convention, Found, OfNames, OfNumbers
from detectors.conventions.pair import NamesPair, NumericPair
from detectors.distances import divergences, rows, tables
from detectors.distances.kernel import unbiased, unsuitable
from detectors.edges import Floats
from detectors.psi import psi

WIDTHS = 10
#: Bins beyond which numpy's own choice, for a column with far outliers, is not made.
MOST_BINS = 1_000_000


def _shares(pair: NumericPair) -> tuple[Floats, Floats]:
    reference, current = _rows(pair)
    edges = np.histogram_bin_edges(np.concatenate([reference, current]), bins=WIDTHS)
    then, now = (np.histogram(side, bins=edges)[0] / side.size for side in (reference, current))
    return then, now


def _psi(pair: NumericPair) -> Found:
    then, now = (np.where(share == 0.0, sys.float_info.min, share) for share in _shares(pair))
    return Found(psi(then, now))


def _hellinger(pair: NumericPair) -> Found:
    return Found(divergences.hellinger(*_shares(pair)))


def _smoothed(pair: NumericPair) -> tuple[Floats, Floats]:
    reference, current = _rows(pair)
    both = np.concatenate([reference, current])
    at = np.linspace(both.min(), both.max(), WIDTHS)
    return np.diff(_distribution(reference, at)), np.diff(_distribution(current, at))


def _distribution(values: Floats, at: Floats) -> Floats:
    """The distribution function of a sample's own histogram, straight within a bin."""
    bins = _automatic_bins(values)
    if bins > MOST_BINS:
        raise ValueError(f"numpy's automatic bins would be {bins:.6g}, more than {MOST_BINS}")
    counts, edges = np.histogram(values, bins=int(bins))
    found: Floats = np.interp(at, edges, np.concatenate([[0.0], np.cumsum(counts / counts.sum())]))
    return found


def _automatic_bins(values: Floats) -> float:
    """How many bins numpy's ``auto`` makes before 2.2, beyond which Frouros 0.9.0 takes none: Freedman and Diaconis, or Sturges."""
    span = float(values.max() - values.min())
    low, high = np.percentile(values, [25, 75])
    widths = 2.0 * float(high - low) / values.size ** (1.0 / 3.0), span / (math.log2(values.size) + 1.0)
    width = min(widths) if widths[0] else widths[1]
    return math.ceil(span / width) if width else 1


def _kl(pair: NumericPair) -> Found:
    then, now = _smoothed(pair)
    return Found(divergences.kl(now, then))


def _js(pair: NumericPair) -> Found:
    then, now = _smoothed(pair)
    if not then.sum() or not now.sum():
        return Found(None, reason="all values are one value")
    return Found(divergences.jensen_shannon(then, now))


def _wasserstein(pair: NumericPair) -> Found:
    return Found(rows.wasserstein(*_rows(pair)))


def _ks(pair: NumericPair) -> Found:
    return Found(*rows.kolmogorov_smirnov(*_rows(pair)))


def _cvm(pair: NumericPair) -> Found:
    found = rows.cramer_von_mises(*_rows(pair))
    return Found(None, reason="needs two rows on each side") if found is None else Found(*found)


def _mmd(pair: NumericPair) -> Found:
    refused = unsuitable(*_rows(pair))
    return Found(None, reason=refused) if refused else Found(unbiased(*_rows(pair), width=1.0))


def _chi2(pair: NamesPair) -> Found:
    statistic, freedom = tables.contingency_yates(*pair.union)
    return Found(statistic, tables.p_of_chi_squared(statistic, freedom))


def _rows(pair: NumericPair) -> tuple[Floats, Floats]:
    assert pair.rows is not None
    return pair.rows


FROUROS = Convention(
    name="frouros",
    source="Frouros 0.9.0, frouros.detectors.data_drift",
    numeric={
        "psi": OfNumbers(_psi),
        "kl": OfNumbers(_kl),
        "js": OfNumbers(_js),
        "hellinger": OfNumbers(_hellinger),
        "wasserstein": OfNumbers(_wasserstein),
        "ks": OfNumbers(_ks),
        "cvm": OfNumbers(_cvm),
        "mmd": OfNumbers(_mmd),
    },
    categorical={"chi2": OfNames(_chi2)},
)
