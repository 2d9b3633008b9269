"""What a value adds to the pane that it is counted in: row by row, or column by column where a pane's rows came as columns.

What is counted of a number: its bin; a bucket of a hash of its bits (a new constant inside a bin shows there); how far beyond the
reference it lies; the fixed-point moments; minimum and maximum.  Values that are no finite number are counted by kind and take
no part in the rest.  ``detectors`` says what each of these is; here it is done, to the same bit.

No index is checked, and none can leave the room of its pane.  A bin is at most the number of the column's edges: steps of the
bisection add up to one less than what they are padded to, a finite number is below every pad, and NaN and infinities do not come
so far.  The other cells are numbers below the length of their parts of the column.  Where a column, a room and its sums begin,
and cells of names, are the layout's and no event's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.moments import CLIP, STEPS
from detectors.outside import KEYS_A_SIDE
from stream.compiled.jit import inlined, uncounted
from stream.ingest import marks
from stream.state.layout import EVENTS, LATE, SPECIALS, UNKNOWN_FEATURES, UNKNOWN_KEYS, WASTE

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Cells = npt.NDArray[np.unsignedinteger[Any]]

#: All that counting asks about a numeric column of a layout, in one line of the processor's cache.  ``bins``, ``specials``,
#: ``hash``, ``outside``: its cells; ``sum``: place of q among the sums, of the minimum among the extrema; ``edges``: where they
#: begin; ``step``: half of what they are padded to; ``kind``: not there, bins and moments only, or detailed.
COLUMN = np.dtype(
    [(name, np.int32) for name in ("bins", "specials", "hash", "outside", "sum", "edges", "depth", "kind")]
    + [(name, np.float64) for name in ("mean", "scale", "minimum", "maximum")]
)
NOT_THERE, PLAIN, DETAILED = 0, 1, 2
_NO_SPECIAL = -1
_MISSING, _NAN, _WRONG = (SPECIALS.index(name) for name in ("missing", "nan", "wrong_type"))
_ABOVE, _BELOW = (SPECIALS.index(name) for name in ("positive_infinity", "negative_infinity"))
_PAYLOAD = (1 << 48) - 1
_GOLDEN, _HASH_SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(60)
_NEAREST, _FURTHEST, _ROOT_HALF = 2.0**-6, 2.0**10, 0.7071067811865476
_U0, _U1 = np.uint64(0), np.uint64(1)
_NO_NUMBER = np.int64(-(1 << 63))


@inlined
def special_of(value: float) -> int:
    """Of a value that is no finite number, its place in ``SPECIALS``; -1: it is not counted at all."""
    if value == np.inf:
        return _ABOVE
    if value == -np.inf:
        return _BELOW
    state = np.float64(value).view(np.int64) & _PAYLOAD
    if state == marks.MISSING:
        return _MISSING
    if state == marks.WRONG_TYPE:
        return _WRONG
    return _NO_SPECIAL if state == marks.ABSENT else _NAN


@inlined
def key_beyond(distance: float) -> int:
    """The half-octave of a distance beyond the reference's range."""
    if distance <= _NEAREST:
        return 0
    if distance >= _FURTHEST:
        return KEYS_A_SIDE - 1
    mantissa, exponent = math.frexp(distance)
    return 2 * exponent + (11 if mantissa >= _ROOT_HALF else 10)


@inlined
def quantised_as(deviations: float) -> np.int64:
    """The whole number that so many standard deviations count as."""
    if deviations > CLIP:
        return np.int64(CLIP * STEPS)
    if deviations < -CLIP:
        return np.int64(-CLIP * STEPS)
    return np.int64(np.rint(deviations * STEPS)) if deviations == deviations else _NO_NUMBER


@inlined
def bin_of(value: float, edges: Floats, begin: np.uint64, depth: int) -> np.uint64:
    """How many of a column's edges are at or below a finite value: down a tree, without a branch that could be guessed wrongly."""
    place = _U0
    for _ in range(depth):
        place = place + place + _U1 + np.uint64(value >= edges[begin + place])
    return place + _U1 - (_U1 << np.uint64(depth))


