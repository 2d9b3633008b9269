"""A reference that moves with the stream: the previous window, or the same hours of earlier weeks, from stored closed panes.

For columns whose values age, such as ids: against a fixed reference every month holds more that was never seen.  Nothing but
counts is needed: bins and categories stay those of the fixed reference, so panes stay what they are and only what they are
compared with changes.  What a fixed profile knows of rows and panes cannot tell is told coarser: a decile is the edge next to it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detectors.edges import FIFTIETHS
from detectors.moments import mean_of, variance_of
from detectors.seasonal import HOUR_MS, HOURS_A_WEEK, local_ms
from schemas.reference import SCHEMA, CategoricalProfile, NumericProfile, Profile, Reference, SparseRow

Ints = NDArray[np.int64]
_WEEK_MS = HOURS_A_WEEK * HOUR_MS


@dataclass(frozen=True, eq=False, slots=True)
class NumericPanes:
    """Closed panes of a numeric column, in time order.

    bins: (panes, bins) over the base's edges; missing, nonfinite: (panes,).  sum_q, sum_q2: of all panes, see `moments`, in
    units of the base's center and scale; minimum, maximum: of all values, infinite where there is none.
    """

    bins: Ints
    missing: Ints
    nonfinite: Ints
    sum_q: int
    sum_q2: int
    minimum: float
    maximum: float


@dataclass(frozen=True, eq=False, slots=True)
class NamedPanes:
    """Closed panes of a column of names, in time order: counts (panes, categories); other, missing: (panes,).

    other: by names that are not listed, those that the base never saw included.  Where names are counted by a hash, the
    categories are its buckets.
    """

    categories: tuple[str, ...]
    counts: Ints
    other: Ints
    missing: Ints


ClosedPanes = NumericPanes | NamedPanes


def previous_window(starts_ms: ArrayLike, window: tuple[int, int]) -> Ints:
    """The places of the panes in the window of the same length that ended where this one begins.

    >>> previous_window([0, 10, 20, 30, 40], (30, 50)).tolist()
    [1, 2]
    """
    starts, (begin, end) = np.asarray(starts_ms, dtype=np.int64), window
    return np.flatnonzero((starts >= 2 * begin - end) & (starts < begin))


def same_hours(starts_ms: ArrayLike, window: tuple[int, int], *, weeks: int, zone: str) -> Ints:
    """The places of the panes at which clocks showed the window's times, one to so many weeks before it.

    :raises ValueError: the window is longer than a week: it would be compared with itself.
    """
    starts, (begin, end) = np.asarray(starts_ms, dtype=np.int64), window
    if end - begin > _WEEK_MS:
        raise ValueError(f"a window of {(end - begin) / HOUR_MS:g} hours overlaps the same hours of the week before")
    first, last = local_ms([begin, end], zone=zone).tolist()
    earlier = local_ms(starts, zone=zone)[:, None] + _WEEK_MS * np.arange(1, weeks + 1)
    return np.flatnonzero(((earlier >= first) & (earlier < last)).any(axis=1) & (starts < begin))


def rolling_reference(
    base: Reference, panes: Mapping[str, ClosedPanes], starts_ms: tuple[int, ...], *, pane_ms: int, rows: int
) -> Reference:
    """A reference of these panes' counts, for the features of the base that are given; named by its own hash.

    :param rows: events in the panes.
    :raises ValueError: no pane, a feature that the base does not have or has as another type, or counts of another shape.
    """
    if not starts_ms:
        raise ValueError("no pane: there is nothing to compare with")
    features = {name: _profile(base, name, panes[name], panes_wanted=len(starts_ms)) for name in sorted(panes)}
    return Reference(SCHEMA, base.model, rows, pane_ms, starts_ms, features, score=None, outcomes=None)


def rolling_numeric(base: NumericProfile, panes: NumericPanes) -> NumericProfile:
    """The profile of the panes' values, over the base's edges.

    Deciles are the edges next to the values' own; atoms those of the base that still hold a fiftieth.
    """
    counts = panes.bins.sum(axis=0)
    values = int(counts.sum())
    center, scale = base.center, base.scale
    variance = variance_of(panes.sum_q, panes.sum_q2, values, sd=scale)
    return replace(
        base,
        deciles=_nearest_deciles(base, counts),
        atoms=tuple(atom for atom in base.atoms if _of_bin(base.edges, counts, atom) * FIFTIETHS >= max(values, 1)),
        counts=tuple(counts.tolist()),
        pane_counts=_sparse(np.column_stack([panes.bins, panes.missing, panes.nonfinite])),
        rows=values + int(panes.missing.sum() + panes.nonfinite.sum()),
        missing=int(panes.missing.sum()),
        nonfinite=int(panes.nonfinite.sum()),
        minimum=panes.minimum if math.isfinite(panes.minimum) else None,
        maximum=panes.maximum if math.isfinite(panes.maximum) else None,
        mean=mean_of(panes.sum_q, values, mean=center, sd=scale),
        sd=None if variance is None else math.sqrt(variance),
    )


def rolling_categorical(panes: NamedPanes) -> CategoricalProfile:
    """The profile of the panes' names; categories stand as in the panes, whose columns they are."""
    counts = panes.counts.sum(axis=0)
    missing, other = int(panes.missing.sum()), int(panes.other.sum())
    return CategoricalProfile(
        categories=panes.categories,
        counts=tuple(counts.tolist()),
        pane_counts=_sparse(np.column_stack([panes.counts, panes.other, panes.missing])),
        rows=int(counts.sum()) + other + missing,
        missing=missing,
        other=other,
    )


