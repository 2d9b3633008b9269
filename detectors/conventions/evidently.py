"""``evidently``: what the statistical tests of Evidently 0.7.23 return by default.

Bins of a numeric column: Sturges' equal widths over both samples together, so they move with every window; each value a bin
where the reference has at most 20 distinct ones. Zero shares become 1e-4, or a millionth of the least share above 0 where
that is at most 1e-4; shares are not brought back to a sum of 1. Rows without a value are dropped first, as its reports do.
"""

from __future__ import annotations

import math

import numpy as np

from detectors.conventions.method import Convention, Found, OfNames, OfNumbers
from detectors.conventions.pair import NamesPair, NumericPair
from detectors.distances import divergences, rows, tables
from detectors.distances.kernel import median_width, unbiased, unsuitable
from detectors.edges import Floats
from detectors.psi import psi
from detectors.segments import Ints

#: Up to so many distinct values in the reference, each is a bin.
FEW_VALUES = 20
FILL, RARE = 1e-4, 1e-4
#: Shuffles behind the p-value of the total variation distance, and the rows up to which they are made.
SHUFFLES, MOST_SHUFFLED = 1000, 100_000


def _counts(reference: Floats, current: Floats) -> tuple[Ints, Ints]:
    if len(np.unique(reference)) > FEW_VALUES:
        edges = np.histogram_bin_edges(np.concatenate([reference, current]), bins="sturges")
        return np.histogram(reference, edges)[0], np.histogram(current, edges)[0]
    return _value_counts(reference, current)


def _value_counts(reference: Floats, current: Floats) -> tuple[Ints, Ints]:
    values, codes = np.unique(np.concatenate([reference, current]), return_inverse=True)
    then, now = codes[: reference.size], codes[reference.size :]
    return np.bincount(then, minlength=len(values)), np.bincount(now, minlength=len(values))


def _filled(counts: Ints) -> Floats:
    found = divergences.shares(counts)
    least = float(found[found > 0].min())
    return np.where(found > 0, found, least / 1e6 if least <= RARE else FILL)


def _psi_of(then: Ints, now: Ints) -> Found:
    return Found(psi(_filled(then), _filled(now)))


def _kl_of(then: Ints, now: Ints) -> Found:
    p, q = _filled(then), _filled(now)
    return Found(divergences.kl(p / p.sum(), q / q.sum()))


def _js_of(then: Ints, now: Ints) -> Found:
    return Found(divergences.jensen_shannon(divergences.shares(then), divergences.shares(now)))


def _affinity_root(affinity: float) -> Found:
    return Found(math.sqrt(1.0 - min(1.0, max(0.0, affinity))))


def _hellinger_numeric(pair: NumericPair) -> Found:
    """Sturges' bins of the *distinct* values, densities with their mean width."""
    reference, current = _rows(pair)
    edges = np.histogram_bin_edges(np.unique(np.concatenate([reference, current])), bins="sturges")
    then, now = (np.histogram(side, edges, density=True)[0] for side in (reference, current))
    width = (edges[-1] - edges[0]) / (len(edges) - 1)
    return _affinity_root(float((np.sqrt(then * now) * width).sum()))


def _hellinger_names(pair: NamesPair) -> Found:
    then, now = (divergences.shares(side) for side in pair.union)
    return _affinity_root(float(np.sqrt(then * now).sum()))


def _tv(pair: NamesPair) -> Found:
    """The distance, and the p-value of 1 000 shuffles from numpy's old generator at seed 0."""
    value = divergences.total_variation(*(divergences.shares(side) for side in pair.union))
    if pair.rows is None or sum(map(len, pair.rows)) > MOST_SHUFFLED:
        return Found(value)
    drawn, everything = np.random.RandomState(0), np.concatenate(pair.rows)
    total = np.bincount(everything, minlength=len(pair.names))
    hits = 0
    for _ in range(SHUFFLES):
        then = np.bincount(drawn.permutation(everything)[: len(pair.rows[0])], minlength=len(pair.names))
        hits += value <= _tv_of(then, total - then)
    return Found(value, hits / SHUFFLES)


def _tv_of(then: Ints, now: Ints) -> float:
    return divergences.total_variation(divergences.shares(then), divergences.shares(now))


def _wasserstein(pair: NumericPair) -> Found:
    return Found(rows.wasserstein_normalised(*_rows(pair), least=0.001))


def _ks(pair: NumericPair) -> Found:
    return Found(*rows.kolmogorov_smirnov(*_rows(pair)))


def _cvm(pair: NumericPair) -> Found:
    found = rows.cramer_von_mises(*_rows(pair))
    return Found(None, reason="needs two rows on each side") if found is None else Found(*found)


def _chi2(pair: NamesPair) -> Found:
    """Goodness of fit to the reference's shares: a name that it has not makes p 0."""
    then, now = pair.union
    expected = np.asarray(then * (pair.n_current / pair.n_reference), dtype=np.float64)
    statistic = tables.goodness_of_fit(now, expected)
    p_value = tables.p_of_chi_squared(statistic, len(then) - 1) if len(then) > 1 else None
    if math.isinf(statistic):
        return Found(None, p_value, reason="infinite: a name that the reference has not")
    return Found(statistic, p_value)


def _z(pair: NamesPair) -> Found:
    """The first name by spelling against all others; 1 is the p-value of one name on both sides."""
    then, now = pair.union
    rows_of = pair.n_reference, pair.n_current
    value = tables.two_proportions((int(then[1:].sum()), rows_of[0]), (int(now[1:].sum()), rows_of[1]))
    if value is None:
        return Found(0.0, 1.0) if len(pair.names) == 1 else Found(None)
    return Found(-value, tables.p_of_z(value))


def _mmd(pair: NumericPair) -> Found:
    """The width is the median of the reference's distances; its p-value is of unseeded shuffles, so there is none here."""
    reference, current = _rows(pair)
    refused = unsuitable(reference, current)
    return (
        Found(None, reason=refused) if refused else Found(unbiased(reference, current, width=median_width(reference)))
    )


def _numeric_psi(pair: NumericPair) -> Found:
    return _psi_of(*_counts(*_rows(pair)))


def _numeric_kl(pair: NumericPair) -> Found:
    return _kl_of(*_counts(*_rows(pair)))


def _numeric_js(pair: NumericPair) -> Found:
    return _js_of(*_counts(*_rows(pair)))


def _rows(pair: NumericPair) -> tuple[Floats, Floats]:
    assert pair.rows is not None
    return pair.rows


EVIDENTLY = Convention(
    name="evidently",
    source="Evidently 0.7.23, evidently.legacy.calculations.stattests",
    numeric={
        "psi": OfNumbers(_numeric_psi),
        "kl": OfNumbers(_numeric_kl),
        "js": OfNumbers(_numeric_js),
        "hellinger": OfNumbers(_hellinger_numeric),
        "wasserstein": OfNumbers(_wasserstein),
        "ks": OfNumbers(_ks),
        "cvm": OfNumbers(_cvm),
        "mmd": OfNumbers(_mmd),
    },
    categorical={
        "psi": OfNames(lambda pair: _psi_of(*pair.union)),
        "kl": OfNames(lambda pair: _kl_of(*pair.union)),
        "js": OfNames(lambda pair: _js_of(*pair.union)),
        "hellinger": OfNames(_hellinger_names),
        "tv": OfNames(_tv),
        "chi2": OfNames(_chi2),
        "z": OfNames(_z),
    },
)
