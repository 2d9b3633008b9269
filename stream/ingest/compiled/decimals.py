"""The number that a JSON text spells, as the nearest float64: what Python reads, bit for bit, or nothing.

Few digits are a whole number times a power of ten, both exact (Clinger 1990).  All others are read from 128 bits of a power of
five (Lemire 2021, "Number parsing at a gigabyte per second", after Eisel).  What neither is sure of is left to Python.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stream.compiled.jit import compiled

Bytes = npt.NDArray[np.uint8]
Bool = bool | np.bool
Int = int | np.int64

#: What stands there: nothing that is surely a number, a whole number, one with a point or an exponent.
UNSURE, WHOLE, FRACTION = 0, 1, 2

#: Powers of ten that the table has; 0.1 to the 60 and 17 digits is 1e-43.
LEAST, MOST = -80, 60
#: A float64 holds whole numbers up to 2^53 and ten to the 22nd exactly.
_EXACT_WHOLE, _EXACT_POWER = 1 << 53, 22
#: So many digits fit 64 bits, whatever they are.
_MOST_DIGITS = 19
_TENS = np.array([float(10**power) for power in range(_EXACT_POWER + 1)])


def _five_to_the(power: int) -> int:
    """128 leading bits of a power of five; of a negative one rounded up, as the method's proof wants."""
    five: int = 5 ** abs(power)
    if power >= 0:
        return five << 128 - five.bit_length() if five.bit_length() <= 128 else five >> five.bit_length() - 128
    bits = (five - 1).bit_length()
    found = (1 << (bits + 127 if power >= -27 else 2 * bits + 128)) // five + 1
    return found >> max(0, found.bit_length() - 128)


_FIVES = [_five_to_the(power) for power in range(LEAST, MOST + 1)]
_HIGH = np.array([five >> 64 for five in _FIVES], np.uint64)
_LOW = np.array([five & (1 << 64) - 1 for five in _FIVES], np.uint64)

# Beside a signed number numba makes a float of an unsigned one, so every constant that meets one is unsigned.
_U0, _U1, _U3, _U9, _U10, _U32, _U52, _U63 = (np.uint64(value) for value in (0, 1, 3, 9, 10, 32, 52, 63))
_LOW_32, _LOW_9, _ONES = np.uint64((1 << 32) - 1), np.uint64((1 << 9) - 1), np.uint64((1 << 64) - 1)
_IMPLICIT = np.uint64(1 << 52)
_ZERO, _MINUS, _PLUS, _POINT = 48, 45, 43, 46


@compiled
def multiply(one: np.uint64, other: np.uint64) -> tuple[np.uint64, np.uint64]:
    """The upper and the lower half of a product of 128 bits."""
    a, b, c, d = one >> _U32, one & _LOW_32, other >> _U32, other & _LOW_32
    low, left, right = b * d, a * d, b * c
    middle = (low >> _U32) + (left & _LOW_32) + (right & _LOW_32)
    return a * c + (left >> _U32) + (right >> _U32) + (middle >> _U32), (low & _LOW_32) | (middle << _U32)


@compiled
def leading_zeros(value: np.uint64) -> int:
    """How many upper bits of a value that is not 0 are 0."""
    found = 0
    for step in (32, 16, 8, 4, 2, 1):
        if value >> np.uint64(64 - step) == _U0:
            value <<= np.uint64(step)
            found += step
    return found


@compiled
def scaled(digits: np.uint64, power: Int) -> tuple[Bool, float]:
    """``digits`` times ten to the ``power``, and whether that is surely the nearest."""
    if digits == _U0:
        return True, 0.0
    if digits <= np.uint64(_EXACT_WHOLE) and -_EXACT_POWER <= power <= _EXACT_POWER:
        whole = np.float64(digits)
        return True, whole / _TENS[-power] if power < 0 else whole * _TENS[power]
    if power < LEAST or power > MOST:
        return False, 0.0
    return _from_fives(digits, power)


@compiled
def _from_fives(digits: np.uint64, power: Int) -> tuple[Bool, float]:
    zeros = leading_zeros(digits)
    digits <<= np.uint64(zeros)
    high, low = multiply(digits, _HIGH[power - LEAST])
    if high & _LOW_9 == _LOW_9:
        more, _ = multiply(digits, _LOW[power - LEAST])
        low += more
        if more > low:
            high += _U1
    if low == _ONES and (power < -27 or power > 55):
        return False, 0.0
    upper = np.int64(high >> _U63)
    shift = np.uint64(upper + 9)
    mantissa = high >> shift
    exponent = ((217706 * power) >> 16) + 63 + upper - zeros + 1023
    if low <= _U1 and -4 <= power <= 23 and mantissa & _U3 == _U1 and mantissa << shift == high:
        mantissa &= ~_U1  # exactly between two: the even one
    mantissa = (mantissa + (mantissa & _U1)) >> _U1
    if mantissa == _IMPLICIT << _U1:
        mantissa, exponent = _IMPLICIT, exponent + 1
    bits = np.uint64((mantissa & ~_IMPLICIT) | np.uint64(exponent) << _U52)
    return 0 < exponent < 2047, np.uint64(bits).view(np.float64)


@compiled
def number_at(text: Bytes, at: int, end: int) -> tuple[int, float, Int, int]:
    """What stands at ``at``: its kind, its value, as a whole number too where it is one, and where it ends.

    A number ends before anything that is no part of one, which is for the caller to look at.
    """
    negative = at < end and text[at] == _MINUS
    first = at + 1 if negative else at
    digits, at = _digits(text, first, end, _U0)
    count = at - first
    if count == 0 or (count > 1 and text[first] == _ZERO):
        return UNSURE, 0.0, 0, at
    kind, power = WHOLE, np.int64(0)
    if at < end and text[at] == _POINT:
        begin = at + 1
        digits, at = _digits(text, begin, end, digits)
        kind, power, count = FRACTION, np.int64(begin - at), count + at - begin
        if power == 0:
            return UNSURE, 0.0, 0, at
    if at < end and (text[at] == 101 or text[at] == 69):
        kind = FRACTION
        known, exponent, at = _exponent(text, at + 1, end)
        power += exponent
        if not known:
            return UNSURE, 0.0, 0, at
    if count > _MOST_DIGITS or (kind == WHOLE and (digits > np.uint64((1 << 63) - 1) or (negative and digits == _U0))):
        return UNSURE, 0.0, 0, at
    sure, value = scaled(digits, power)
    whole = np.int64(digits) if kind == WHOLE else np.int64(0)
    return kind if sure else UNSURE, -value if negative else value, -whole if negative else whole, at


@compiled
def _digits(text: Bytes, at: int, end: int, before: np.uint64) -> tuple[np.uint64, int]:
    """Those that stand there, behind those that stood before; more than 19 of them mean nothing."""
    found = before
    while at < end and np.uint64(text[at]) - np.uint64(_ZERO) <= _U9:
        found = found * _U10 + (np.uint64(text[at]) - np.uint64(_ZERO))
        at += 1
    return found, at


@compiled
def _exponent(text: Bytes, at: int, end: int) -> tuple[bool, Int, int]:
    negative = at < end and text[at] == _MINUS
    if at < end and (text[at] == _MINUS or text[at] == _PLUS):
        at += 1
    found, past = _digits(text, at, end, _U0)
    known = 0 < past - at <= 4
    exponent = np.int64(found) if known else np.int64(0)
    return known, -exponent if negative else exponent, past


def example() -> tuple[int, float, Int, int]:
    """Of a text that cannot be written, as a fetch is."""
    return number_at(np.frombuffer(b"1.5,", np.uint8), 0, 3)
