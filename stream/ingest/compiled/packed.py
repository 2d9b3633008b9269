"""Packed columns of a columnar record: base64 of little-endian doubles, straight into an array."""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt

from stream.compiled.jit import uncounted
from stream.ingest import marks
from stream.ingest.compiled.cells import FRACTIONS, NEGATIVE, NO_PLACE

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Worths = npt.NDArray[np.int32]

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
#: What is worth this is no character of base64.
_NONE = 1 << 24
_QUOTE, _PAD = 34, 61
_NAN = np.array([marks.NAN_VALUE])

assert sys.byteorder == "little"  # as on every machine that numba and Kafka's clients run on today


def _worths() -> Worths:
    """What each character is worth at each of the four places of a group."""
    found = np.full((4, 256), _NONE, np.int32)
    for place in range(4):
        found[place, list(_ALPHABET)] = np.arange(64) << 6 * (3 - place)
    return found


_WORTHS = _worths()


@uncounted
def unpacked(text: Bytes, at: int, raw: Bytes, filled: int) -> tuple[int, int]:
    """Where base64 that begins at ``at`` ends, and how many bytes it stands for, which are filled in from ``filled`` on.

    The end is ``NO_PLACE`` where it is no base64, or none that every reader takes, or where there is no room.
    """
    put = filled
    while put + 3 <= len(raw):
        group = _WORTHS[0, text[at]] | _WORTHS[1, text[at + 1]] | _WORTHS[2, text[at + 2]] | _WORTHS[3, text[at + 3]]
        if group >= _NONE:
            break
        raw[put], raw[put + 1], raw[put + 2] = group >> 16, group >> 8 & 255, group & 255
        put, at = put + 3, at + 4
    if text[at] == _QUOTE:
        return at, put - filled
    group = _WORTHS[0, text[at]] | _WORTHS[1, text[at + 1]]
    if group >= _NONE or text[at + 3] != _PAD or text[at + 4] != _QUOTE or put + 2 > len(raw):
        return NO_PLACE, 0
    raw[put] = group >> 16
    if text[at + 2] == _PAD:
        return (at + 4, put + 1 - filled) if group & 0xFFFF == 0 else (NO_PLACE, 0)
    group |= _WORTHS[2, text[at + 2]]
    raw[put + 1] = group >> 8 & 255
    return (at + 4, put + 2 - filled) if group < _NONE and group & 0xFF == 0 else (NO_PLACE, 0)


@uncounted
def marked_packed(values: Floats, first: int, past: int) -> int:
    """What was seen of packed numbers; a producer's NaN may have any bits, and here they say what the value is."""
    negative = False
    for at in range(first, past):
        negative |= values[at] < 0.0
        values[at] = _NAN[0] if np.isnan(values[at]) else values[at]
    return FRACTIONS | (NEGATIVE if negative else 0)
