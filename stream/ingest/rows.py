"""The rows of a block as arrays ready to be counted, whether they came one by one or in slabs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stream.ingest.block import Block
from stream.ingest.buffer import Buffer
from stream.ingest.counting import Rows
from stream.ingest.matrices import code_matrix
from stream.ingest.rooms import Places
from stream.ingest.slab import Slab, stretches
from stream.ingest.slab_values import slab_values
from stream.ingest.tables import StreamTables

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def heaviest(buffer: Buffer) -> int:
    """The most that one row of the buffer adds to a cell: 1, or what it holds of names that nobody declared."""
    listed = (max(features, keys) for _, features, keys in buffer.unknown)
    slabs = (max(slab.unknown_features, slab.unknown_keys) for slab in buffer.slabs)
    return max(1, max(listed, default=0), max(slabs, default=0))


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
    narrow, wide = buffer.numbers((tables.narrow.count, tables.wide.count))
    named, codes = buffer.categorical, tables.codes
    if len(row) < buffer.listed:
        # A list is indexed by ints of its own three times as fast.
        narrow, wide, named = narrow[row], wide[row], [named[at] for at in row.tolist()]
    cells = code_matrix(named, [codes[at] for at in layout.tolist()], max(map(len, codes)))
    return narrow, wide, cells


def _unknown(buffer: Buffer, row: Ints) -> Ints | None:
    """Of each row how many features and keys it holds that nobody declared; None where none holds any."""
    if not buffer.unknown and not any(map(_strange, buffer.slabs)):
        return None
    found = np.zeros((len(row), 2), np.int64)
    for at, *held in buffer.unknown:
        place = int(np.searchsorted(row, at))
        if place < len(row) and row[place] == at:
            found[place] += held
    for slab, span, _ in stretches(buffer.slabs, row, first=buffer.listed):
        found[span] = slab.unknown_features, slab.unknown_keys
    return found


def _strange(slab: Slab) -> bool:
    return bool(slab.unknown_features or slab.unknown_keys)
