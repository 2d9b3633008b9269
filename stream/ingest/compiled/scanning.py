"""Records of events to rows of numbers and names: one walk over each record's JSON, strictly by its grammar.

Only what is surely read as the contract reads it becomes a row; every other record is marked, and left to Python.  Producers
write the keys of their events in one order, so the key that came after the one before is tried first.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from stream.compiled.jit import inlined, uncounted
from stream.ingest.compiled.tokens import (
    CLOSE,
    COLON,
    COMMA,
    OPEN,
    QUOTE,
    SPREAD,
    Bytes,
    Int,
    Ints,
    crc32,
    past_spaces,
    past_value,
    same_bytes,
    string_end,
)
from stream.ingest.compiled.values import (
    ENOUGH,
    FEATURES,
    FOLLOWER,
    KAFKA_MS,
    KEY,
    KIND,
    LENGTH,
    META,
    MISSING,
    MODEL,
    NAME,
    PREDICTION,
    RECORD,
    SEEN,
    SERIAL,
    SHAPE,
    SLOT,
    STATE,
    TIMES,
    USED,
    WITHIN,
    Rows,
    value_end,
)

#: Of each model: where its name stands in the keys, its shape and its form.
MODEL_KEY, MODEL_LENGTH, MODEL_SHAPE, MODEL_FORM = range(4)
#: Objects of an event; of each form of event there is a slot that stands before the first field of each.
TOP, IN_FEATURES, IN_PREDICTION = range(3)
OBJECTS: Final = 3
#: Of each form of event: the first of those slots, and whether an event needs an id or a score.
HEADS, NEEDS = range(2)
_WORD = np.frombuffer(b"model", np.uint8)


class Tables(NamedTuple):
    """The models of a stream and the fields of their events; models that are alike have one form.

    ``model_index`` and ``slot_index`` are hash tables, as long as a power of two: a number, or -1.
    """

    keys: Bytes
    models: Ints
    model_index: Ints
    forms: Ints
    slots: Ints
    slot_index: Ints
    targets: Ints


class Spanned(NamedTuple):
    """The values of a run's records: where they begin and end in its text, -1 where there is none, and their timestamps."""

    text: Bytes
    first: Ints
    end: Ints
    kafka_ms: Ints


@uncounted
def scan_records(
    found: Spanned, most_bytes: Int, row: Int, tables: Tables, rows: Rows, state: Ints, marked: Ints
) -> int:
    """Write the rows of the records from ``row`` on, and the places of those that are left to Python; how many these are."""
    count = 0
    for at in range(len(found.first)):
        first, end, used = found.first[at], found.end[at], state[USED]
        rows.meta[row], rows.narrow[row], rows.wide[row], rows.named[row] = 0, np.nan, np.nan, MISSING
        state[SERIAL] += 1
        within = 0 <= first <= end <= len(found.text) and end - first <= most_bytes
        if within and _is_read(found.text, first, end, row, tables, rows, state):
            rows.meta[row, KAFKA_MS], rows.meta[row, RECORD] = found.kafka_ms[at], at
            row += 1
        else:
            state[USED] = used
            marked[count] = at
            count += 1
    return count


@inlined
def _is_read(text: Bytes, at: Int, end: Int, row: Int, tables: Tables, rows: Rows, state: Ints) -> bool:
    begin, finish = _model_of(text, at, end)
    if begin < 0:
        return False
    model = _known(text, begin, finish, tables)
    if model < 0:
        return False
    rows.meta[row, SHAPE] = tables.models[model, MODEL_SHAPE]
    form = tables.models[model, MODEL_FORM]
    at = past_spaces(text, at, end)
    past = _event_end(text, at + 1, end, begin, form, row, tables, rows, state)
    if past < 0 or past_spaces(text, past, end) != end or rows.meta[row, TIMES] == 0:
        return False
    enough: bool = tables.forms[form, NEEDS] == 0 or state[ENOUGH] == state[SERIAL]
    return enough


@inlined
def _model_of(text: Bytes, at: Int, end: Int) -> tuple[Int, Int]:
    """Where the name of the event's model begins and ends; -1 where it is not found."""
    at = past_spaces(text, at, end)
    if at >= end or text[at] != OPEN:
        return -1, -1
    while True:
        at = past_spaces(text, at + 1, end)
        if at >= end or text[at] != QUOTE:
            return -1, -1
        key, at = at + 1, string_end(text, at + 1, end)
        if at < 0:
            return -1, -1
        is_model = at - key == len(_WORD) and same_bytes(text, key, _WORD, 0, len(_WORD))
        at = past_spaces(text, at + 1, end)
        if at >= end or text[at] != COLON:
            return -1, -1
        at = past_spaces(text, at + 1, end)
        if is_model:
            found = string_end(text, at + 1, end) if at < end and text[at] == QUOTE else -1
            return (at + 1, found) if found >= 0 else (-1, -1)
        at = past_value(text, at, end)
        if at < 0 or text[at] != COMMA:
            return -1, -1


