"""The tokens of a JSON text, one at a time: where each ends, or -1 where it is not surely one.

A text that holds an escape is left to Python, as are control characters, which JSON forbids, and what is no UTF-8.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from stream.compiled.jit import inlined, uncounted

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Int = int | np.int64

QUOTE, COMMA, COLON, BACKSLASH = 34, 44, 58, 92
OPEN, CLOSE, OPEN_ARRAY = 123, 125, 91
SMALL_N, SMALL_T, SMALL_F = 110, 116, 102
#: Spreads numbers, of forms or of tables, over a hash table of checksums.
SPREAD: Final = 2654435761
_A, _E, _L, _R, _S, _U = 97, 101, 108, 114, 115, 117


def _crc_of(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0xEDB88320 if byte & 1 else 0)
    return byte


_CRC = np.array([_crc_of(byte) for byte in range(256)], np.int64)


@uncounted
def crc32(text: Bytes, at: Int, end: Int) -> int:
    """What ``zlib.crc32`` makes of the bytes."""
    found = 0xFFFFFFFF
    while at < end:
        found = _CRC[(found ^ np.int64(text[at])) & 255] ^ (found >> 8)
        at += 1
    return found ^ 0xFFFFFFFF


@inlined
def same_bytes(text: Bytes, at: Int, other: Bytes, first: Int, length: Int) -> bool:
    """Whether so many bytes are the same in both; they have to be there."""
    for step in range(length):  # noqa: SIM110 (numba has no generators)
        if text[at + step] != other[first + step]:
            return False
    return True


@inlined
def past_spaces(text: Bytes, at: Int, end: Int) -> Int:
    """Where something else than white space stands, or the end."""
    while at < end and text[at] <= 32 and (text[at] == 32 or text[at] == 10 or text[at] == 13 or text[at] == 9):
        at += 1
    return at


@uncounted
def string_end(text: Bytes, at: Int, end: Int) -> Int:
    """Where the closing quote of a text stands that begins at ``at``."""
    while at < end:
        byte = text[at]
        if byte == QUOTE:
            return at
        if byte < 32 or byte == BACKSLASH:
            return -1
        if byte < 128:
            at += 1
        else:
            at = _past_character(text, at, end)
            if at < 0:
                return -1
    return -1


@uncounted
def _past_character(text: Bytes, at: Int, end: Int) -> Int:
    """Past a character of two to four bytes, the shortest that spell it, and no half of a surrogate pair."""
    lead = text[at]
    low, high = 0x80, 0xBF
    if 0xC2 <= lead <= 0xDF:
        more = 1
    elif 0xE0 <= lead <= 0xEF:
        more = 2
        low = 0xA0 if lead == 0xE0 else low
        high = 0x9F if lead == 0xED else high
    elif 0xF0 <= lead <= 0xF4:
        more = 3
        low = 0x90 if lead == 0xF0 else low
        high = 0x8F if lead == 0xF4 else high
    else:
        return -1
    if at + more >= end or text[at + 1] < low or text[at + 1] > high:
        return -1
    for step in range(2, more + 1):
        if text[at + step] & 0xC0 != 0x80:
            return -1
    return at + more + 1


@inlined
def word_end(text: Bytes, at: Int, end: Int) -> Int:
    """Past ``null``, ``true`` or ``false``."""
    if at + 4 > end:
        return -1
    one, two, three = text[at + 1], text[at + 2], text[at + 3]
    if text[at] == SMALL_N and one == _U and two == _L and three == _L:
        return at + 4
    if text[at] == SMALL_T and one == _R and two == _U and three == _E:
        return at + 4
    if text[at] == SMALL_F and one == _A and two == _L and three == _S and at + 5 <= end and text[at + 4] == _E:
        return at + 5
    return -1


@uncounted
def past_value(text: Bytes, at: Int, end: Int) -> Int:
    """Past a value that holds no array, whose grammar is not looked at: to what stands behind it."""
    depth = 0
    while at < end:
        byte = text[at]
        if byte == QUOTE:
            at = string_end(text, at + 1, end)
            if at < 0:
                return -1
        elif byte == OPEN:
            depth += 1
        elif byte == CLOSE:
            depth -= 1
        elif byte == OPEN_ARRAY:
            return -1
        elif byte == COMMA and depth == 0:
            return at
        if depth < 0:
            return at
        at += 1
    return -1
