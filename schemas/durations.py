"""Lengths of time as people write them (``1h``, ``500ms``, ``1h30m``), as integer milliseconds."""

from __future__ import annotations

import re

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_PART = re.compile(r"(\d+)(ms|[smhdw])", re.ASCII)
_WHOLE = re.compile(r"(\d{1,12}(ms|[smhdw]))+", re.ASCII)
_LONGEST_MS = 100 * 365 * _UNITS["d"]


def milliseconds_of(text: object) -> int:
    """A duration in milliseconds: whole numbers, each with a unit (ms, s, m, h, d, w); at most a century.

    :raises ValueError: saying what a duration looks like.

    >>> milliseconds_of("1h30m"), milliseconds_of("500ms")
    (5400000, 500)
    """
    if type(text) is not str or len(text) > 40 or not _WHOLE.fullmatch(text):
        raise ValueError("must be a duration such as 500ms, 30s, 1h or 45d")
    total = sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    if total > _LONGEST_MS:
        raise ValueError("must be at most 36500d")
    return total


def duration_text(ms: int) -> str:
    """Milliseconds in the largest unit that holds them without a rest.

    >>> duration_text(5_400_000), duration_text(86_400_000), duration_text(0)
    ('90m', '1d', '0s')
    """
    if not ms:
        return "0s"
    unit = next(unit for unit in reversed(_UNITS) if ms % _UNITS[unit] == 0)
    return f"{ms // _UNITS[unit]}{unit}"
