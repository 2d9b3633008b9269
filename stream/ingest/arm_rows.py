"""The rows of a block that are counted by version too, and their values; there are none where no model has a release.

Numbers of rows that came one by one are taken from what was made of them already; versions, ids and the few other names are
looked up anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from stream.ingest.arms import KINDS, NEITHER, ArmsPlan, ArmsTables
from stream.ingest.block import Block
from stream.ingest.buffer import Buffer
from stream.ingest.counting import Rows
from stream.ingest.naming import cells_of
from stream.ingest.rooms import Places
from stream.ingest.slab import Named, Slab, stretches
from stream.state.layout import WASTE

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Numbers:
    """The numbers of the rows of a block that came one by one, by their place in the buffer, which rises."""

    row: Ints
    narrow: Floats
    wide: Floats


@dataclass(frozen=True, eq=False, slots=True)
class _Piece:
    """Rows of one layout (``at``: their places in the block), their numbers, and the cells of each column of names."""

    place: int
    at: Ints
    narrow: Floats
    wide: Floats
    cells: Sequence[Ints]


def by_version(block: Block, plan: ArmsPlan) -> Block:
    """The rows that are counted by version, with the places of their layouts among those of arms."""
    place = plan.places(block.shape, block.time)
    kept = np.flatnonzero(place >= 0)
    layout, time = place[kept], block.time[kept]
    return Block(
        block.row[kept], block.tenure[kept], layout, time - time % plan.found.pane_ms[layout], block.late[kept],
        block.shape[kept], time, block.tenures, block.clocks, (),
    )  # fmt: skip


def arm_rows(
    buffer: Buffer, block: Block, chosen: Ints, *, found: ArmsTables, numbers: Numbers | None, places: Places
) -> Rows:
    """The chosen rows of ``by_version``, ready to be counted; each is counted in its ``places``."""
    count = len(chosen)
    narrow, wide = np.empty((count, found.narrow_at.shape[1])), np.empty((count, found.wide_at.shape[1]))
    codes = np.full((count, max(map(len, found.named))), WASTE, np.int64)
    kinds = np.empty(count, np.int64)
    for piece in _pieces(buffer, block.row[chosen], block.layout[chosen], found=found, numbers=numbers):
        narrow[piece.at], wide[piece.at] = piece.narrow, piece.wide
        columns = found.named[piece.place]
        kinds[piece.at] = kind = np.minimum(piece.cells[0], NEITHER)
        for at, column in enumerate(columns):
            starts = column.starts[kind]
            codes[piece.at, at] = np.where(starts == WASTE, WASTE, starts + piece.cells[at])
    return Rows(
        block.layout[chosen] * KINDS + kinds, places.cells, places.sums, narrow, wide, codes, block.late[chosen]
    )


def _pieces(buffer: Buffer, row: Ints, layout: Ints, *, found: ArmsTables, numbers: Numbers | None) -> Iterator[_Piece]:
    listed = int(np.searchsorted(row, buffer.listed))
    if numbers is not None:  # there are none where no row came by itself
        for place, at in _by_layout(layout[:listed]):
            yield _listed(buffer, row, at, place=place, found=found, numbers=numbers)
    for slab, span, where in stretches(buffer.slabs, row, first=buffer.listed):
        for place, at in _by_layout(layout[span]):
            yield _of_slab(slab, span.start + at, where[at], place=place, found=found)


def _listed(buffer: Buffer, row: Ints, at: Ints, *, place: int, found: ArmsTables, numbers: Numbers) -> _Piece:
    own = np.searchsorted(numbers.row, row[at])[:, None]
    cells = cells_of(buffer.arrays(), row[at], np.full(len(at), place), named=found.of_names).T
    return _Piece(
        place, at, numbers.narrow[own, found.narrow_at[place]], numbers.wide[own, found.wide_at[place]],
        list(cells[: len(found.named[place])]),
    )  # fmt: skip


def _of_slab(slab: Slab, at: Ints, own: Ints, *, place: int, found: ArmsTables) -> _Piece:
    narrow, wide = slab.narrow[found.narrow_at[place]][:, own].T, slab.wide[found.wide_at[place]][:, own].T
    cells = [column.table.cells(_chosen(slab.categorical[column.place], own)) for column in found.named[place]]
    return _Piece(place, at, narrow, wide, cells)


def _chosen(column: Any, rows: Ints) -> Sequence[Any]:
    """Of a slab's column of names, the values of these rows."""
    if type(column) is Named:
        return column.values(rows)
    return list(map(column.__getitem__, rows.tolist())) if type(column) is list else [column] * len(rows)


def _by_layout(layout: Ints) -> Iterator[tuple[int, Ints]]:
    for place in np.unique(layout).tolist():
        yield place, np.flatnonzero(layout == place)
