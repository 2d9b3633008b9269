"""The value of one field of an event: checked against what the contract wants of it, and kept in the columns that count it."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from schemas.timestamps import EARLIEST_MS, LATEST_MS
from stream.compiled.jit import inlined, uncounted
from stream.ingest.compiled.decimals import FRACTION, UNSURE, WHOLE, number_at
from stream.ingest.compiled.tokens import (
    CLOSE,
    COLON,
    COMMA,
    OPEN,
    QUOTE,
    SMALL_F,
    SMALL_N,
    SMALL_T,
    Bytes,
    Int,
    Ints,
    crc32,
    past_spaces,
    same_bytes,
    string_end,
    word_end,
)

Floats = npt.NDArray[np.float64]

#: What the contract wants of a field (``shape.FIELDS``), or how the field is treated.
(
    NUMBER, AMOUNT, CODE, TEXT, STATUS, CATEGORY, OUTCOME, NUMBERS, CODES, FEATURES, PREDICTION, MODEL, TIME,
    STRANGE_KEY, STRANGE_FEATURE,
) = range(15)  # fmt: skip

#: Of each field: where its name stands in the keys, its form and object, what is wanted of it, the columns that it fills, the
#: field that came after it last, the record that held it last, and what else it is.
KEY, LENGTH, WITHIN, KIND, FIRST_TARGET, TARGETS, FOLLOWER, SEEN, ROLE = range(9)
SLOT: Final = 9
#: What else a field is: of a label the id or the score, of which it needs one; the version.
ORDINARY, NEEDED, VERSIONED = 0, 1, 2

#: Of each row: its shape, time, the Kafka timestamp of its record and that's place in its run, how many undeclared features and
#: keys it holds, and where its version stands in the record's text.
SHAPE, TIMES, KAFKA_MS, RECORD, UNKNOWN_FEATURES, UNKNOWN_KEYS, VERSION, VERSION_END = range(8)
META: Final = 8
#: A name is its place in the text that is kept, and its length and CRC-32 in one; or what it is instead.
MISSING, WRONG, ABSENT = -1, -2, -3
NAME: Final = 2

#: What a scanner remembers: how many records it has read, bytes of names that are kept, and the last label that had what it needs.
SERIAL, USED, ENOUGH = range(3)
STATE: Final = 3

NARROW_COLUMN, WIDE_COLUMN, NAMED_COLUMN = range(3)
_MINUS, _ZERO, _NINE = 45, 48, 57
_SUCCESS, _ERROR = (np.frombuffer(word, np.uint8) for word in (b"success", b"error"))


class Rows(NamedTuple):
    """What rows are written to."""

    meta: Ints
    narrow: Floats
    wide: Floats
    named: Ints
    text: Bytes


@inlined
def value_end(
    text: Bytes, at: Int, end: Int, slot: Int, row: Int, slots: Ints, targets: Ints, rows: Rows, state: Ints
) -> Int:
    """Past the value of a field, which is kept in its columns; -1: not surely what the contract wants."""
    if at >= end:
        return -1
    past: Int
    kind, byte = slots[slot, KIND], text[at]
    if kind in (NUMBER, AMOUNT):
        if byte == SMALL_N:
            return word_end(text, at, end)
        what, value, _, past = number_at(text, int(at), int(end))
        if what == UNSURE or (kind == AMOUNT and value < 0):
            return -1
        if slots[slot, ROLE] == NEEDED:
            state[ENOUGH] = state[SERIAL]
        _keep_number(value, slot, row, slots, targets, rows)
        return past
    if kind == TIME:
        return _time_end(text, at, end, row, rows)
    if kind == STRANGE_KEY:
        rows.meta[row, UNKNOWN_KEYS] += 1
    elif kind == STRANGE_FEATURE:
        rows.meta[row, UNKNOWN_FEATURES] += 1
    if byte == QUOTE:
        return _text_end(text, at + 1, end, slot, row, slots, targets, rows, state)
    if byte == SMALL_N:
        return word_end(text, at, end)
    if byte in (SMALL_T, SMALL_F):
        past = word_end(text, at, end) if kind == CATEGORY or kind >= STRANGE_KEY else -1
        if past >= 0:
            _keep_name(text, at, past, slot, row, slots, targets, rows, state)
        return past
    if byte == _MINUS or _ZERO <= byte <= _NINE:
        return _name_number_end(text, at, end, slot, row, slots, targets, rows, state)
    if byte == OPEN and (kind in (NUMBERS, CODES)):
        return _members_end(text, at + 1, end, kind)
    return -1


@inlined
def _time_end(text: Bytes, at: Int, end: Int, row: Int, rows: Rows) -> Int:
    what, value, whole, past = number_at(text, int(at), int(end))
    if what == UNSURE or value < EARLIEST_MS or value > LATEST_MS:
        return -1
    rows.meta[row, TIMES] = whole if what == WHOLE else np.int64(value)
    return past


@inlined
def _text_end(
    text: Bytes, at: Int, end: Int, slot: Int, row: Int, slots: Ints, targets: Ints, rows: Rows, state: Ints
) -> Int:
    finish, kind = string_end(text, at, end), slots[slot, KIND]
    if finish < 0 or kind in (NUMBERS, CODES):
        return -1
    if kind == STATUS and not (_is_word(text, at, finish, _SUCCESS) or _is_word(text, at, finish, _ERROR)):
        return -1
    if finish > at:
        _note_role(at, finish, slot, row, slots, rows, state)
    _keep_name(text, at, finish, slot, row, slots, targets, rows, state)
    return finish + 1


@inlined
def _name_number_end(
    text: Bytes, at: Int, end: Int, slot: Int, row: Int, slots: Ints, targets: Ints, rows: Rows, state: Ints
) -> Int:
    """Past a number where a name may stand; one with a point is a name only where a category may be any number."""
    kind = slots[slot, KIND]
    what, value, _, past = number_at(text, int(at), int(end))
    if what == UNSURE or kind in (TEXT, STATUS, NUMBERS, CODES):
        return -1
    if what == WHOLE:
        _note_role(at, past, slot, row, slots, rows, state)
        _keep_name(text, at, past, slot, row, slots, targets, rows, state)
    elif kind == CODE or not _keep_fraction(value, past - at, slot, row, slots, targets, rows, state):
        return -1
    return past


@inlined
def _note_role(at: Int, finish: Int, slot: Int, row: Int, slots: Ints, rows: Rows, state: Ints) -> None:
    if slots[slot, ROLE] == NEEDED:
        state[ENOUGH] = state[SERIAL]
    elif slots[slot, ROLE] == VERSIONED:
        rows.meta[row, VERSION], rows.meta[row, VERSION_END] = at, finish


@inlined
def _keep_number(value: float, slot: Int, row: Int, slots: Ints, targets: Ints, rows: Rows) -> None:
    first = slots[slot, FIRST_TARGET]
    for target in range(first, first + slots[slot, TARGETS]):
        if targets[target, 0] == NARROW_COLUMN:
            rows.narrow[row, targets[target, 1]] = value
        else:
            rows.wide[row, targets[target, 1]] = value


@inlined
def _keep_name(
    text: Bytes, at: Int, finish: Int, slot: Int, row: Int, slots: Ints, targets: Ints, rows: Rows, state: Ints
) -> None:
    if slots[slot, TARGETS] > 0:
        used = state[USED]
        for step in range(finish - at):
            rows.text[used + step] = text[at + step]
        _point_at(used, used + finish - at, slot, row, slots, targets, rows)
        state[USED] = used + finish - at


@inlined
def _keep_fraction(
    value: float, length: Int, slot: Int, row: Int, slots: Ints, targets: Ints, rows: Rows, state: Ints
) -> bool:
    """What is whole although it was written with a point is the name of that whole number, which is no longer; else it is none."""
    if slots[slot, TARGETS] == 0:
        return True
    if abs(value) >= 1e15:
        return False
    whole, used = np.int64(value), state[USED]
    if np.float64(whole) != value:
        _mark(WRONG, slot, row, slots, targets, rows)
        return True
    first = used + (1 if whole < 0 else 0)
    left, finish = abs(whole) // 10, first + 1
    while left > 0:
        left, finish = left // 10, finish + 1
    if finish - used > length:
        return False
    rows.text[used], left = _MINUS, abs(whole)
    for at in range(finish - 1, first - 1, -1):
        rows.text[at], left = _ZERO + left % 10, left // 10
    _point_at(used, finish, slot, row, slots, targets, rows)
    state[USED] = finish
    return True


@inlined
def _mark(what: Int, slot: Int, row: Int, slots: Ints, targets: Ints, rows: Rows) -> None:
    first = slots[slot, FIRST_TARGET]
    for target in range(first, first + slots[slot, TARGETS]):
        rows.named[row, targets[target, 1], 0] = what


@inlined
def _point_at(at: Int, finish: Int, slot: Int, row: Int, slots: Ints, targets: Ints, rows: Rows) -> None:
    told = (finish - at) << 32 | crc32(rows.text, at, finish)
    first = slots[slot, FIRST_TARGET]
    for target in range(first, first + slots[slot, TARGETS]):
        column = targets[target, 1]
        rows.named[row, column, 0], rows.named[row, column, 1] = at, told


@inlined
def _is_word(text: Bytes, at: Int, finish: Int, word: Bytes) -> bool:
    return finish - at == len(word) and same_bytes(text, at, word, 0, len(word))


@uncounted
def _members_end(text: Bytes, at: Int, end: Int, kind: Int) -> Int:
    """Past an object of numbers, or of names, that nobody counts."""
    at = past_spaces(text, at, end)
    if at < end and text[at] == CLOSE:
        return at + 1
    while True:
        if at >= end or text[at] != QUOTE:
            return -1
        at = string_end(text, at + 1, end)
        if at < 0:
            return -1
        at = past_spaces(text, at + 1, end)
        if at >= end or text[at] != COLON:
            return -1
        at = _member_end(text, past_spaces(text, at + 1, end), end, kind)
        if at < 0:
            return -1
        at = past_spaces(text, at, end)
        if at < end and text[at] == CLOSE:
            return at + 1
        if at >= end or text[at] != COMMA:
            return -1
        at = past_spaces(text, at + 1, end)


@uncounted
def _member_end(text: Bytes, at: Int, end: Int, kind: Int) -> Int:
    if at < end and text[at] == SMALL_N:
        return word_end(text, at, end)
    if kind == CODES and at < end and text[at] == QUOTE:
        finish = string_end(text, at + 1, end)
        return finish + 1 if finish >= 0 else -1
    what, _, _, past = number_at(text, int(at), int(end))
    return -1 if what == UNSURE or (kind == CODES and what == FRACTION) else past
