"""Xid codes: what the NVIDIA driver says in the kernel's log when something went wrong on a GPU, and how grave that is.

The meanings are those of NVIDIA's catalogue ("XID Errors", https://docs.nvidia.com/deploy/xid-errors/).  P1: the card or its
memory failed, whatever runs there is gone and will be again.  P2: an error that was contained, or one of a program that ended
by it.  Every other code is P3: most are a program's own.
"""

from __future__ import annotations

from typing import Literal

Grade = Literal["P1", "P2", "P3"]

_P1 = {
    48: "an uncorrectable (double bit) memory error",
    64: "a faulty row of memory could not be remapped",
    79: "the GPU has fallen off the bus",
    95: "an uncontained memory error",
}
_P2 = {
    31: "a page fault of the GPU's memory, mostly a program's",
    43: "the GPU stopped processing for a program",
    63: "a faulty row of memory was remapped, or a page retired",
    74: "an NVLink error",
    92: "a high rate of single bit memory errors",
    94: "a contained memory error",
    119: "the GPU's system processor (GSP) timed out",
    120: "an error of the GPU's system processor (GSP)",
}


def grade_of(code: int) -> Grade:
    """How grave a code is.

    >>> grade_of(79), grade_of(31), grade_of(13)
    ('P1', 'P2', 'P3')
    """
    return "P1" if code in _P1 else "P2" if code in _P2 else "P3"


def meaning_of(code: int) -> str:
    """In words.

    >>> meaning_of(79), meaning_of(13)
    ('Xid 79: the GPU has fallen off the bus', "Xid 13 (NVIDIA's catalogue of Xid errors says what it is)")
    """
    said = (_P1 | _P2).get(code)
    return f"Xid {code}: {said}" if said else f"Xid {code} (NVIDIA's catalogue of Xid errors says what it is)"
