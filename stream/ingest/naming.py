"""Tables of categories as arrays, for the kernel that looks names up; one that many layouts share is entered once."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
import numpy.typing as npt

from stream.ingest.codes import WRONG_TYPE, CodeTable, IdTable, Nothing
from stream.ingest.compiled.naming import NamedTables, name_cells
from stream.ingest.compiled.tokens import SPREAD
from stream.ingest.hashed import hash_table, int_matrix
from stream.ingest.listed import Listed

Ints = npt.NDArray[np.int64]


def named_tables(layouts: Sequence[Sequence[tuple[int, CodeTable]]]) -> NamedTables:
    """Of each layout, for each of its columns, which column of the rows it is and its table."""
    numbers: dict[int, int] = {}
    tables: list[list[int]] = []
    entries: list[list[int]] = []
    texts = bytearray()
    width = max(map(len, layouts), default=0)
    table, column = np.full((len(layouts), width), -1, np.int64), np.zeros((len(layouts), width), np.int64)
    for at, columns in enumerate(layouts):
        for place, (own, codes) in enumerate(columns):
            if isinstance(codes, Nothing):
                continue
            if id(codes) not in numbers:
                numbers[id(codes)] = len(tables)
                entries += _entries(codes, len(tables), texts)
                tables.append(_table(codes))
            table[at, place], column[at, place] = numbers[id(codes)], own
    index = hash_table([own + number * SPREAD for number, own, *_ in entries])
    return NamedTables(
        table,
        column,
        int_matrix(tables, 6),
        int_matrix(entries, 5),
        index,
        np.frombuffer(bytes(texts) + b"\0", np.uint8),
    )


def cells_of(listed: Listed, row: Ints, layout: Ints, *, named: NamedTables) -> Ints:
    """(rows × columns) of the cells of these listed rows, by the tables of their layouts."""
    found = np.empty((len(row), named.table.shape[1]), np.int64)
    name_cells(listed.rows.named, listed.rows.text, row, layout, named, found)
    return found


def _table(codes: CodeTable) -> list[int]:
    of_ids = isinstance(codes, IdTable)
    return [codes.first, codes.buckets, int(of_ids), codes.unseen, codes[None], codes[WRONG_TYPE]]


def _entries(codes: CodeTable, number: int, texts: bytearray) -> list[list[int]]:
    found = []
    for name, cell in codes.items():
        if type(name) is str:
            written = name.encode("utf-8", "surrogatepass")
            found.append([number, crc32(written), len(texts), len(written), cell])
            texts += written
    return found
