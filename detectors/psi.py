"""The population stability index from stored counts, each convention under its own name.

PSI is the sum over bins of (c - r)·ln(c / r), c and r the shares of the current and the reference rows. The
bins and what stands for an empty one decide the number, so two conventions never share a name:

``deciles`` (the field's usual one): numeric columns in the ten bins between the reference's deciles, outer
ones open; names in the reference's categories, other and unseen; shares raised to at least 1e-4; missing
left out.

``driftline``: deciles and atoms, each atom in a bin of its own, and a bin for missing; names as above and
missing; half a count added to every bin (Jeffreys) that holds a row on either side, so no share is 0 and
none is invented.

Sums of stored bins are exact here because every decile and atom is an edge: see `fold_to`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detectors.edges import Floats
from schemas.reference import CategoricalProfile, NumericProfile

FLOOR = 1e-4
"""Least share of a bin in the convention ``deciles``."""

Ints = NDArray[np.int64]
Shares = Callable[[Ints, Ints], tuple[Floats, Floats]]


def fold_to(edges: ArrayLike, coarse_edges: ArrayLike, counts: ArrayLike) -> Ints:
    """Counts between `coarse_edges`, a subset of `edges`, from counts between `edges`: sums of whole bins.

    counts: (..., len(edges) + 1); returns (..., len(coarse_edges) + 1). Coarse edges rise strictly.
    Raises ValueError for a coarse edge that is no edge: its bin would have to be split.

    >>> fold_to([0.0, 1.0, 2.0], [1.0], [5, 1, 2, 7]).tolist()
    [6, 9]
    """
    fine, coarse = np.asarray(edges, dtype=np.float64), np.asarray(coarse_edges, dtype=np.float64)
    at = np.searchsorted(fine, coarse)
    strange = coarse[~np.isin(coarse, fine)]
    if strange.size:
        raise ValueError(f"{strange[0]} is not among the {fine.size} edges")
    return np.add.reduceat(np.asarray(counts, dtype=np.int64), np.concatenate([[0], at + 1]), axis=-1)


def psi(reference: Floats, current: Floats) -> float:
    """PSI of two share vectors without zeros."""
    return float(np.sum((current - reference) * np.log(current / reference)))


def deciles_numeric(profile: NumericProfile, counts: ArrayLike) -> float | None:
    """Convention ``deciles`` of counts over the profile's edges; None where either side has no value."""
    edges = np.unique(profile.deciles)
    reference = fold_to(profile.edges, edges, profile.counts)
    return _psi_of(reference, fold_to(profile.edges, edges, counts), floored)


def deciles_categorical(
    profile: CategoricalProfile, counts: ArrayLike, *, other: int = 0, unseen: int = 0
) -> float | None:
    """Convention ``deciles`` of counts over the profile's categories; None where either side has no value.

    other: rows of names that the reference knows but does not list; unseen: of names it never held.
    """
    reference = np.array([*profile.counts, profile.other, 0])
    return _psi_of(reference, _extended(counts, other, unseen), floored)


def driftline_numeric(profile: NumericProfile, counts: ArrayLike, *, missing: int = 0) -> float | None:
    """Convention ``driftline`` of counts over the profile's edges; None where either side has no row.

    missing: rows without a finite value (null, NaN, infinite), one bin on both sides.
    """
    edges = decile_and_atom_edges(profile)
    reference = np.append(fold_to(profile.edges, edges, profile.counts), profile.missing + profile.nonfinite)
    return _psi_of(reference, np.append(fold_to(profile.edges, edges, counts), missing), jeffreys)


def driftline_categorical(
    profile: CategoricalProfile, counts: ArrayLike, *, other: int = 0, unseen: int = 0, missing: int = 0
) -> float | None:
    """Convention ``driftline`` of counts over the profile's categories; None where either side has no row."""
    reference = np.array([*profile.counts, profile.other, 0, profile.missing])
    return _psi_of(reference, _extended(counts, other, unseen, missing), jeffreys)


def decile_and_atom_edges(profile: NumericProfile) -> Floats:
    """The edges of the convention ``driftline``: the deciles, and both ends of every atom's bin."""
    atoms = np.asarray(profile.atoms, dtype=np.float64)
    with np.errstate(over="ignore"):
        after = np.nextafter(atoms, np.inf)
    edges: Floats = np.unique(np.concatenate([profile.deciles, atoms, after[np.isfinite(after)]]))
    return edges


def floored(reference: Ints, current: Ints) -> tuple[Floats, Floats]:
    """Shares of both, none below `FLOOR`; not rescaled to a sum of 1."""
    return np.maximum(reference / reference.sum(), FLOOR), np.maximum(current / current.sum(), FLOOR)


def jeffreys(reference: Ints, current: Ints) -> tuple[Floats, Floats]:
    """Shares of both with half a count added to each of the bins that holds a row on either side."""
    used = (reference > 0) | (current > 0)
    half = 0.5 * np.count_nonzero(used)
    return (
        (reference[used] + 0.5) / (reference.sum() + half),
        (current[used] + 0.5) / (current.sum() + half),
    )


def _psi_of(reference: Ints, current: Ints, shares: Shares) -> float | None:
    if reference.sum() == 0 or current.sum() == 0:
        return None
    return psi(*shares(reference, current))


def _extended(counts: ArrayLike, *tail: int) -> Ints:
    return np.concatenate([np.asarray(counts, dtype=np.int64), np.asarray(tail, dtype=np.int64)])
