"""Adds a block of rows to the arena: every column of every row, over all models, by a few scatter-adds.

What is counted of a numeric value: its bin; a bucket of a hash of its bits (a new constant inside a bin shows there); how
far beyond the reference it lies; the fixed-point moments; minimum and maximum.  Values that are no finite number are
counted by kind and take no part in the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.binning import bins
from detectors.moments import quantise
from detectors.outside import outside_keys
from detectors.value_buckets import bucket_of
from stream.ingest import marks
from stream.ingest.arena import Arena
from stream.ingest.tables import NumericGroup
from stream.state.layout import EVENTS, LATE, SPECIALS, UNKNOWN_FEATURES, UNKNOWN_KEYS, WASTE

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_NAN_KIND = np.array([SPECIALS.index("missing"), SPECIALS.index("nan"), SPECIALS.index("wrong_type"), -1], np.int64)


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """Rows ready to be counted: layout number, first cell and first sum of the partial, then the values.

    ``narrow`` and ``wide`` are (rows × columns of the group); ``codes`` are cells within the partial (``WASTE``: none);
    ``unknown``, if any row holds some: how many undeclared features, and keys.
    """

    layout: Ints
    cells: Ints
    sums: Ints
    narrow: Floats
    wide: Floats
    codes: Ints
    late: npt.NDArray[np.bool_]
    unknown: Ints | None = None

    def of(self, at: Ints) -> Rows:
        """Some of the rows."""
        return Rows(
            self.layout[at], self.cells[at], self.sums[at], self.narrow[at], self.wide[at], self.codes[at], self.late[at],
            None if self.unknown is None else self.unknown[at],
        )  # fmt: skip


def count(rows: Rows, arena: Arena, *, narrow: NumericGroup, wide: NumericGroup) -> None:
    """Add every row to its partial."""
    _scatter(arena, rows.cells + EVENTS)
    _scatter(arena, rows.cells[rows.late] + LATE)
    _scatter(arena, (rows.cells[:, None] + rows.codes).ravel())
    if rows.unknown is not None:
        cells = rows.cells[:, None] + np.array((UNKNOWN_FEATURES, UNKNOWN_KEYS))
        np.add.at(arena.cells, cells, rows.unknown.astype(arena.cells.dtype))
    for group, values in ((narrow, rows.narrow), (wide, rows.wide)):
        if group.columns and len(values):
            _count_numeric(rows, arena, group=group, values=values + 0.0)


def _count_numeric(rows: Rows, arena: Arena, *, group: NumericGroup, values: Floats) -> None:
    finite = np.isfinite(values)
    cells = _cells(values, finite, group=group, layout=rows.layout)
    _scatter(arena, (rows.cells[:, None] + cells).ravel())
    row, column = np.nonzero(finite & group.used[rows.layout])
    chosen = values[row, column]
    layout = rows.layout[row]
    _count_detail(chosen, rows.cells[row], arena=arena, group=group, at=(layout, column))
    _count_moments(chosen, rows.sums[row] + group.sum_at[layout, column], arena=arena, group=group, at=(layout, column))


def _cells(values: Floats, finite: npt.NDArray[np.bool_], *, group: NumericGroup, layout: Ints) -> Ints:
    """Cell of each value: its bin, or the special that says why it has none."""
    cells: Ints = group.bins_at[layout] + bins(values, group.edges, group.edges_at[layout])
    odd = np.nonzero(~finite)
    cells[odd] = _special_cells(values[odd], group.specials_at[layout[odd[0]], odd[1]])
    cells[~group.used[layout]] = WASTE
    return cells


def _special_cells(values: Floats, specials_at: Ints) -> Ints:
    kind = special_kinds(values)
    return np.where(kind < 0, WASTE, specials_at + kind)


def special_kinds(values: Floats) -> Ints:
    """Of values that are no finite numbers, each one's place in ``SPECIALS``; -1 of those that are not counted at all."""
    kind = _NAN_KIND[np.where(np.isnan(values), marks.states(values), 0)]
    kind[values == np.inf] = SPECIALS.index("positive_infinity")
    kind[values == -np.inf] = SPECIALS.index("negative_infinity")
    return kind


def _count_detail(values: Floats, first: Ints, *, arena: Arena, group: NumericGroup, at: tuple[Ints, Ints]) -> None:
    hash_at = group.hash_at[at]
    _scatter(arena, first + np.where(hash_at == WASTE, WASTE, hash_at + bucket_of(values)))
    beyond = np.nonzero((values < group.minimum[at]) | (values > group.maximum[at]))[0]
    if len(beyond):
        there = (at[0][beyond], at[1][beyond])
        key = outside_keys(
            values[beyond], minimum=group.minimum[there], maximum=group.maximum[there], sd=group.sd[there]
        )
        _scatter(arena, first[beyond] + group.outside_at[there] + key)


def _count_moments(values: Floats, sums: Ints, *, arena: Arena, group: NumericGroup, at: tuple[Ints, Ints]) -> None:
    q = quantise(values, mean=group.mean[at], sd=group.sd[at])
    np.add.at(arena.sums, sums, q)
    np.add.at(arena.sums, sums + 1, q * q)
    np.minimum.at(arena.extrema, sums, values)
    np.maximum.at(arena.extrema, sums + 1, values)


def _scatter(arena: Arena, cells: Ints) -> None:
    np.add.at(arena.cells, cells, arena.one)
