"""From columns of rows to a reference: bins, counts, counts by pane in time order, moments; no raw row.

A numeric column is an array of floats (missing is NaN), a column of names is `Coded`. Rows may come in any
order; where their times are known, `panes_of` puts each row in its pane and every profile keeps its counts
pane by pane, empty panes included: the tests are calibrated from them later, without changing the
reference's hash.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.bin_counts import Binning
from detectors.edges import Floats, bin_of, cuts_of_ordered, ordered
from detectors.pane_counts import PlacesOf, chunks, counts_of, pane_rows
from detectors.unlisted import Names, lengths_for, unlisted_rows
from schemas.reference import PLAIN, SCHEMA, CategoricalProfile, NumericProfile, Profile, Reference, SparseRow

TOP = 2000
"""Categories that a profile names; rows of further ones are counted together as other."""

Ints = NDArray[np.int64]
Sparse = tuple[SparseRow, ...]


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
    return panes_in_place(np.array(times_ms, dtype=np.int64), pane_ms=pane_ms)


def panes_in_place(times_ms: Ints, *, pane_ms: int) -> Panes:
    """The same without a copy: each time becomes the number of its pane."""
    if times_ms.size == 0:
        return Panes(pane_ms, (), times_ms)
    first, last = (int(time) // pane_ms for time in (times_ms.min(), times_ms.max()))
    times_ms //= pane_ms
    times_ms -= first
    return Panes(pane_ms, tuple(range(first * pane_ms, last * pane_ms + 1, pane_ms)), times_ms)


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
    return of_profiles(
        model,
        {name: profile_of(column, panes) for name, column in features.items()},
        rows=rows,
        panes=panes,
        score=None if score is None else numeric_profile(score, panes),
        outcomes=None if outcomes is None else categorical_profile(outcomes, panes),
    )


def of_profiles(
    model: str,
    features: Mapping[str, Profile],
    *,
    rows: int,
    panes: Panes | None,
    score: NumericProfile | None,
    outcomes: CategoricalProfile | None,
) -> Reference:
    """The reference of a model from profiles made one after the other, all with these panes."""
    further = any(isinstance(one, CategoricalProfile) and one.unlisted for one in (*features.values(), outcomes))
    return Reference(
        schema=SCHEMA if further else PLAIN,
        model=model,
        rows=rows,
        pane_ms=None if panes is None else panes.pane_ms,
        pane_starts=None if panes is None else panes.starts,
        features={name: features[name] for name in sorted(features)},
        score=score,
        outcomes=outcomes,
    )


def profile_of(column: Column, panes: Panes | None) -> Profile:
    """The profile of a column by its type."""
    return categorical_profile(column, panes) if isinstance(column, Coded) else numeric_profile(column, panes)


def numeric_profile(values: Floats, panes: Panes | None) -> NumericProfile:
    """The profile of a numeric column: NaN is missing, infinities are non-finite."""
    values = np.asarray(values, dtype=np.float64)
    finite = ordered(values)
    cuts = cuts_of_ordered(finite)
    minimum, maximum = (float(finite[0]), float(finite[-1])) if finite.size else (None, None)
    mean, sd = mean_and_sd(finite) if finite.size else (None, None)
    del finite  # it is as long as the column
    counts, by_pane = _numeric_counts(values, cuts.edges, panes)
    return NumericProfile(
        edges=cuts.edges,
        deciles=cuts.deciles,
        atoms=cuts.atoms,
        counts=tuple(counts[:-2].tolist()),
        pane_counts=by_pane,
        rows=values.size,
        missing=int(counts[-2]),
        nonfinite=int(counts[-1]),
        minimum=minimum,
        maximum=maximum,
        mean=mean,
        sd=sd,
    )


def categorical_profile(column: Coded, panes: Panes | None) -> CategoricalProfile:
    """The profile of a column of names: the `TOP` most frequent ones, ties by name, and the rest as other."""
    codes, rows = column.codes, column.codes.size
    seen = counts_of(lambda part: codes[part] + 1, rows=rows, width=len(column.names) + 1)[1:]
    names = Names(seen, _ranks(column.names))
    order = [code for code in np.lexsort((names.rank, -seen))[:TOP].tolist() if seen[code]]
    width = len(order) + 2
    place_of = np.full(len(column.names) + 1, width - 2)  # the last entry is what code -1 finds
    place_of[order] = np.arange(len(order))
    place_of[-1] = width - 1
    counts, by_pane = _counted(lambda part: place_of[codes[part]], width, panes, rows=rows)
    return CategoricalProfile(
        categories=tuple(column.names[code] for code in order),
        counts=tuple(counts[:-2].tolist()),
        pane_counts=by_pane,
        rows=rows,
        missing=int(counts[-1]),
        other=int(counts[-2]),
        unlisted=_unlisted(codes, names, panes) if panes is not None and counts[-2] else (),
    )


def _ranks(names: tuple[str, ...]) -> Ints:
    """The place of each in their order."""
    found = np.empty(len(names), np.int64)
    found[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    return found


def _unlisted(codes: Ints, names: Names, panes: Panes) -> Sparse:
    """For the blocks of usual windows, what `CategoricalProfile.unlisted` says."""
    many = len(panes.starts)
    return tuple(
        (length, *unlisted_rows(codes, panes.index, names, panes=many, length=length, top=TOP))
        for length in lengths_for(many, panes.pane_ms)
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
    _, exponent = np.frexp(max(abs(finite.min()), abs(finite.max())))
    mean = _exact_sum(finite, lambda part: np.ldexp(part, -exponent)) / finite.size
    variance = _exact_sum(finite, lambda part: (np.ldexp(part, -exponent) - mean) ** 2) / finite.size
    return float(np.ldexp(mean, exponent)), float(np.ldexp(math.sqrt(variance), exponent))


def _exact_sum(finite: Floats, of: Callable[[Floats], Floats]) -> float:
    """The exactly rounded sum of a function of the values; only a chunk at a time becomes Python's floats."""
    return math.fsum(itertools.chain.from_iterable(of(finite[part]).tolist() for part in chunks(finite.size)))


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


def _numeric_counts(values: Floats, edges: tuple[float, ...], panes: Panes | None) -> tuple[Ints, Sparse]:
    """Rows in each bin, then those missing and those non-finite; and the same by pane."""
    if panes is None:
        found = Binning(edges).count(values)
        return np.append(found.bins, [found.nan, found.positive_infinity + found.negative_infinity]), ()
    return _counted(lambda part: _numeric_places(values[part], edges), len(edges) + 3, panes, rows=values.size)


def _numeric_places(values: Floats, edges: tuple[float, ...]) -> Ints:
    """The column of each row in a pane row: its bin, or behind the bins missing or non-finite."""
    places = bin_of(values, edges)
    places[np.isnan(values)] = len(edges) + 1
    places[np.isinf(values)] = len(edges) + 2
    return places


def _counted(places_of: PlacesOf, width: int, panes: Panes | None, *, rows: int) -> tuple[Ints, Sparse]:
    """Rows in each column of a pane row, in all and by pane; () where rows have no panes."""
    if panes is None:
        return counts_of(places_of, rows=rows, width=width), ()
    return pane_rows(places_of, panes.index, panes=len(panes.starts), width=width)