def _profile(base: Reference, name: str, panes: ClosedPanes, *, panes_wanted: int) -> Profile:
    known = base.features.get(name)
    if isinstance(known, NumericProfile) and isinstance(panes, NumericPanes):
        _check_shape(name, panes.bins, (panes_wanted, len(known.counts)))
        return rolling_numeric(known, panes)
    if isinstance(known, CategoricalProfile) and isinstance(panes, NamedPanes):
        _check_shape(name, panes.counts, (panes_wanted, len(panes.categories)))
        return rolling_categorical(panes)
    raise ValueError(f"{name}: {type(panes).__name__}, but in the reference it is {type(known).__name__}")


def _check_shape(name: str, counts: Ints, expected: tuple[int, int]) -> None:
    if counts.shape != expected:
        raise ValueError(f"{name}: counts of shape {counts.shape}, expected {expected}")


def _nearest_deciles(base: NumericProfile, counts: Ints) -> tuple[float, ...]:
    """For each inner decile the nearer end of the bin that it falls in, or the atom whose bin that is; none of no value."""
    upto = np.cumsum(counts)
    if not upto[-1] or not base.edges:
        return ()
    ranks = upto[-1] * np.arange(1, 10) / 10
    bins = np.searchsorted(upto, ranks)
    return tuple(_nearer_end(base, upto, int(at), rank=rank) for at, rank in zip(bins, ranks.tolist(), strict=True))


def _nearer_end(base: NumericProfile, upto: Ints, at: int, *, rank: float) -> float:
    low, high = max(at - 1, 0), min(at, len(base.edges) - 1)
    below = int(upto[at - 1]) if at else 0
    return base.edges[low if base.edges[low] in base.atoms or rank - below <= upto[at] - rank else high]


def _of_bin(edges: tuple[float, ...], counts: Ints, value: float) -> int:
    return int(counts[np.searchsorted(edges, value, side="right")])


def _sparse(table: Ints) -> tuple[SparseRow, ...]:
    """A row a pane, without the zeros."""
    rows = []
    for row in table:
        held = np.flatnonzero(row)
        rows.append(tuple(itertools.chain.from_iterable(zip(held.tolist(), row[held].tolist(), strict=True))))
    return tuple(rows)
