"""A feature that differs between serving and its store."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from detectors.calibration.independent import named_p_value, ordered_p_value
from detectors.psi import decile_and_atom_edges, driftline_categorical, driftline_numeric, fold_to
from detectors.quality.verdict import LEAST_ROWS, LEVEL, Verdict, judged, undecided
from schemas.reference import CategoricalProfile, NumericProfile

#: PSI between serving and store from which the two are not the same feature.
SKEW = 0.1


def skew_numeric(
    profile: NumericProfile, serving: ArrayLike, store: ArrayLike, *, missing: tuple[int, int] = (0, 0),
    threshold: float = SKEW,
) -> Verdict:  # fmt: skip
    """PSI of what serving sent against what the feature store sent, both over the profile's edges.

    It fails above the threshold where it is no chance either (`LEVEL`, of independent rows): PSI alone is above 0.1 in three
    of four windows of a hundred rows that are alike.

    :param missing: rows without a value, of serving and of the store; :param threshold: where the feature fixes its own.
    """
    served, stored = (np.asarray(side, dtype=np.int64) for side in (serving, store))
    n = int(min(served.sum(), stored.sum()))
    if n < LEAST_ROWS:
        return undecided("skew", n, threshold=threshold)
    there = replace(profile, counts=tuple(stored.tolist()), missing=missing[1], nonfinite=0)
    value = driftline_numeric(there, served, missing=missing[0])
    edges = decile_and_atom_edges(profile)
    folded = [fold_to(profile.edges, edges, side) for side in (stored, served)]
    p = ordered_p_value(*folded, missing=(missing[1], missing[0]))
    return _skewed(value or 0.0, threshold, n=n, p=p)


def skew_named(
    profile: CategoricalProfile, serving: ArrayLike, store: ArrayLike, *, missing: tuple[int, int] = (0, 0),
    threshold: float = SKEW,
) -> Verdict:  # fmt: skip
    """The same of names; both counted over the profile's categories and then other and unseen."""
    served, stored = (np.asarray(side, dtype=np.int64) for side in (serving, store))
    n = int(min(served.sum(), stored.sum()))
    if n < LEAST_ROWS:
        return undecided("skew", n, threshold=threshold)
    names = (*profile.categories, "(other)", "(unseen)")
    there = replace(profile, categories=names, counts=tuple(stored.tolist()), other=0, missing=missing[1])
    value = driftline_categorical(there, served, missing=missing[0])
    p = named_p_value(stored, served, missing=(missing[1], missing[0]))
    return _skewed(value or 0.0, threshold, n=n, p=p)


def _skewed(value: float, threshold: float, *, n: int, p: float | None) -> Verdict:
    if p is None:
        return undecided("skew", n, threshold=threshold)
    found = judged("skew", value, threshold, n=n, p=p)
    return found if p < LEVEL else replace(found, state="ok")