@inlined
def add_number(
    value: float,
    column: Any,
    edges: Floats,
    cells: Cells,
    sums: Ints,
    extrema: Floats,
    at: np.uint64,
    sum_at: np.uint64,
) -> None:
    """Add a value to its column, which is there; ``at`` and ``sum_at``: where the pane's cells and sums begin."""
    if not np.isfinite(value):
        special = special_of(value)
        if special != _NO_SPECIAL:
            cells[at + np.uint64(column.specials) + np.uint64(special)] += 1
        return
    value += 0.0  # -0.0 is 0.0
    cells[at + np.uint64(column.bins) + bin_of(value, edges, np.uint64(column.edges), column.depth)] += 1
    if column.kind == DETAILED:
        bucket = np.float64(value).view(np.uint64) * _GOLDEN >> _HASH_SHIFT
        cells[at + np.uint64(column.hash) + bucket] += 1
        if value < column.minimum:
            key = np.uint64(key_beyond((column.minimum - value) / column.scale))
            cells[at + np.uint64(column.outside) + key] += 1
        elif value > column.maximum:
            key = np.uint64(key_beyond((value - column.maximum) / column.scale) + KEYS_A_SIDE)
            cells[at + np.uint64(column.outside) + key] += 1
    quantised = quantised_as((value - column.mean) / column.scale)
    moments = sum_at + np.uint64(column.sum)
    sums[moments] += quantised
    sums[moments + _U1] += quantised * quantised
    if value < extrema[moments]:
        extrema[moments] = value
    if value > extrema[moments + _U1]:
        extrema[moments + _U1] = value


@uncounted
def add_rows(
    order: Ints, layout: Ints, values: Floats, columns: Any, alike: Ints, edges: Floats,
    cells: Cells, sums: Ints, extrema: Floats, at: Ints, sum_at: Ints,
) -> None:  # fmt: skip
    """Add the numbers of these rows, in this order, each to the pane that begins at its places."""
    for row in order:
        of = alike[layout[row]]
        for number in range(values.shape[1]):
            column = columns[of, number]
            if column.kind != NOT_THERE:
                add_number(
                    values[row, number], column, edges, cells, sums, extrema, np.uint64(at[row]), np.uint64(sum_at[row])
                )


@uncounted
def add_names(order: Ints, codes: Ints, cells: Cells, at: Ints, late: Bools) -> None:
    """Add these events, and the cells of their names."""
    for row in order:
        first = at[row]
        cells[first + EVENTS] += 1
        if late[row]:
            cells[first + LATE] += 1
        for number in range(codes.shape[1]):
            if codes[row, number] != WASTE:
                cells[first + codes[row, number]] += 1


@uncounted
def add_unknown(order: Ints, unknown: Ints, cells: Cells, at: Ints) -> None:
    """Add how many undeclared features, and keys, these events hold."""
    for row in order:
        cells[at[row] + UNKNOWN_FEATURES] += unknown[row, 0]
        cells[at[row] + UNKNOWN_KEYS] += unknown[row, 1]


@uncounted
def add_columns(
    chosen: Ints, values: Floats, columns: Any, edges: Floats,
    cells: Cells, sums: Ints, extrema: Floats, at: Ints, sum_at: Ints,
) -> None:  # fmt: skip
    """Add the numbers of these rows of a slab, (columns × rows), all of one layout: the places are of the chosen rows."""
    for number in range(len(values)):
        column = columns[number]
        if column.kind != NOT_THERE:
            for place in range(len(chosen)):
                value = values[number, chosen[place]]
                add_number(value, column, edges, cells, sums, extrema, np.uint64(at[place]), np.uint64(sum_at[place]))


@uncounted
def add_columns_names(chosen: Ints, codes: Ints, unknown: Ints, cells: Cells, at: Ints, late: Bools) -> None:
    """Add these events of a slab, and the cells of their names; each holds ``unknown`` features, and keys."""
    for place in range(len(chosen)):
        first = at[place]
        cells[first + EVENTS] += 1
        cells[first + UNKNOWN_FEATURES] += unknown[0]
        cells[first + UNKNOWN_KEYS] += unknown[1]
        if late[place]:
            cells[first + LATE] += 1
        for number in range(len(codes)):
            if codes[number, chosen[place]] != WASTE:
                cells[first + codes[number, chosen[place]]] += 1
