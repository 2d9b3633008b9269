"""Adds rows to the arena: every column of every row, over all models, to the pane that each is counted in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stream.ingest.arena import Arena
from stream.ingest.compiled.counts import add_names, add_rows, add_unknown
from stream.ingest.rooms import Rooms
from stream.ingest.shape import shape_of
from stream.ingest.tables import NumericGroup, StreamTables, stream_tables
from stream.state.layout import Layout, NumericColumn

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


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


def count(rows: Rows, arena: Arena, *, order: Ints, narrow: NumericGroup, wide: NumericGroup) -> None:
    """Add these of the rows to their partials, which are all in this arena; fastest where rows of one stand together."""
    add_names(order, rows.codes, arena.cells, rows.cells, rows.late)
    if rows.unknown is not None:
        add_unknown(order, rows.unknown, arena.cells, rows.cells)
    for group, values in ((narrow, rows.narrow), (wide, rows.wide)):
        if values.size:
            add_rows(
                order, rows.layout, values, group.columns, group.alike, group.edges,
                arena.cells, arena.sums, arena.extrema, rows.cells, rows.sums,
            )  # fmt: skip


def example() -> None:
    """One row, in cells of each width."""
    tables, zero = example_tables(), np.zeros(1, np.int64)
    numbers = np.zeros((1, tables.narrow.count))
    names, unknown = np.zeros((1, 1), np.int64), np.zeros((1, 2), np.int64)
    rows = Rows(zero, zero, zero, numbers, numbers, names, np.zeros(1, np.bool_), unknown)
    for arena in Rooms().arenas:
        count(rows, arena, order=zero, narrow=tables.narrow, wide=tables.narrow)


def example_tables() -> StreamTables:
    """Of a layout of one numeric column."""
    layout = Layout("", "predictions", 1, (NumericColumn("", "", ()),), ())
    return stream_tables([(layout, shape_of([layout]))])
