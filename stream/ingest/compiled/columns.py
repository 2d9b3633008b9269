"""A columnar record as its columns: its JSON is walked once, strictly, and what lists hold becomes arrays on the way.

Nothing is known here of what the names mean.  What is surely JSON, and of the form of a columnar record, is found; scalars, names
and odd lists are only spans, for the contract's own reader to read.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stream.compiled.jit import uncounted
from stream.ingest.compiled.cells import (
    MOST_SPELLINGS,
    NO_PLACE,
    RESTART,
    SLOTS,
    list_names,
    list_numbers,
    quote_at,
    space_end,
    token_end,
)
from stream.ingest.compiled.packed import marked_packed, unpacked

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

#: What a name stands before.
SCALAR, OBJECT, NUMBERS, NAMES, PACKED = range(5)
#: What is found of each: the number of the object it is in (-1: of none), where its name lies, what it is, where its value lies,
#: how many values there are, what was seen of them, where they stand in the array of their kind, and where their spellings do.
HOLDER, NAME, NAME_END, KIND, FIRST, END, COUNT, SEEN, START, SPELLED, SPELLED_END = range(11)
#: Names of a record; one with more is for the contract's reader.
MOST_COLUMNS = 512
#: Different spellings in all lists of a record.
MOST_SPELLED = 64 * MOST_SPELLINGS
#: Zeros behind the text.
BEHIND = 8
#: How many columns a text has that is not surely a columnar record.
UNSURE = -1

_QUOTE, _COMMA, _COLON, _OPEN, _BEGIN, _CLOSE = 34, 44, 58, 91, 123, 125
_F64 = (_QUOTE, 102, 54, 52, _QUOTE)


class Found(NamedTuple):
    """Room for what is found: a row a name, and the values of all lists behind one another."""

    columns: Ints
    values: Floats
    #: The bytes of ``values``.
    raw: Bytes
    codes: Small
    slots: Small
    spelled: Ints


@uncounted
def walk(text: Bytes, end: int, found: Found) -> int:
    """How many names an object has that is the whole text, in order; ``text`` is longer than ``end`` by ``BEHIND`` zeros."""
    columns, count, holder = found.columns, 0, -1
    filled = known = 0
    found.slots[:] = -1
    at = space_end(text, 0)
    if text[at] != _BEGIN:
        return UNSURE
    at = space_end(text, at + 1)
    while count < len(columns):
        at = _name_at(text, at, columns[count])
        if at < 0:
            return UNSURE
        columns[count, HOLDER] = holder
        at, filled, known = _column_at(text, at, end, found, count, filled, known)
        if at < 0 or (columns[count, KIND] == OBJECT and holder >= 0):
            return UNSURE
        inside = columns[count, KIND] == OBJECT
        if inside:
            holder = count
        count += 1
        at = space_end(text, at)
        if inside and text[at] != _CLOSE:
            continue
        if text[at] == _CLOSE and holder >= 0:
            at, holder = space_end(text, at + 1), -1
        if text[at] == _CLOSE:
            return count if space_end(text, at + 1) == end else UNSURE
        if text[at] != _COMMA:
            return UNSURE
        at = space_end(text, at + 1)
    return UNSURE


@uncounted
def _name_at(text: Bytes, at: int, column: Ints) -> int:
    """Where the value of the name stands that begins at ``at``."""
    if text[at] != _QUOTE:
        return NO_PLACE
    past = quote_at(text, at + 1)
    if past < 0:
        return NO_PLACE
    column[NAME], column[NAME_END] = at + 1, past
    at = space_end(text, past + 1)
    return space_end(text, at + 1) if text[at] == _COLON else NO_PLACE


@uncounted
def _column_at(
    text: Bytes, at: int, end: int, found: Found, place: int, filled: int, known: int
) -> tuple[int, int, int]:
    """Where a value ends (an object: where it begins), and how many values and spellings are known behind it."""
    column = found.columns[place]
    column[FIRST], column[COUNT], column[SEEN], column[START] = at, 0, 0, filled
    column[SPELLED] = column[SPELLED_END] = known
    if text[at] == _OPEN:
        at, known = _list_at(text, at, end, found, place, known)
    elif text[at] == _BEGIN:
        at = _packed_at(text, at, found, place)
    else:
        column[KIND] = SCALAR
        if text[at] == _QUOTE:
            at = quote_at(text, at + 1)
            at = at + 1 if at >= 0 else NO_PLACE
        else:
            at = token_end(text, at)
    column[END] = at
    return at, filled + column[COUNT], known


@uncounted
def _list_at(text: Bytes, at: int, end: int, found: Found, place: int, known: int) -> tuple[int, int]:
    column = found.columns[place]
    column[KIND] = NUMBERS
    first = space_end(text, at + 1)
    if text[first] == 93:
        return first + 1, known
    at, column[COUNT], column[SEEN] = list_numbers(text, first, end, found.values, column[START])
    if at == RESTART:
        column[KIND] = NAMES
        at, column[COUNT], column[SEEN], known = list_names(
            text, first, end, found.codes, column[START], found.slots, found.spelled, known
        )
        column[SPELLED_END] = known
    return at, known


@uncounted
def _packed_at(text: Bytes, at: int, found: Found, place: int) -> int:
    """Behind an object of ``f64`` alone; where the names of any other begin."""
    column = found.columns[place]
    column[KIND] = OBJECT
    begin = space_end(text, at + 1)
    name = (text[begin], text[begin + 1], text[begin + 2], text[begin + 3], text[begin + 4])
    if name != _F64:
        return begin
    column[KIND] = PACKED
    colon = space_end(text, begin + 5)
    at = space_end(text, colon + 1)
    if text[colon] != _COLON or text[at] != _QUOTE:
        return NO_PLACE
    first = column[START]
    at, size = unpacked(text, at + 1, found.raw, 8 * first)
    if at < 0 or size % 8:
        return NO_PLACE
    column[COUNT] = size // 8
    column[SEEN] = marked_packed(found.values, first, first + size // 8)
    at = space_end(text, at + 1)
    return at + 1 if text[at] == _CLOSE else NO_PLACE


def room(bytes_: int) -> Found:
    """Room for what is found in records of up to so many bytes: a value takes two of them at least."""
    most = bytes_ // 2 + 1
    values = np.empty(most, np.float64)
    return Found(
        np.empty((MOST_COLUMNS, SPELLED_END + 1), np.int64),
        values,
        values.view(np.uint8),
        np.empty(most, np.int32),
        np.empty(SLOTS, np.int32),
        np.empty((MOST_SPELLED, 2), np.int64),
    )


def example() -> int:
    """Of a text that is written over for every record."""
    text = np.zeros(64, np.uint8)
    text[:21] = np.frombuffer(b'{"a":[1],"b":["x",1]}', np.uint8)
    return walk(text, 21, room(64))
