"""What counting needs of every layout of a stream, as arrays: built once a configuration, indexed by layout number.

Numeric columns are split by the length of their edges into ``NARROW`` and wide ones, because a bisection costs every
column of its group the depth of the longest.  Columns stand in the order of their model's shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.binning import padded
from stream.ingest.codes import CodeTable, IdTable, Nothing
from stream.ingest.featured import Featured, featured
from stream.ingest.shape import Columns, Shape
from stream.state.layout import HASH_BUCKETS, ID, SPECIALS, WASTE, CategoricalColumn, Layout

#: Tables by column and its first cell.
_Made = dict[tuple[CategoricalColumn, int], CodeTable]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class NumericGroup:
    """Numeric columns; every array but ``edges`` is (layouts × columns), padded with unused columns.

    ``edges`` has a row for all columns whose edges are the same, as those of fixed grids and of models that are alike are, so that
    it stays in the processor's cache; ``edges_at`` says which.
    ``bins_at``, ``specials_at``, ``hash_at``, ``outside_at`` are cells (``WASTE`` where there is none); ``sum_at`` is the
    position of q among the partial's sums, of the minimum among its extrema.
    """

    edges: Floats
    edges_at: Ints
    bins_at: Ints
    specials_at: Ints
    hash_at: Ints
    outside_at: Ints
    sum_at: Ints
    mean: Floats
    sd: Floats
    minimum: Floats
    maximum: Floats
    used: npt.NDArray[np.bool_]

    @property
    def columns(self) -> int:
        return int(self.bins_at.shape[1])


@dataclass(frozen=True, eq=False, slots=True)
class StreamTables:
    """Everything about the layouts of one stream, by layout number; ``codes`` in the order of the shape."""

    layouts: tuple[Layout, ...]
    narrow: NumericGroup
    wide: NumericGroup
    codes: tuple[tuple[CodeTable, ...], ...]
    pane_ms: Ints
    featured: Featured


def stream_tables(layouts: Sequence[tuple[Layout, Shape]]) -> StreamTables:
    """The tables of these layouts, which keep their numbers; each is read through the shape beside it."""
    narrow = _group([(layout, shape.narrow) for layout, shape in layouts])
    wide = _group([(layout, shape.wide) for layout, shape in layouts])
    made: _Made = {}
    codes = tuple(_codes(layout, shape.categorical, made) for layout, shape in layouts)
    pane_ms = np.array([layout.pane_ms for layout, _ in layouts], np.int64)
    features = featured(layouts, codes, used=(narrow.used, wide.used))
    return StreamTables(tuple(layout for layout, _ in layouts), narrow, wide, codes, pane_ms, features)


def _codes(layout: Layout, order: Columns, made: _Made) -> tuple[CodeTable, ...]:
    """Models that are alike share their tables: a thousand of each column would not stay in the processor's cache."""
    starts = zip(layout.categorical, layout.categorical_starts, strict=True)
    tables = {place[0].key: made.get(place) or made.setdefault(place, _table(*place)) for place in starts}
    return tuple(tables.get(key, Nothing()) for key in order)


def _table(column: CategoricalColumn, first: int) -> CodeTable:
    return (IdTable if column.path == ID else CodeTable)(column, first)


def _group(layouts: Sequence[tuple[Layout, Columns]]) -> NumericGroup:
    shape = (len(layouts), max((len(order) for _, order in layouts), default=0))
    cells = {name: np.full(shape, WASTE, np.int64) for name in ("bins", "specials", "hash", "outside", "sum")}
    ends = (("mean", 0.0), ("sd", 1.0), ("min", -np.inf), ("max", np.inf))
    scale = {name: np.full(shape, fill) for name, fill in ends}
    used = np.zeros(shape, np.bool_)
    rows: dict[tuple[float, ...], int] = {(): 0}
    edges_at = np.zeros(shape, np.int64)
    for number, (layout, order) in enumerate(layouts):
        for position, at in _places(layout, order):
            edges_at[number, position] = rows.setdefault(layout.numeric[at].edges, len(rows))
            used[number, position] = True
            _fill(layout, at, (number, position), cells=cells, scale=scale)
    return NumericGroup(
        padded(list(rows)), edges_at, cells["bins"], cells["specials"], cells["hash"], cells["outside"], cells["sum"],
        scale["mean"], scale["sd"], scale["min"], scale["max"], used,
    )  # fmt: skip


def _places(layout: Layout, order: Columns) -> list[tuple[int, int]]:
    """(position in the shape, number in the layout) of the columns that the layout has."""
    numbers = {column.key: at for at, column in enumerate(layout.numeric)}
    return [(position, numbers[key]) for position, key in enumerate(order) if key in numbers]


def _fill(layout: Layout, at: int, where: tuple[int, int], *, cells: dict[str, Ints], scale: dict[str, Floats]) -> None:
    column, first = layout.numeric[at], layout.numeric_starts[at]
    cells["bins"][where] = first
    cells["specials"][where] = first + column.bins
    cells["sum"][where] = 2 * at
    scale["mean"][where], scale["sd"][where] = column.mean, column.sd
    if column.detailed:
        cells["hash"][where] = first + column.bins + len(SPECIALS)
        cells["outside"][where] = first + column.bins + len(SPECIALS) + HASH_BUCKETS
        scale["min"][where], scale["max"][where] = column.minimum, column.maximum
