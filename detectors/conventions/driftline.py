"""``driftline``: on the bins of the reference profile, and on rows where there are any.

Numeric columns in the bins between the deciles, atoms and missing apart; names with unseen and missing. PSI and KL add half a
count to every bin in use, the other distances need no smoothing. KS and Wasserstein are those of the rows, and of the stored
bins where the reference is a profile (``stored bins``). The PSI's p-value is that of its limit, (1/n + 1/m) chi-squared, and
given where every bin expects 20 rows on both sides: with fewer it is wrong.
"""

from __future__ import annotations

import numpy as np

from detectors import kolmogorov_smirnov
from detectors.conventions.method import Convention, Found, OfNames, OfNumbers, OfVectors
from detectors.conventions.pair import CountedPair, NamesPair, NumericPair
from detectors.conventions.vectors import VectorsPair, squared_mmd
from detectors.distances import divergences, mmd, rows, stored, tables
from detectors.edges import Floats
from detectors.psi import decile_and_atom_edges, fold_to, jeffreys, psi
from detectors.segments import Ints

STORED = "stored bins"
#: Rows that every bin must expect on both sides for the PSI's limit to be near.
EXPECTED = 20.0


def binned(pair: CountedPair) -> tuple[Ints, Ints]:
    """Rows of reference and current by bin, the last one for missing."""
    if isinstance(pair, NamesPair):
        profile = pair.profile
        return (
            np.array([*profile.counts, profile.other, 0, profile.missing]),
            np.array([*pair.counts, pair.other, pair.unseen, pair.missing]),
        )
    edges = decile_and_atom_edges(pair.profile)
    folded = (fold_to(pair.profile.edges, edges, counts) for counts in (pair.profile.counts, pair.counts))
    absent = pair.profile.missing + pair.profile.nonfinite, pair.missing
    then, now = (np.append(counts, none) for counts, none in zip(folded, absent, strict=True))
    return then, now


def limit_p_value(value: float, reference: Ints, current: Ints) -> float | None:
    """P(a PSI at least so large) with no drift, rows independent; None where a bin expects too few rows."""
    both = reference + current
    used = both[both > 0]
    n, m = int(reference.sum()), int(current.sum())
    if used.min() * min(n, m) / (n + m) < EXPECTED:
        return None
    return tables.p_of_chi_squared(value / (1.0 / n + 1.0 / m), len(used) - 1)


def _psi(pair: CountedPair) -> Found:
    then, now = binned(pair)
    value = psi(*jeffreys(then, now))
    return Found(value, limit_p_value(value, then, now))


def _kl(pair: CountedPair) -> Found:
    then, now = jeffreys(*binned(pair))
    return Found(divergences.kl(now, then))


def _js(pair: CountedPair) -> Found:
    return Found(divergences.jensen_shannon(*_shares(pair), base=2))


def _hellinger(pair: CountedPair) -> Found:
    return Found(divergences.hellinger(*_shares(pair)))


def _tv(pair: CountedPair) -> Found:
    return Found(divergences.total_variation(*_shares(pair)))


def _linf(pair: CountedPair) -> Found:
    return Found(divergences.l_infinity(*_shares(pair)))


def _wasserstein(pair: NumericPair) -> Found:
    """In the column's own unit."""
    if pair.rows is not None:
        return Found(rows.wasserstein(*pair.rows))
    profile = pair.profile
    if profile.minimum is None or profile.maximum is None or pair.span is None:
        return Found(None)
    sides = np.asarray(profile.counts), pair.counts
    value = stored.wasserstein(profile.edges, sides, spans=((profile.minimum, profile.maximum), pair.span))
    return Found(value, exactly=STORED)


def _ks(pair: NumericPair) -> Found:
    if pair.rows is not None:
        return Found(*rows.kolmogorov_smirnov(*pair.rows))
    then, now = (kolmogorov_smirnov.cumulative(counts) for counts in (pair.profile.counts, pair.counts))
    value = kolmogorov_smirnov.distance(then, now)
    p_value = kolmogorov_smirnov.p_value(value, kolmogorov_smirnov.effective(pair.n_reference, pair.n_current))
    return Found(float(value), float(p_value), exactly=STORED)