@inlined
def _known(text: Bytes, at: Int, finish: Int, tables: Tables) -> Int:
    """The number of the model of this name, or -1."""
    model: Int
    models, mask = tables.models, len(tables.model_index) - 1
    place = crc32(text, at, finish) & mask
    while tables.model_index[place] >= 0:
        model = tables.model_index[place]
        if models[model, MODEL_LENGTH] == finish - at and same_bytes(
            text, at, tables.keys, models[model, MODEL_KEY], finish - at
        ):
            return model
        place = (place + 1) & mask
    return -1


@inlined
def _event_end(
    text: Bytes, at: Int, end: Int, model_at: Int, form: Int, row: Int, tables: Tables, rows: Rows, state: Ints
) -> Int:
    """Past the object that begins before ``at``: the event, and the objects in it that are counted."""
    slots, heads = tables.slots, tables.forms[form, HEADS]
    scope, before, fresh = TOP, heads + TOP, True
    slot: Int
    outer: Int = before
    while True:
        at = past_spaces(text, at, end)
        if at >= end:
            return -1
        if not (fresh and text[at] == CLOSE):
            if text[at] != QUOTE:
                return -1
            slot, at = _slot_at(text, at + 1, end, before, tables)
            if slot < 0 or slots[slot, SEEN] == state[SERIAL]:
                return -1
            slots[before, FOLLOWER], slots[slot, SEEN], before = slot, state[SERIAL], slot
            at = past_spaces(text, at, end)
            if at >= end or text[at] != COLON:
                return -1
            at, kind = past_spaces(text, at + 1, end), slots[slot, KIND]
            if kind in (FEATURES, PREDICTION):
                if at >= end or text[at] != OPEN:
                    return -1
                scope, outer, fresh = IN_FEATURES if kind == FEATURES else IN_PREDICTION, slot, True
                at, before = at + 1, heads + scope
                continue
            if kind == MODEL:
                at = string_end(text, at + 1, end) + 1 if at + 1 == model_at else 0
                if at <= 0:
                    return -1
            else:
                at = value_end(text, at, end, slot, row, slots, tables.targets, rows, state)
                if at < 0:
                    return -1
        fresh = False
        at = past_spaces(text, at, end)
        while at < end and text[at] == CLOSE:
            if scope == TOP:
                return at + 1
            scope, before = TOP, outer
            at = past_spaces(text, at + 1, end)
        if at >= end or text[at] != COMMA:
            return -1
        at += 1


@inlined
def _slot_at(text: Bytes, at: Int, end: Int, before: Int, tables: Tables) -> tuple[Int, Int]:
    """The field whose key begins at ``at``, and where its colon is to stand; -1: nobody declared it."""
    slots = tables.slots
    guess = slots[before, FOLLOWER]
    length = slots[guess, LENGTH]
    if (
        at + length < end
        and text[at + length] == QUOTE
        and same_bytes(text, at, tables.keys, slots[guess, KEY], length)
    ):
        return guess, at + length + 1
    finish, mask, within = string_end(text, at, end), len(tables.slot_index) - 1, slots[before, WITHIN]
    if finish < 0:
        return -1, at
    place = (crc32(text, at, finish) + within * SPREAD) & mask
    while tables.slot_index[place] >= 0:
        slot = tables.slot_index[place]
        if slots[slot, WITHIN] == within and slots[slot, LENGTH] == finish - at and same_bytes(
            text, at, tables.keys, slots[slot, KEY], finish - at
        ):  # fmt: skip
            return slot, finish + 1
        place = (place + 1) & mask
    return -1, at


def example() -> int:
    """Of a record that holds no event, in a run of one."""
    text, one = np.frombuffer(b"{}", np.uint8), np.zeros(1, np.int64)
    end = one + len(text)
    for held in (one, end):
        held.flags.writeable = False
    table, none, number = np.zeros((1, SLOT), np.int64), np.full(2, -1, np.int64), np.zeros((1, 1))
    names = np.zeros((1, 1, NAME), np.int64)
    rows = Rows(np.zeros((1, META), np.int64), number, number, names, np.zeros(1, np.uint8))
    tables, state = Tables(text, table, none, table, table, none, table), np.zeros(STATE, np.int64)
    return scan_records(Spanned(text, one, end, one), len(text), 0, tables, rows, state, one + 0)
