"""From columns of rows to a reference: bins, counts, counts by pane in time order, moments; no raw row.

A numeric column is an array of floats (missing is NaN), a column of names is `Coded`. Rows may come in any
order; where their times are known, `panes_of` puts each row in its pane and every profile keeps its counts
pane by pane, empty panes included: the tests are calibrated from them later, without changing the
reference's hash.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.edges import Floats, bin_of, cuts_of, finite_of
from schemas.reference import SCHEMA, CategoricalProfile, NumericProfile, Profile, Reference, SparseRow

TOP = 2000
"""Categories that a profile names; rows of further ones are counted together as other."""

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of names: `codes[row]` is an index into `names` (distinct), -1 where the row has none."""

    names: tuple[str, ...]
    codes: Ints


Column = Floats | Coded


@dataclass(frozen=True, slots=True)
class Panes:
    """Rows in panes: `index[row]` is each row's pane, `starts` (epoch ms) every pane of the span in order."""

    pane_ms: int
    starts: tuple[int, ...]
    index: Ints


def panes_of(times_ms: Ints, *, pane_ms: int) -> Panes:
    """Panes of `pane_ms` aligned to the epoch, from the earliest row's to the latest row's without a gap.

    >>> panes_of(np.array([7_300_000, 10]), pane_ms=3_600_000).starts
    (0, 3600000, 7200000)
    """
    at = np.asarray(times_ms, dtype=np.int64) // pane_ms
    if at.size == 0:
        return Panes(pane_ms, (), at)
    first, last = int(at.min()), int(at.max())
    return Panes(pane_ms, tuple(range(first * pane_ms, last * pane_ms + 1, pane_ms)), at - first)


def coded(names: Iterable[str | None]) -> Coded:
    """A column of names, or None where the row has none, with each distinct name kept once."""
    code: dict[str, int] = {}
    codes = [-1 if name is None else code.setdefault(name, len(code)) for name in names]
    return Coded(tuple(code), np.array(codes, dtype=np.int64))


def build_reference(
    model: str,
    features: Mapping[str, Column],
    *,
    panes: Panes | None = None,
    score: Floats | None = None,
    outcomes: Coded | None = None,
) -> Reference:
    """The reference of a model from columns of one length; `panes` None says the rows have no time order.

    Raises ValueError where columns differ in length.
    """
    rows = _rows(features, panes=panes, score=score, outcomes=outcomes)
    return Reference(
        schema=SCHEMA,
        model=model,
        rows=rows,
        pane_ms=None if panes is None else panes.pane_ms,
        pane_starts=None if panes is None else panes.starts,
        features={name: profile_of(features[name], panes) for name in sorted(features)},
        score=None if score is None else numeric_profile(score, panes),
        outcomes=None if outcomes is None else categorical_profile(outcomes, panes),
    )


def profile_of(column: Column, panes: Panes | None) -> Profile:
    """The profile of a column by its type."""
    return categorical_profile(column, panes) if isinstance(column, Coded) else numeric_profile(column, panes)


def numeric_profile(values: Floats, panes: Panes | None) -> NumericProfile:
    """The profile of a numeric column: NaN is missing, infinities are non-finite."""
    values = np.asarray(values, dtype=np.float64)
    cuts = cuts_of(values)
    bins = len(cuts.edges) + 1
    columns = _numeric_columns(values, cuts.edges)
    counts = np.bincount(columns, minlength=bins + 2)
    finite = finite_of(values)
    mean, sd = mean_and_sd(finite) if finite.size else (None, None)
    return NumericProfile(
        edges=cuts.edges,
        deciles=cuts.deciles,
        atoms=cuts.atoms,
        counts=tuple(counts[:bins].tolist()),
        pane_counts=_pane_counts(columns, panes, width=bins + 2),
        rows=values.size,
        missing=int(counts[bins]),
        nonfinite=int(counts[bins + 1]),
        minimum=float(finite.min()) if finite.size else None,
        maximum=float(finite.max()) if finite.size else None,
        mean=mean,
        sd=sd,
    )


def categorical_profile(column: Coded, panes: Panes | None) -> CategoricalProfile:
    """The profile of a column of names: the `TOP` most frequent ones, ties by name, and the rest as other."""
    present = column.codes >= 0
    seen = np.bincount(column.codes[present], minlength=len(column.names))
    order = sorted(np.flatnonzero(seen).tolist(), key=lambda code: (-seen[code], column.names[code]))[:TOP]
    width = len(order) + 2
    column_of = np.full(len(column.names) + 1, width - 2)  # the last entry is what code -1 finds
    column_of[order] = np.arange(len(order))
    column_of[-1] = width - 1
    columns = column_of[column.codes]
    counts = np.bincount(columns, minlength=width).tolist()
    return CategoricalProfile(
        categories=tuple(column.names[code] for code in order),
        counts=tuple(counts[:-2]),
        pane_counts=_pane_counts(columns, panes, width=width),
        rows=column.codes.size,
        missing=counts[-1],
        other=counts[-2],
    )


def pane_matrix(profile: Profile) -> Ints:
    """The profile's pane counts, dense: (panes, `pane_columns`)."""
    matrix = np.zeros((len(profile.pane_counts), profile.pane_columns), dtype=np.int64)
    for pane, row in enumerate(profile.pane_counts):
        matrix[pane, list(row[0::2])] = row[1::2]
    return matrix


def mean_and_sd(finite: Floats) -> tuple[float, float]:
    """Mean and standard deviation (divisor n) of at least one finite value, even where squares overflow.

    Both are parts of the hash, so neither the order of rows nor the width of a processor's vectors may show:
    exactly rounded sums, of values divided by a power of two near the largest, which costs no digit.
    """
    _, exponent = np.frexp(np.abs(finite).max())
    scaled = np.ldexp(finite, -exponent)
    mean = math.fsum(scaled.tolist()) / finite.size
    variance = math.fsum(((scaled - mean) ** 2).tolist()) / finite.size
    return float(np.ldexp(mean, exponent)), float(np.ldexp(math.sqrt(variance), exponent))


def _rows(features: Mapping[str, Column], *, panes: Panes | None, score: Floats | None, outcomes: Coded | None) -> int:
    """The common length of all columns."""
    lengths = {name: _length(column) for name, column in features.items()}
    others = {"times": None if panes is None else panes.index, "score": score, "outcomes": outcomes}
    lengths |= {f"({name})": _length(column) for name, column in others.items() if column is not None}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns of different lengths: {lengths}")
    return next(iter(lengths.values()), 0)


def _length(column: Column | Ints) -> int:
    return int(column.codes.size if isinstance(column, Coded) else column.size)


def _numeric_columns(values: Floats, edges: tuple[float, ...]) -> Ints:
    """The column of each row in a pane row: its bin, or behind the bins missing or non-finite."""
    columns = bin_of(values, edges)
    columns[np.isnan(values)] = len(edges) + 1
    columns[np.isinf(values)] = len(edges) + 2
    return columns


def _pane_counts(columns: Ints, panes: Panes | None, *, width: int) -> tuple[SparseRow, ...]:
    """Counts of each pane without the zeros; () where rows have no panes."""
    if panes is None:
        return ()
    cells, counts = np.unique(panes.index * width + columns, return_counts=True)
    pairs = np.column_stack([cells % width, counts]).ravel().tolist()
    bounds = 2 * np.searchsorted(cells, np.arange(len(panes.starts) + 1) * width)
    return tuple(tuple(pairs[start:end]) for start, end in itertools.pairwise(bounds.tolist()))
