"""What stands in a list of a columnar record: numbers straight into an array, or the different spellings and which is where.

The text ends with bytes that are 0, which are part of no value: so nothing here looks for the end.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stream.compiled.jit import uncounted
from stream.ingest.compiled.decimals import UNSURE, WHOLE, number_at

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]

#: What was seen in a column; ``ODD``: something that only the contract's own reader can read, or that is to be read again.
#: ``MANY``: there are too many spellings, or odd ones, and nobody knows which is where.
NULLS, WHOLES, FRACTIONS, TEXTS, BOOLEANS, EMPTY, NEGATIVE, ODD, MANY = (1 << bit for bit in range(9))
#: A list has different spellings up to so many; of others it is only known that they can be read.
MOST_SPELLINGS = 256
#: Places of the table in which a spelling is looked for, and how many of them are looked at.
SLOTS, STEPS = 1024, 16
#: Instead of a place in the text: here stands no JSON, or none that these kernels read.
NO_PLACE, RESTART = -1, -2

_QUOTE, _PLUS, _COMMA, _MINUS, _POINT, _ZERO, _CLOSE, _ESCAPE = 34, 43, 44, 45, 46, 48, 93, 92
_F, _N, _T, _LARGE_N, _LARGE_I = 102, 110, 116, 78, 73
#: So many digits are a whole number that a float64 holds exactly.
_EXACT_DIGITS = 15
#: The letter of a power of ten, less the character 0.
_POWER = 101 - 48
_TENS = np.array([float(10**power) for power in range(_EXACT_DIGITS + 1)])
#: Of the hash FNV-1a.  Beside a signed number numba makes a float of an unsigned one.
_BASIS, _PRIME = np.uint64(14695981039346656037), np.uint64(1099511628211)
_FOLD, _SLOT, _END, _BACK, _SPACE = np.uint64(17), np.uint64(SLOTS - 1), np.uint64(34), np.uint64(92), np.uint64(32)


@uncounted
def space_end(text: Bytes, at: int) -> int:
    """The first place from ``at`` on that holds no white space."""
    while text[at] == 32 or text[at] == 10 or text[at] == 13 or text[at] == 9:
        at += 1
    return at


@uncounted
def quote_at(text: Bytes, at: int) -> int:
    """Where the quote stands that ends a string, whose first character stands at ``at``; what is escaped is not looked at."""
    while text[at] != _QUOTE:
        at += text[at] == _ESCAPE
        if text[at] < 32:
            return NO_PLACE
        at += 1
    return at


@uncounted
def token_end(text: Bytes, at: int) -> int:
    """The end of what may be a number or a word."""
    while True:
        c = text[at] | 32
        if not (_ZERO <= c <= 57 or 97 <= c <= 122 or text[at] in (_PLUS, _MINUS, _POINT)):
            return at
        at += 1


@uncounted
def is_null_at(text: Bytes, at: int) -> bool:
    return bool(text[at] == _N and text[at + 1] == 117 and text[at + 2] == 108 and text[at + 3] == 108)


@uncounted
def truth_at(text: Bytes, at: int) -> int:
    """The end of ``true`` or ``false``; ``NO_PLACE`` where neither stands."""
    if text[at] == _T and text[at + 1] == 114 and text[at + 2] == 117 and text[at + 3] == 101:
        return at + 4
    if (
        text[at] == _F and text[at + 1] == 97 and text[at + 2] == 108 and text[at + 3] == 115 and text[at + 4] == 101
    ):  # fmt: skip
        return at + 5
    return NO_PLACE


@uncounted
def odd_number(text: Bytes, at: int, end: int) -> tuple[int, float, int]:
    """What was seen of a number or a word that may be one, its value and its end."""
    kind, value, _, past = number_at(text, at, end)
    if kind == UNSURE:
        return ODD, np.nan, token_end(text, at)
    return (WHOLES if kind == WHOLE else FRACTIONS) | (NEGATIVE if value < 0.0 else 0), value, past


@uncounted
def list_numbers(text: Bytes, at: int, end: int, values: Floats, filled: int) -> tuple[int, int, int]:
    """The numbers of a list, whose first value stands at ``at``: where it ends, how many there are and what was seen.

    The end is ``RESTART`` where something else stands among them; values are filled in from ``filled`` on.
    """
    count, seen = filled, 0
    while count < len(values):
        c = np.int64(text[at])
        if c == _MINUS or _ZERO <= c <= 57:
            # Digits are looked at here and not in a function of their own: a call makes three times as much of it.
            first, digits = at, np.int64(0)
            at += c == _MINUS
            head = at
            c = np.int64(text[at]) - _ZERO
            while 0 <= c <= 9:
                digits = digits * 10 + c
                at += 1
                c = np.int64(text[at]) - _ZERO
            size, behind, found = at - head, 0, WHOLES
            if c == _POINT - _ZERO:
                at += 1
                c = np.int64(text[at]) - _ZERO
                while 0 <= c <= 9:
                    digits = digits * 10 + c
                    at += 1
                    c = np.int64(text[at]) - _ZERO
                behind, found = at - head - size - 1, FRACTIONS
            negative = head > first
            odd = size == 0 or size + behind > _EXACT_DIGITS or (size > 1 and text[head] == _ZERO) or c | 32 == _POWER
            if odd or (behind == 0 and (found == FRACTIONS or (negative and digits == 0))):
                found, value, at = odd_number(text, first, end)
            else:
                value = np.float64(digits) / _TENS[behind]
                value = -value if negative else value
            seen |= found | (NEGATIVE if negative and digits != 0 else 0)
            values[count] = value
        elif is_null_at(text, at):
            seen |= NULLS
            values[count] = np.nan
            at += 4
        elif c in (_LARGE_N, _LARGE_I):  # NaN, Infinity
            seen |= ODD
            at = token_end(text, at)
        else:
            return RESTART if c in (_QUOTE, _T, _F) else NO_PLACE, 0, 0
        count += 1
        if text[at] != _COMMA:
            at = space_end(text, at)
            if text[at] == _CLOSE:
                return at + 1, count - filled, seen
            if text[at] != _COMMA:
                return NO_PLACE, 0, 0
        at += 1
        if text[at] <= 32:
            at = space_end(text, at)
    return NO_PLACE, 0, 0


@uncounted
def cell_end(text: Bytes, at: int, end: int) -> tuple[int, int, np.uint64]:
    """The end of any value but an array or an object, what was seen, and a hash of a text that is not escaped."""
    c = text[at]
    mixed = np.uint64(c)
    if c == _QUOTE:
        begin = at + 1
        at = begin
        while text[at] != _QUOTE and text[at] >= 32 and text[at] != _ESCAPE:
            mixed = (mixed ^ np.uint64(text[at])) * _PRIME
            at += 1
        if text[at] == _QUOTE:
            return at + 1, TEXTS | (EMPTY if at == begin else 0), mixed
        at = quote_at(text, at)
        return at + 1 if at >= 0 else NO_PLACE, TEXTS | ODD, mixed
    if is_null_at(text, at):
        return at + 4, NULLS, mixed
    past = truth_at(text, at)
    if past >= 0:
        return past, BOOLEANS, mixed
    if c == _MINUS or _ZERO <= c <= 57:
        seen, _, past = odd_number(text, at, end)
        for place in range(at, past):
            mixed = (mixed ^ np.uint64(text[place])) * _PRIME
        return past, seen, mixed
    return token_end(text, at) if c in (_LARGE_N, _LARGE_I) else NO_PLACE, ODD, mixed


@uncounted
def spelling_of(
    text: Bytes, first: int, past: int, mixed: np.uint64, slots: Small, spelled: Ints, before: int, known: int
) -> int:
    """Which of the spellings from ``before`` to ``known`` this is; ``known``: a new one; ``NO_PLACE``: it is not looked for."""
    at = np.int64((mixed ^ mixed >> _FOLD) & _SLOT)
    for step in range(STEPS):
        place = (at + step) & (SLOTS - 1)
        held = np.int64(slots[place])
        if held < before:
            if known - before >= MOST_SPELLINGS or known >= len(spelled):
                return NO_PLACE
            slots[place] = known
            spelled[known, 0], spelled[known, 1] = first, past
            return known
        at_held, here = spelled[held, 0], first
        if spelled[held, 1] - at_held == past - first:
            while here < past and text[here] == text[at_held]:
                here, at_held = here + 1, at_held + 1
            if here == past:
                return int(held)
    return NO_PLACE


@uncounted
def list_names(
    text: Bytes, at: int, end: int, codes: Small, filled: int, slots: Small, spelled: Ints, before: int
) -> tuple[int, int, int, int]:
    """The values of a list, whose first stands at ``at``: where it ends, how many there are, what was seen, and how many spellings
    are known behind it; of each value the number of its spelling, less ``before``, is filled in, unless there are too many.

    ``slots`` hold no number that is not below ``before``.
    """
    count, seen, known = filled, 0, before
    while count < len(codes):
        # As with numbers: a text that was met before costs no call.
        past, mixed = at + 1, _BASIS
        b = np.uint64(text[past]) if text[at] == _QUOTE else _BACK
        while b != _END and b != _BACK and b >= _SPACE:
            mixed = (mixed ^ b) * _PRIME
            past += 1
            b = np.uint64(text[past])
        past += 1
        found = TEXTS if past > at + 2 else TEXTS | EMPTY
        if b != _END:
            past, found, mixed = cell_end(text, at, end)
            if past < 0:
                return NO_PLACE, 0, 0, known
        seen |= found | (MANY if found & ODD else 0)
        if not seen & MANY:
            one = int(slots[np.int64((mixed ^ mixed >> _FOLD) & _SLOT)])
            here, there = at, spelled[one, 0] if one >= before else at
            while here < past and text[here] == text[there]:
                here, there = here + 1, there + 1
            if one < before or here < past or there != spelled[one, 1]:
                one = spelling_of(text, at, past, mixed, slots, spelled, before, known)
                seen |= MANY if one < 0 else 0
                known = one + 1 if one >= known else known
            codes[count] = one - before
        count += 1
        if text[past] != _COMMA:
            past = space_end(text, past)
            if text[past] == _CLOSE:
                return past + 1, count - filled, seen, known
            if text[past] != _COMMA:
                return NO_PLACE, 0, 0, known
        at = past + 1
        if text[at] <= 32:
            at = space_end(text, at)
    return NO_PLACE, 0, 0, known
