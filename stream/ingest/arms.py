"""What counting by version needs of the layouts of a stream: built once a configuration, only where a model has a release.

Each layout of arms stands here three times, once for the rows of each arm and once for all others, so that counting knows a
row's cells by one number: three times the layout's place, and the row's arm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from stream.ingest.codes import CodeTable, IdTable
from stream.ingest.compiled.naming import NamedTables
from stream.ingest.naming import named_tables
from stream.ingest.shape import Columns, Shape
from stream.ingest.tables import StreamTables, stream_tables
from stream.state.arms import ARMS
from stream.state.layout import ID, WASTE, Layout

Ints = npt.NDArray[np.int64]

#: Rows of neither arm: of another version, or of none.
NEITHER = len(ARMS)
_KINDS = (*ARMS, "neither")
KINDS = len(_KINDS)


@dataclass(frozen=True, eq=False, slots=True)
class NamedColumn:
    """A column of names: where a row of the shape carries it, and its cells counted from its own first (``table``).

    ``starts``: its first cell by arm; ``WASTE`` for rows that it does not count.
    """

    place: int
    table: CodeTable
    starts: Ints


@dataclass(frozen=True, eq=False, slots=True)
class ArmsTables:
    """By the place of a layout: where a row of its shape carries the numbers that are counted, and the columns of names.

    The first of those is the version, of which the first two cells are the arms.  ``tables`` are by kind of row (see above).
    """

    layouts: tuple[Layout, ...]
    tables: StreamTables
    narrow_at: Ints
    wide_at: Ints
    named: tuple[tuple[NamedColumn, ...], ...]
    pane_ms: Ints
    #: The tables of ``named``, for the kernel.
    of_names: NamedTables


@dataclass(frozen=True, eq=False, slots=True)
class ArmsPlan:
    """By shape number, the place of the layout that rows count in from ``from_ms`` on, and before; -1: in none."""

    found: ArmsTables
    current: Ints
    previous: Ints
    from_ms: Ints

    def places(self, shapes: Ints, timestamps: Ints) -> Ints:
        """The layout that each row counts in; -1 where it counts in none."""
        chosen: Ints = np.where(timestamps < self.from_ms[shapes], self.previous[shapes], self.current[shapes])
        return chosen


@dataclass(frozen=True, slots=True)
class ArmsInForce:
    """Of one model's stream: the layout of panes that begin at ``from_ms`` or later, and of those before; None: no release."""

    current: Layout | None
    previous: Layout | None
    from_ms: int

    @property
    def layouts(self) -> list[Layout]:
        return [layout for layout in (self.current, self.previous) if layout is not None]


def with_arms(shape: Shape, force: ArmsInForce) -> Shape:
    """The shape with what is read for counting by version besides: the version itself, and ids."""
    columns = (column for layout in force.layouts for column in layout.categorical)
    wanted = dict.fromkeys((column.name.rpartition(".")[2], column.path) for column in columns)
    return replace(shape, categorical=(*shape.categorical, *(key for key in wanted if key not in shape.categorical)))


def arms_plan(models: Sequence[tuple[Shape, ArmsInForce]]) -> ArmsPlan | None:
    """The plan of a stream whose shapes these are, in the order of their numbers; None where nothing is counted by version."""
    numbered = [(layout, shape) for shape, force in models for layout in force.layouts]
    if not numbered:
        return None
    ends = np.cumsum([len(force.layouts) for _, force in models])
    current = [end - len(force.layouts) if force.current else -1 for end, (_, force) in zip(ends, models, strict=True)]
    previous = [end - 1 if force.previous else -1 for end, (_, force) in zip(ends, models, strict=True)]
    from_ms = [force.from_ms for _, force in models]
    return ArmsPlan(arms_tables(numbered), *(np.array(each, np.int64) for each in (current, previous, from_ms)))


def arms_tables(layouts: Sequence[tuple[Layout, Shape]]) -> ArmsTables:
    """The tables of these layouts of arms, each read through its model's shape."""
    orders = [_Order.of(layout, shape) for layout, shape in layouts]
    kinds = [(layout, order.shape(kind)) for (layout, _), order in zip(layouts, orders, strict=True) for kind in _KINDS]
    named = tuple(_named(layout, shape) for layout, shape in layouts)
    return ArmsTables(
        tuple(layout for layout, _ in layouts),
        stream_tables(kinds),
        _padded([order.places(shape.narrow, order.narrow) for order, (_, shape) in zip(orders, layouts, strict=True)]),
        _padded([order.places(shape.wide, order.wide) for order, (_, shape) in zip(orders, layouts, strict=True)]),
        named,
        np.array([layout.pane_ms for layout, _ in layouts], np.int64),
        named_tables([[(column.place, column.table) for column in columns] for columns in named]),
    )


@dataclass(frozen=True, slots=True)
class _Order:
    """The numeric columns of one arm, by their keys in the shape, in the shape's order."""

    about: Shape
    narrow: Columns
    wide: Columns

    @staticmethod
    def of(layout: Layout, shape: Shape) -> _Order:
        counted = {_key(name, path) for name, path in (column.key for column in layout.numeric)}
        chosen = (tuple(key for key in keys if key in counted) for keys in (shape.narrow, shape.wide))
        return _Order(shape, *chosen)

    def shape(self, kind: str) -> Shape:
        """The shape through which the rows of one kind are read: what it does not name is not counted of them."""
        narrow, wide = (tuple((f"{kind}.{name}", path) for name, path in keys) for keys in (self.narrow, self.wide))
        return Shape(self.about.model, self.about.stream, self.about.pane_ms, narrow, wide, ())

    @staticmethod
    def places(held: Columns, chosen: Columns) -> list[int]:
        return [held.index(key) for key in chosen]


def _key(name: str, path: str) -> tuple[str, str]:
    """Of an arm's column, the key of the stream's own."""
    return name.partition(".")[2], path


def _padded(rows: Sequence[list[int]]) -> Ints:
    """As a matrix; what fills a row up is the place of a column that is not counted."""
    found = np.zeros((len(rows), max(map(len, rows), default=0)), np.int64)
    for at, row in enumerate(rows):
        found[at, : len(row)] = row
    return found


def _named(layout: Layout, shape: Shape) -> tuple[NamedColumn, ...]:
    version = layout.categorical[0]
    first = layout.categorical_starts[0]
    found = [NamedColumn(shape.categorical.index(version.key), CodeTable(version, 0), np.full(KINDS, first))]
    starts = dict(zip((column.key for column in layout.categorical), layout.categorical_starts, strict=True))
    for column in layout.categorical[1:]:
        arm, _, name = column.name.partition(".")
        if arm == ARMS[0]:
            of_arms = [starts[f"{other}.{name}", column.path] for other in ARMS]
            table = (IdTable if column.path == ID else CodeTable)(column, 0)
            place = shape.categorical.index((name, column.path))
            found.append(NamedColumn(place, table, np.array([*of_arms, WASTE])))
    return tuple(found)
