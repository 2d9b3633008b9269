"""Kafka's record batches (message format 2): where each batch of a fetch lies, and where each record of a batch.

Nothing is read outside the text, whatever a length says; a batch or record that does not end where it should is told, not guessed.
Of older formats only the place of a batch is found.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stream.compiled.crc32c import crc32c
from stream.compiled.jit import uncounted

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Table = npt.NDArray[np.int64]
Int = int | np.int64

#: Columns of the table of batches: where one begins and ends, where its next record begins and how many are left, and its header.
FIRST, END, AT, LEFT, KIND, BASE, NEXT, FIRST_TIME, MAX_TIME, ATTRIBUTES, PRODUCER, COLUMNS = range(12)
#: Kinds: records as they are; to be looked at before they are read; older formats; not what its checksum or its length says.
PLAIN, LOOK, OLD, DAMAGED = range(4)
#: Rows of what records are written to.
OFFSET, TIME, KEY, KEY_END, VALUE, VALUE_END, ROWS = range(7)

#: Attributes of a batch; one that is packed, is part of a transaction or ends one is to be looked at.
PACKED, APPENDED, TRANSACTION, CONTROL = 0x07, 0x08, 0x10, 0x20
_LOOK_AT = PACKED | TRANSACTION | CONTROL

#: Bytes before a batch's length counts, at least in any format, and of the header of format 2.
_BEFORE, _LEAST, _HEADER = 12, 14, 61
#: Bytes that a record takes at least.
LEAST_RECORD = 7

_U0, _U1, _U7, _U63, _U127 = (np.uint64(value) for value in (0, 1, 7, 63, 127))


@uncounted
def whole_at(text: Bytes, at: Int, size: int) -> Int:
    """The number of ``size`` bytes that stands there, with its sign."""
    found = np.int64(text[at])
    if found > 127:
        found -= 256
    for place in range(at + 1, at + size):
        found = found << 8 | np.int64(text[place])
    return found


def batches(text: Bytes) -> tuple[Table, int]:
    """A row for each whole batch, and how many records all of them say they have."""
    table = np.zeros((_count(text), COLUMNS), np.int64)
    rows, said = _fill(text, table)
    return table[:rows], int(said)


@uncounted
def _count(text: Bytes) -> int:
    count, at = 0, np.int64(0)
    while len(text) - at >= _BEFORE:
        length = whole_at(text, at + 8, 4)
        if length > len(text) - at - _BEFORE:
            break
        count, at = count + 1, at + _BEFORE + max(length, _LEAST)
    return count


@uncounted
def _fill(text: Bytes, table: Table) -> tuple[int, Int]:
    """Up to the first batch that says it is too short to be one: where the next begins is not known."""
    at, said = np.int64(0), np.int64(0)
    for row in range(len(table)):
        end = at + _BEFORE + whole_at(text, at + 8, 4)
        said += _describe(text, at, end, table[row])
        if end - at < _BEFORE + _LEAST:
            return row + 1, said
        at = end
    return len(table), said


@uncounted
def _describe(text: Bytes, first: Int, end: Int, row: Ints) -> Int:
    row[FIRST], row[END] = first, end
    if end - first < _BEFORE + _LEAST:
        row[KIND] = DAMAGED
        return 0
    if text[first + 16] < 2:
        row[KIND] = OLD
        return 1
    if end - first < _HEADER or crc32c(text, first + 21, end) != whole_at(text, first + 17, 4) & 0xFFFFFFFF:
        row[KIND] = DAMAGED
        return 0
    row[AT], row[LEFT] = first + _HEADER, whole_at(text, first + 57, 4)
    row[BASE] = whole_at(text, first, 8)
    row[NEXT] = row[BASE] + whole_at(text, first + 23, 4) + 1
    row[FIRST_TIME], row[MAX_TIME] = whole_at(text, first + 27, 8), whole_at(text, first + 35, 8)
    row[ATTRIBUTES], row[PRODUCER] = whole_at(text, first + 21, 2), whole_at(text, first + 43, 8)
    row[KIND] = LOOK if row[ATTRIBUTES] & _LOOK_AT else PLAIN
    return max(np.int64(0), np.int64(row[LEFT]))


@uncounted
def records(text: Bytes, table: Table, row: int, floor: Int, found: Ints) -> tuple[int, int, Int, bool]:
    """Write the next records to ``found``, as many as it has room for, from a row of the table on; note there how far it went.

    Passed over is what lies below ``floor``, the offset that is to be read.  Returns how many were found, the row and the floor
    that the next ones have, and whether what follows is damaged.
    """
    count, room = 0, found.shape[1]
    while row < len(table) and count < room:
        at, end, left = table[row, AT], min(table[row, END], len(text)), table[row, LEFT]
        base, first = table[row, BASE], table[row, FIRST_TIME]
        appended = table[row, ATTRIBUTES] & APPENDED != 0
        while left > 0 and count < room:
            begin = at
            later, behind, at = _record(text, at, end, found, count)
            if at < 0:
                table[row, AT], table[row, LEFT] = begin, left
                return count, row, floor, True
            left -= 1
            if base + behind >= floor:
                found[OFFSET, count] = base + behind
                found[TIME, count] = table[row, MAX_TIME] if appended else first + later
                count, floor = count + 1, base + behind + 1
        table[row, AT], table[row, LEFT] = at, left
        if left > 0:
            break
        if at != end:
            return count, row, floor, True
        row, floor = row + 1, max(floor, table[row, NEXT])
    return count, row, floor, False


@uncounted
def _record(text: Bytes, at: Int, end: Int, found: Ints, to: int) -> tuple[Int, Int, Int]:
    """How much later and how far behind its batch a record is, and where it ends: at -1 where it is damaged."""
    length, at = varint(text, at, end)
    if at < 0 or length < 0 or length > end - at:
        return 0, 0, -1
    end = at + length
    _, at = varint(text, at, end)
    later, at = varint(text, at, end)
    behind, at = varint(text, at, end)
    found[KEY, to], found[KEY_END, to], at = _span(text, at, end)
    found[VALUE, to], found[VALUE_END, to], at = _span(text, at, end)
    headers, at = varint(text, at, end)
    if headers < 0:
        return 0, 0, -1
    while headers > 0 and at >= 0:
        key, _, at = _span(text, at, end)
        if key < 0:
            return 0, 0, -1
        _, _, at = _span(text, at, end)
        headers -= 1
    return later, behind, at if at == end else -1


@uncounted
def _span(text: Bytes, at: Int, end: Int) -> tuple[Int, Int, Int]:
    """Where what stands there begins and ends (-1: nothing does), and what is behind it; that is -1 where it is damaged."""
    length, at = varint(text, at, end)
    if at < 0 or length > end - at:
        return -1, -1, -1
    if length < 0:
        return -1, -1, at
    return at, at + length, at + length


@uncounted
def varint(text: Bytes, at: Int, end: Int) -> tuple[Int, Int]:
    """The number (zigzag) that stands there, and what is behind it; -1: it does not end, or nothing stood before it."""
    value, shift = _U0, _U0
    while 0 <= at < end:
        byte = np.uint64(text[at])
        at += 1
        value |= (byte & _U127) << shift
        if byte <= _U127:
            return np.int64(value >> _U1) ^ -np.int64(value & _U1), at
        shift += _U7
        if shift > _U63:
            break
    return 0, -1


def example() -> tuple[int, int, Int, bool]:
    """Of a text that cannot be written, as a fetch is."""
    table, _ = batches(np.frombuffer(b"", np.uint8))
    return records(np.frombuffer(b"", np.uint8), table, 0, 0, np.empty((ROWS, 1), np.int64))