def _cvm(pair: NumericPair) -> Found:
    found = None if pair.rows is None else rows.cramer_von_mises(*pair.rows)
    return Found(None, reason="needs two rows on each side") if found is None else Found(*found)


def _mmd(pair: NumericPair) -> Found:
    """MMD² of one column, standardised by the reference."""
    if pair.rows is None or min(map(len, pair.rows)) < 2:
        return Found(None, reason="needs two rows on each side")
    with np.errstate(over="ignore"):
        then, now = (_standardised(side, pair) for side in pair.rows)
    samples = mmd.sample(then), mmd.sample(now)
    p_value = mmd.p_value(*samples, rows=np.vstack([mmd.some(then), mmd.some(now)]))
    return Found(mmd.squared(*samples), p_value, exactly=mmd.name())


def _mmd_of_vectors(pair: VectorsPair) -> Found:
    value, p_value = squared_mmd(pair)
    return Found(value, p_value, reason="needs two rows on each side", exactly=mmd.name())


def _standardised(side: Floats, pair: NumericPair) -> Floats:
    """Far values are as far as 1 000 sd: the kernel is 0 at 40, and an angle must stay finite."""
    found: Floats = np.clip((side - pair.profile.center) / pair.profile.scale, -1e3, 1e3)[:, None]
    return found


def _chi2(pair: NamesPair) -> Found:
    statistic, freedom = tables.contingency(*pair.union)
    return Found(statistic, tables.p_of_chi_squared(statistic, freedom))


def _cramers_v(pair: NamesPair) -> Found:
    statistic, freedom = tables.contingency(*pair.union)
    return Found(
        tables.cramers_v(statistic, pair.n_reference + pair.n_current), tables.p_of_chi_squared(statistic, freedom)
    )


def _z(pair: NamesPair) -> Found:
    if len(pair.names) != 2:
        return Found(None, reason=f"z compares two proportions: two names, not {len(pair.names)}")
    hits = [int(side[1]) for side in pair.union]
    value = tables.two_proportions((hits[0], pair.n_reference), (hits[1], pair.n_current))
    return Found(None) if value is None else Found(value, tables.p_of_z(value))


def _shares(pair: CountedPair) -> tuple[Floats, Floats]:
    then, now = binned(pair)
    return divergences.shares(then), divergences.shares(now)


DRIFTLINE = Convention(
    name="driftline",
    source="bins of the reference profile: deciles, atoms, missing; names, unseen, missing; Jeffreys +0.5 in PSI and KL",
    numeric={
        "psi": OfNumbers(_psi, "counts"),
        "kl": OfNumbers(_kl, "counts"),
        "js": OfNumbers(_js, "counts"),
        "hellinger": OfNumbers(_hellinger, "counts"),
        "tv": OfNumbers(_tv, "counts"),
        "linf": OfNumbers(_linf, "counts"),
        "wasserstein": OfNumbers(_wasserstein, "counts"),
        "ks": OfNumbers(_ks, "counts"),
        "cvm": OfNumbers(_cvm),
        "mmd": OfNumbers(_mmd),
    },
    categorical={
        "psi": OfNames(_psi, "counts"),
        "kl": OfNames(_kl, "counts"),
        "js": OfNames(_js, "counts"),
        "hellinger": OfNames(_hellinger, "counts"),
        "tv": OfNames(_tv, "counts"),
        "linf": OfNames(_linf, "counts"),
        "chi2": OfNames(_chi2, "counts"),
        "cramers_v": OfNames(_cramers_v, "counts"),
        "z": OfNames(_z, "counts"),
    },
    embedding={"mmd": OfVectors(_mmd_of_vectors)},
    counts_missing=True,
)
