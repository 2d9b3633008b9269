"""What counting needs of every layout of a stream, as arrays: built once a configuration, indexed by layout number.

Numeric columns are split by the length of their edges into ``NARROW`` and wide ones.  Columns stand in the order of their
model's shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.binning import tree
from detectors.moments import scale_of
from stream.ingest.codes import CodeTable, IdTable, Nothing
from stream.ingest.compiled.counts import COLUMN, DETAILED, NOT_THERE, PLAIN
from stream.ingest.compiled.naming import NamedTables
from stream.ingest.featured import Featured, featured
from stream.ingest.naming import named_tables
from stream.ingest.shape import Columns, Shape
from stream.state.layout import HASH_BUCKETS, ID, SPECIALS, WASTE, CategoricalColumn, Layout

#: Tables by column and its first cell.
_Made = dict[tuple[CategoricalColumn, int], CodeTable]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class NumericGroup:
    """Numeric columns: what counting asks about each (``COLUMN``), padded with columns that are not there.

    ``columns`` has a row for all layouts that are alike in it, and ``edges`` holds equal edges once: models mostly are alike, and
    then this stays in the processor's cache.  ``alike``: by layout which row.
    """

    edges: Floats
    columns: npt.NDArray[np.void]
    alike: Ints

    @property
    def count(self) -> int:
        """How many columns the widest layout has."""
        return int(self.columns.shape[1])

    @property
    def used(self) -> npt.NDArray[np.bool_]:
        """(layouts × columns): which are there."""
        found: npt.NDArray[np.bool_] = (self.columns["kind"] != NOT_THERE)[self.alike]
        return found


@dataclass(frozen=True, eq=False, slots=True)
class StreamTables:
    """Everything about the layouts of one stream, by layout number; ``codes`` in the order of the shape."""

    layouts: tuple[Layout, ...]
    narrow: NumericGroup
    wide: NumericGroup
    codes: tuple[tuple[CodeTable, ...], ...]
    pane_ms: Ints
    featured: Featured
    #: The same as ``codes``, for the kernel.
    named: NamedTables


def stream_tables(layouts: Sequence[tuple[Layout, Shape]]) -> StreamTables:
    """The tables of these layouts, which keep their numbers; each is read through the shape beside it."""
    narrow = _group([(layout, shape.narrow) for layout, shape in layouts])
    wide = _group([(layout, shape.wide) for layout, shape in layouts])
    made: _Made = {}
    codes = tuple(_codes(layout, shape.categorical, made) for layout, shape in layouts)
    pane_ms = np.array([layout.pane_ms for layout, _ in layouts], np.int64)
    features = featured(layouts, codes, used=(narrow.used, wide.used))
    named = named_tables([list(enumerate(each)) for each in codes])
    return StreamTables(tuple(layout for layout, _ in layouts), narrow, wide, codes, pane_ms, features, named)


def _codes(layout: Layout, order: Columns, made: _Made) -> tuple[CodeTable, ...]:
    """Models that are alike share their tables: a thousand of each column would not stay in the processor's cache."""
    starts = zip(layout.categorical, layout.categorical_starts, strict=True)
    tables = {place[0].key: made.get(place) or made.setdefault(place, _table(*place)) for place in starts}
    return tuple(tables.get(key, Nothing()) for key in order)


def _table(column: CategoricalColumn, first: int) -> CodeTable:
    return (IdTable if column.path == ID else CodeTable)(column, first)


def _group(layouts: Sequence[tuple[Layout, Columns]]) -> NumericGroup:
    count = max((len(order) for _, order in layouts), default=0)
    edges, rows = _Edges(), dict[bytes, int]()
    alike = np.zeros(len(layouts), np.int64)
    for number, (layout, order) in enumerate(layouts):
        row = np.zeros(count, COLUMN)
        for position, at in _places(layout, order):
            row[position] = _column(layout, at, edges)
        alike[number] = rows.setdefault(row.tobytes(), len(rows))
    columns = np.zeros((len(rows), count), COLUMN)
    for row, held in zip(columns, rows, strict=True):
        row[:] = np.frombuffer(held, COLUMN)
    return NumericGroup(edges.flat(), columns, alike)


class _Edges:
    """Edges one behind the other, equal ones once."""

    def __init__(self) -> None:
        self._begins: dict[tuple[float, ...], int] = {}
        self._parts: list[Floats] = [np.empty(0)]
        self._size = 0

    def begin(self, edges: tuple[float, ...]) -> int:
        """Where these begin."""
        if edges not in self._begins:
            self._parts.append(tree(edges))
            self._begins[edges] = self._size
            self._size += len(self._parts[-1])
        return self._begins[edges]

    def flat(self) -> Floats:
        """All of them."""
        return np.concatenate(self._parts)


def _places(layout: Layout, order: Columns) -> list[tuple[int, int]]:
    """(position in the shape, number in the layout) of the columns that the layout has."""
    numbers = {column.key: at for at, column in enumerate(layout.numeric)}
    return [(position, numbers[key]) for position, key in enumerate(order) if key in numbers]


def _column(layout: Layout, at: int, edges: _Edges) -> tuple[float, ...]:
    """A column as ``COLUMN`` says."""
    column, first = layout.numeric[at], layout.numeric_starts[at]
    specials = first + column.bins
    begin, depth = edges.begin(column.edges), len(column.edges).bit_length()
    scale = column.mean, scale_of(column.sd)
    if not column.detailed:
        return first, specials, WASTE, WASTE, 2 * at, begin, depth, PLAIN, *scale, -np.inf, np.inf
    hashes = specials + len(SPECIALS)
    beyond = hashes + HASH_BUCKETS
    return first, specials, hashes, beyond, 2 * at, begin, depth, DETAILED, *scale, column.minimum, column.maximum
