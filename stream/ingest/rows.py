"""The rows of a block as arrays ready to be counted, whether they came one by one or in slabs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stream.ingest.block import Block
from stream.ingest.buffer import Buffer
from stream.ingest.compiled.values import UNKNOWN_FEATURES, UNKNOWN_KEYS
from stream.ingest.counting import Rows
from stream.ingest.naming import cells_of
from stream.ingest.rooms import Places
from stream.ingest.slab import Slab, stretches
from stream.ingest.slab_values import slab_values
from stream.ingest.tables import StreamTables

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def heaviest(buffer: Buffer) -> int:
    """The most that one row of the buffer adds to a cell: 1, or what it holds of names that nobody declared."""
    listed = (int(buffer.meta(kind).max(initial=0)) for kind in (UNKNOWN_FEATURES, UNKNOWN_KEYS))
    slabs = (max(slab.unknown_features, slab.unknown_keys) for slab in buffer.slabs)
    return max(1, *listed, max(slabs, default=0))


def rows_of(buffer: Buffer, block: Block, chosen: Ints, *, tables: StreamTables, places: Places) -> Rows:
    """The chosen rows of the block, which are counted in ``places``."""
    row, layout = block.row[chosen], block.layout[chosen]
    listed = int(np.searchsorted(row, buffer.listed))
    narrow, wide, codes = _listed_values(buffer, row[:listed], layout[:listed], tables=tables)
    if buffer.slabs:
        slabs = slab_values(buffer.slabs, row[listed:] - buffer.listed, layout[listed:], tables=tables)
        narrow, wide, codes = (np.concatenate(pair) for pair in zip((narrow, wide, codes), slabs, strict=True))
    unknown = _unknown(buffer, row)
    return Rows(layout, places.cells, places.sums, narrow, wide, codes, block.late[chosen], unknown)


def _listed_values(buffer: Buffer, row: Ints, layout: Ints, *, tables: StreamTables) -> tuple[Floats, Floats, Ints]:
    listed = buffer.arrays((tables.narrow.count, tables.wide.count, tables.named.table.shape[1]))
    narrow, wide = (held[: len(row)] if len(row) == buffer.listed else held[row] for held in listed.rows[1:3])
    return narrow, wide, cells_of(listed, row, layout, named=tables.named)


def _unknown(buffer: Buffer, row: Ints) -> Ints | None:
    """Of each row how many features and keys it holds that nobody declared; None where none holds any."""
    listed = [buffer.meta(kind) for kind in (UNKNOWN_FEATURES, UNKNOWN_KEYS)]
    if not any(map(_strange, buffer.slabs)) and not any(one.any() for one in listed):
        return None
    found = np.zeros((len(row), 2), np.int64)
    count = int(np.searchsorted(row, buffer.listed))
    for column, held in enumerate(listed):
        found[:count, column] = held[row[:count]]
    for slab, span, _ in stretches(buffer.slabs, row, first=buffer.listed):
        found[span] = slab.unknown_features, slab.unknown_keys
    return found


def _strange(slab: Slab) -> bool:
    return bool(slab.unknown_features or slab.unknown_keys)
