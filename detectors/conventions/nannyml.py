"""``nannyml``: what the univariate methods of NannyML 0.13.1 return by default, the whole current sample as one chunk.

Numeric columns in Doane's bins of the reference, whatever lies outside them in one bin more; names in the reference's, new
ones in one bin more. Below 10 000 rows of reference KS and Wasserstein are those of the rows; from there on those of 10 000
equal widths.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from detectors.conventions.method import Convention, Found, OfNames, OfNumbers
from detectors.conventions.pair import CountedPair, NamesPair, NumericPair
from detectors.distances import divergences, rows, tables
from detectors.edges import Floats

#: Rows of reference from which KS and Wasserstein are of bins, and how many of those.
MANY_ROWS, WIDTHS = 10_000, 10_000


def _numeric_shares(pair: NumericPair) -> tuple[Floats, Floats]:
    reference, current = _rows(pair)
    edges = np.histogram_bin_edges(reference, bins="doane")
    then, now = (np.histogram(side, bins=edges)[0] / side.size for side in (reference, current))
    return _with_leftover(then, now)


def _name_shares(pair: NamesPair) -> tuple[Floats, Floats]:
    then, now = (divergences.shares(side) for side in pair.union)
    known = then > 0
    return _with_leftover(then[known], now[known])


def _with_leftover(then: Floats, now: Floats) -> tuple[Floats, Floats]:
    """What the shares lack of 1 is a bin more, and be it rounding."""
    leftover = 1.0 - float(now.sum())
    return (np.append(then, 0.0), np.append(now, leftover)) if leftover > 0.0 else (then, now)


def _shares(pair: CountedPair) -> tuple[Floats, Floats]:
    return _numeric_shares(pair) if isinstance(pair, NumericPair) else _name_shares(pair)


def _js(pair: CountedPair) -> Found:
    return Found(divergences.jensen_shannon(*_shares(pair), base=2))


def _hellinger(pair: CountedPair) -> Found:
    return Found(divergences.hellinger(*_shares(pair)))


def _linf(pair: NamesPair) -> Found:
    return Found(divergences.l_infinity(*(divergences.shares(side) for side in pair.union)))


def _chi2(pair: NamesPair) -> Found:
    statistic, freedom = tables.contingency_yates(*pair.union)
    return Found(statistic, tables.p_of_chi_squared(statistic, freedom))


def _ks(pair: NumericPair) -> Found:
    return Found(_by_size(pair, rows.kolmogorov_smirnov_distance, _ks_of_widths))


def _wasserstein(pair: NumericPair) -> Found:
    return Found(_by_size(pair, rows.wasserstein, _wasserstein_of_widths))


def _by_size(
    pair: NumericPair, few: Callable[[Floats, Floats], float], many: Callable[[Floats, Floats], float]
) -> float:
    reference, current = _rows(pair)
    return (few if reference.size < MANY_ROWS else many)(reference, current)


def _ks_of_widths(reference: Floats, current: Floats) -> float:
    edges = np.linspace(reference.min(), reference.max(), WIDTHS + 1)
    then, now = (np.cumsum(np.histogram(side, edges)[0] / side.size) for side in (reference, current))
    below = np.count_nonzero(current < edges[0]) / current.size
    return float(np.abs(then - (below + now)).max())


def _wasserstein_of_widths(reference: Floats, current: Floats) -> float:
    """Beyond the reference's range the exact area; there, one row too many is counted on a side that has any."""
    counts, edges = np.histogram(reference, bins=WIDTHS)
    low, high = edges[0], edges[-1]
    smaller, below = _tail(low - current[current < low], current.size)
    bigger, _ = _tail(current[current > high] - high, current.size)
    then = np.cumsum(counts / reference.size)
    now = np.cumsum(np.histogram(current, bins=edges)[0] / current.size) + below
    return float(np.abs(then - now).sum() * (edges[1] - edges[0])) + smaller + bigger


def _tail(beyond: Floats, size: int) -> tuple[float, float]:
    """(area, share) of the values beyond one end, by how far beyond; the end itself is counted as one of them."""
    return (float(beyond.sum()) / size, (beyond.size + 1) / size) if beyond.size else (0.0, 0.0)


def _rows(pair: NumericPair) -> tuple[Floats, Floats]:
    assert pair.rows is not None
    return pair.rows


NANNYML = Convention(
    name="nannyml",
    source="NannyML 0.13.1, nannyml.drift.univariate.methods",
    numeric={
        "js": OfNumbers(_js),
        "hellinger": OfNumbers(_hellinger),
        "wasserstein": OfNumbers(_wasserstein),
        "ks": OfNumbers(_ks),
    },
    categorical={
        "js": OfNames(_js),
        "hellinger": OfNames(_hellinger),
        "linf": OfNames(_linf),
        "chi2": OfNames(_chi2),
    },
)
