"""Which rows of a block are counted by whole columns: those of a slab of which enough fall into one pane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stream.ingest.block import Block
from stream.ingest.buffer import Buffer
from stream.ingest.slab import Slab, stretches
from stream.ingest.slab_values import codes_of
from stream.ingest.tables import StreamTables
from stream.ingest.tenure import OpenPane
from stream.ingest.whole import Sheet

Ints = npt.NDArray[np.int64]

#: So many rows of one pane are counted by columns: below some 200 the calls cost more than they save.
ENOUGH = 256


def sheets_of(
    buffer: Buffer, block: Block, chosen: Ints, *, of_row: Ints, panes: Sequence[OpenPane | None], tables: StreamTables
) -> tuple[list[Sheet], Ints]:
    """The sheets, and the rows of ``chosen`` that are left to be counted one by one.

    :param of_row: for each row of the block its place in ``panes``.
    """
    left, sheets = np.ones(len(chosen), np.bool_), []
    for slab, span, at in stretches(buffer.slabs, block.row[chosen], first=buffer.listed):
        if len(at) >= ENOUGH:
            here, codes = chosen[span], dict[int, Ints]()
            for group in _full(of_row[here]):
                taken = of_row[here] == group
                left[span] &= ~taken
                if pane := panes[group]:
                    rows = here[taken]
                    layout = int(block.layout[rows[0]])
                    if layout not in codes:
                        codes[layout] = codes_of(slab, tables.codes[layout])
                    late = int(block.late[rows].sum())
                    sheets.append(_sheet(slab, at[taken], pane, codes=codes[layout], layout=layout, late=late))
    return sheets, chosen[left]


def _full(groups: Ints) -> list[int]:
    """Groups of enough rows."""
    found, rows = np.unique(groups, return_counts=True)
    full: list[int] = found[rows >= ENOUGH].tolist()
    return full


def _sheet(slab: Slab, at: Ints, pane: OpenPane, *, codes: Ints, layout: int, late: int) -> Sheet:
    times, narrow, wide = slab.times, slab.narrow, slab.wide
    if len(at) < len(slab):
        times, narrow, wide, codes = times[at], narrow[:, at], wide[:, at], codes[:, at]
    return Sheet(
        layout, pane.arena, pane.room, times, narrow, wide, codes, late, slab.unknown_features, slab.unknown_keys
    )
