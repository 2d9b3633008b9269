"""Rows of a slab that are counted where they lie, column by column: what a slab has many of is copied nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stream.ingest.arena import Arena
from stream.ingest.block import Block
from stream.ingest.buffer import Buffer
from stream.ingest.compiled.counts import add_columns, add_columns_names
from stream.ingest.counting import example_tables
from stream.ingest.featured import Valued
from stream.ingest.rooms import Places, Rooms
from stream.ingest.slab import Slab, stretches
from stream.ingest.slab_values import codes_of
from stream.ingest.tables import StreamTables
from stream.records import Taken

Ints = npt.NDArray[np.int64]

#: So many rows of a slab are counted by columns: of fewer the calls would cost more than copying them into rows.
ENOUGH = 32


@dataclass(frozen=True, eq=False, slots=True)
class Sheet:
    """Rows of a slab, ``at``, that are counted in one layout: where in which arena, and which of them are late.

    ``codes`` are (columns × rows of the slab) of cells.
    """

    slab: Slab
    layout: int
    at: Ints
    places: Places
    late: npt.NDArray[np.bool_]
    codes: Ints

    def valued(self) -> Valued:
        """The same as rows of values."""
        slab, at = self.slab, self.at
        numbers = slab.narrow[:, at].T, slab.wide[:, at].T
        return Valued(np.full(len(at), self.layout), slab.times[at], *numbers, self.codes[:, at].T)


def sheets_of(
    buffer: Buffer, block: Block, chosen: Ints, *, places: Places, tables: StreamTables
) -> tuple[list[Sheet], Ints]:
    """The sheets, and which of the ``chosen`` rows, whose ``places`` these are, are left to be counted one by one."""
    left, found = np.ones(len(chosen), np.bool_), list[Sheet]()
    for slab, span, at in stretches(buffer.slabs, block.row[chosen], first=buffer.listed):
        if len(at) >= ENOUGH:
            left[span] = False
            here = np.arange(span.start, span.stop)
            found += _sheets(slab, at, block, chosen=chosen[span], places=places.of(here), tables=tables)
    return found, np.flatnonzero(left)


def _sheets(
    slab: Slab, at: Ints, block: Block, *, chosen: Ints, places: Places, tables: StreamTables
) -> Iterator[Sheet]:
    layout, late = block.layout[chosen], block.late[chosen]
    for number in np.unique(layout).tolist():
        of = np.flatnonzero(layout == number)
        codes = codes_of(slab, tables.codes[number])
        yield Sheet(slab, number, at[of], places.of(of), late[of], codes)


def count_sheet(sheet: Sheet, rooms: Rooms, tables: StreamTables) -> None:
    """Add every row to its partial."""
    for arena, of in rooms.parts(sheet.places):
        _count_in(arena, sheet, of, tables=tables)


def example() -> None:
    """A row of a slab, in cells of each width."""
    tables, zero = example_tables(), np.zeros(1, np.int64)
    numbers, record = np.zeros((tables.narrow.count, 1)), Taken(0, 0, None, None)
    slab = Slab(0, record, zero, numbers, np.empty((0, 1)), ())
    sheet = Sheet(slab, 0, zero, Places(zero, zero, zero), np.zeros(1, np.bool_), np.zeros((1, 1), np.int64))
    for arena in Rooms().arenas:
        _count_in(arena, sheet, zero, tables=tables)


def _count_in(arena: Arena, sheet: Sheet, of: Ints, *, tables: StreamTables) -> None:
    slab, at, places = sheet.slab, sheet.at[of], sheet.places.of(of)
    unknown = np.array((slab.unknown_features, slab.unknown_keys))
    add_columns_names(at, sheet.codes, unknown, arena.cells, places.cells, sheet.late[of])
    for group, values in ((tables.narrow, slab.narrow), (tables.wide, slab.wide)):
        if values.size:
            columns = group.columns[group.alike[sheet.layout]]
            add_columns(
                at, values, columns, group.edges, arena.cells, arena.sums, arena.extrema, places.cells, places.sums
            )
