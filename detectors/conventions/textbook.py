"""Conventions that no package owns: ``deciles``, ``percentile`` and Fiddler's published rule, all of them on counts.

``deciles``: ten bins between the reference's deciles, outer ones open; missing left out; shares of at least 1e-4 in PSI and KL.

``percentile``: what people write with numpy: ``histogram`` between ``percentile(reference, 0, 10, … 100)``, so values outside the
reference's range are in no bin, yet in the number that shares are of; shares of at least 1e-4.

``fiddler``: one count more in every bin. What its numeric bins are is not published; here, the deciles.
"""

from __future__ import annotations

import numpy as np

from detectors.conventions.method import Convention, Found, OfNames, OfNumbers
from detectors.conventions.pair import CountedPair, NamesPair, NumericPair
from detectors.distances import divergences
from detectors.edges import Floats
from detectors.psi import FLOOR, floored, fold_to, psi
from detectors.segments import Ints


def _deciles(pair: CountedPair) -> tuple[Ints, Ints]:
    if isinstance(pair, NamesPair):
        return np.array([*pair.profile.counts, pair.profile.other, 0]), np.array(
            [*pair.counts, pair.other, pair.unseen]
        )
    edges = np.unique(pair.profile.deciles)
    then, now = (fold_to(pair.profile.edges, edges, counts) for counts in (pair.profile.counts, pair.counts))
    return then, now


def _deciles_psi(pair: CountedPair) -> Found:
    return Found(psi(*floored(*_deciles(pair))))


def _deciles_kl(pair: CountedPair) -> Found:
    then, now = floored(*_deciles(pair))
    return Found(divergences.kl(now, then))


def _deciles_js(pair: CountedPair) -> Found:
    return Found(divergences.jensen_shannon(*_decile_shares(pair), base=2))


def _deciles_hellinger(pair: CountedPair) -> Found:
    return Found(divergences.hellinger(*_decile_shares(pair)))


def _deciles_tv(pair: CountedPair) -> Found:
    return Found(divergences.total_variation(*_decile_shares(pair)))


def _deciles_linf(pair: CountedPair) -> Found:
    return Found(divergences.l_infinity(*_decile_shares(pair)))


def _decile_shares(pair: CountedPair) -> tuple[Floats, Floats]:
    then, now = _deciles(pair)
    return divergences.shares(then), divergences.shares(now)


def _percentile_psi(pair: NumericPair) -> Found:
    """The least value and the float after the greatest are edges of every profile; what lies beyond them is left out."""
    edges = np.unique([pair.profile.edges[0], *pair.profile.deciles, pair.profile.edges[-1]])
    sides = (fold_to(pair.profile.edges, edges, counts) for counts in (pair.profile.counts, pair.counts))
    then, now = (np.maximum(counts[1:-1] / counts.sum(), FLOOR) for counts in sides)
    return Found(psi(then, now))


def _one_more(then: Ints, now: Ints) -> Found:
    return Found(psi(divergences.shares(then + 1), divergences.shares(now + 1)))


def _fiddler_numeric(pair: NumericPair) -> Found:
    return _one_more(*_deciles(pair))


def _fiddler_names(pair: NamesPair) -> Found:
    return _one_more(*pair.union)


DECILES = Convention(
    name="deciles",
    source="ten bins between the reference's deciles, open outside; missing left out; shares at least 1e-4 in PSI and KL",
    numeric={
        "psi": OfNumbers(_deciles_psi, "counts"),
        "kl": OfNumbers(_deciles_kl, "counts"),
        "js": OfNumbers(_deciles_js, "counts"),
        "hellinger": OfNumbers(_deciles_hellinger, "counts"),
        "tv": OfNumbers(_deciles_tv, "counts"),
        "linf": OfNumbers(_deciles_linf, "counts"),
    },
    categorical={
        "psi": OfNames(_deciles_psi, "counts"),
        "kl": OfNames(_deciles_kl, "counts"),
        "js": OfNames(_deciles_js, "counts"),
        "hellinger": OfNames(_deciles_hellinger, "counts"),
        "tv": OfNames(_deciles_tv, "counts"),
        "linf": OfNames(_deciles_linf, "counts"),
    },
)
PERCENTILE = Convention(
    name="percentile",
    source="numpy.histogram between the reference's percentiles 0, 10 … 100; values outside are in no bin; shares at least 1e-4",
    numeric={"psi": OfNumbers(_percentile_psi, "counts")},
    categorical={},
)
FIDDLER = Convention(
    name="fiddler",
    source="Fiddler's published rule: one count more in every bin; its numeric bins are not published, here the deciles",
    numeric={"psi": OfNumbers(_fiddler_numeric, "counts")},
    categorical={"psi": OfNames(_fiddler_names, "counts")},
)
