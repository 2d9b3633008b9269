"""Names of categories to the cells that count them, as ``codes.CodeTable`` says: known ones, hashed ones, unseen ones, ids."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stream.compiled.jit import inlined, uncounted
from stream.ingest.compiled.tokens import SPREAD, Bytes, Int, Ints, same_bytes
from stream.ingest.compiled.values import MISSING, NAME, WRONG
from stream.state.layout import WASTE

#: Of a table: its first cell, how many buckets it has, whether they are of ids, and the cells of what has no bin of its own.
FIRST, BUCKETS, OF_IDS, UNSEEN, NO_VALUE, WRONG_TYPE = range(6)
#: Of a known name: its table, CRC-32, where it stands in the texts, its length, and its cell.
OF_TABLE, SUM, PLACE, BYTES, CELL = range(5)


class NamedTables(NamedTuple):
    """The tables of a stream: by layout and column its table (-1: none), and which column of the rows it is of.

    ``places`` is a hash table as long as a power of two: the number of an entry, or -1.
    """

    table: Ints
    column: Ints
    tables: Ints
    entries: Ints
    places: Ints
    texts: Bytes


@uncounted
def name_cells(found: Ints, text: Bytes, row: Ints, layout: Ints, named: NamedTables, into: Ints) -> None:
    """The cells of the names of these rows, each by the tables of its layout; what a layout does not have is not counted."""
    for at in range(len(row)):
        for place in range(into.shape[1]):
            table = named.table[layout[at], place]
            into[at, place] = WASTE
            if table >= 0:
                column = named.column[layout[at], place]
                begin, told = found[row[at], column, 0], found[row[at], column, 1]
                if begin >= 0:
                    into[at, place] = _cell(text, begin, told >> 32, told & 0xFFFFFFFF, table, named)
                elif begin == MISSING:
                    into[at, place] = named.tables[table, NO_VALUE]
                elif begin == WRONG:
                    into[at, place] = named.tables[table, WRONG_TYPE]


@inlined
def _cell(text: Bytes, begin: Int, length: Int, sum_: Int, table: Int, named: NamedTables) -> Int:
    mask, entries = len(named.places) - 1, named.entries
    place = (sum_ + table * SPREAD) & mask
    while named.places[place] >= 0:
        known = named.places[place]
        if (
            entries[known, SUM] == sum_
            and entries[known, OF_TABLE] == table
            and entries[known, BYTES] == length
            and same_bytes(text, begin, named.texts, entries[known, PLACE], length)
        ):
            cell: Int = entries[known, CELL]
            return cell
        place = (place + 1) & mask
    buckets, first = named.tables[table, BUCKETS], named.tables[table, FIRST]
    if buckets == 0:
        first, buckets = named.tables[table, UNSEEN], 1
    found: Int = first + (_scattered_sum(sum_) if named.tables[table, OF_IDS] else sum_) % buckets
    return found


@inlined
def _scattered_sum(found: Int) -> Int:
    """What ``codes.scattered`` makes of a CRC-32."""
    found = (found ^ found >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    found = (found ^ found >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return found ^ found >> 16


def example() -> None:
    """Of a row without names."""
    row, table = np.zeros(1, np.int64), np.zeros((1, 6), np.int64)
    named = NamedTables(table, table, table, table, np.full(2, -1, np.int64), np.frombuffer(b" ", np.uint8))
    name_cells(np.full((1, 6, NAME), MISSING), np.zeros(1, np.uint8), row, row, named, np.zeros((1, 6), np.int64))
