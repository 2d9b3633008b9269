"""Chosen rows of slabs as the matrices that counting takes: (rows × columns) of numbers, and of category cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from stream.ingest.codes import CodeTable
from stream.ingest.slab import Named, Slab, stretches
from stream.ingest.tables import StreamTables
from stream.state.layout import WASTE

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def slab_values(slabs: Sequence[Slab], row: Ints, layout: Ints, *, tables: StreamTables) -> tuple[Floats, Floats, Ints]:
    """Narrow and wide numbers and codes of these rows, which are numbered through all slabs and in order.

    :param layout: the layout each row is counted in.
    """
    narrow = np.full((len(row), tables.narrow.count), np.nan)
    wide = np.full((len(row), tables.wide.count), np.nan)
    codes = np.full((len(row), max(map(len, tables.codes))), WASTE, np.int64)
    for slab, span, at in stretches(slabs, row, first=0):
        narrow[span, : len(slab.narrow)] = slab.narrow[:, at].T
        wide[span, : len(slab.wide)] = slab.wide[:, at].T
        for number in np.unique(layout[span]).tolist():
            found = codes_of(slab, tables.codes[number])
            here = layout[span] == number
            codes[span, : len(found)][here] = found[:, at[here]].T
    return narrow, wide, codes


def codes_of(slab: Slab, tables: Sequence[CodeTable]) -> Ints:
    """(columns × rows) of category cells, by the tables of one layout."""
    found = np.empty((len(tables), len(slab)), np.int64)
    for place, table, column in zip(found, tables, slab.categorical, strict=True):
        place[:] = _looked_up(column, table, len(slab))
    return found


def _looked_up(column: Any, table: CodeTable, rows: int) -> Any:
    if type(column) is Named:
        return np.fromiter(map(table.__getitem__, column.names), np.int64, len(column.names))[column.of_row]
    return np.fromiter(map(table.__getitem__, column), np.int64, rows) if type(column) is list else table[column]
