"""Words, numbers and times as messages write them; names that came with events are made harmless here.

Nothing that a terminal, a chat client or a reader's eye would obey passes: line breaks become blanks; control characters,
marks that turn the direction of writing, invisible ones and half surrogates are left out.
"""

from __future__ import annotations

import math
import unicodedata
from datetime import UTC, datetime

_BREAKS = {"\n", "\r", "\t", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"}
_LEFT_OUT = {"Cc", "Cf", "Cs", "Co", "Cn"}
#: No name and no sentence is worth reading further; what is longer is cut before it is looked at.
_LONGEST = 8192
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000))


def clean(text: str) -> str:
    """One line of visible text.

    >>> clean("temp\\n<!channel>\\u202eevil\\x07")
    'temp <!channel>evil'
    """
    spaced = "".join(" " if sign in _BREAKS else sign for sign in text[:_LONGEST])
    kept = "".join(sign for sign in spaced if unicodedata.category(sign) not in _LEFT_OUT)
    return " ".join(kept.split())


def cut(text: str, limit: int) -> str:
    """At most ``limit`` characters; where something is missing, it ends in an ellipsis.

    >>> cut("temperature", 5)
    'temp…'
    """
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def finite(value: float | None) -> float | None:
    """The number, None where it is none that JSON can hold."""
    return value if value is not None and math.isfinite(value) else None


def number(value: float | None) -> str:
    """A statistic as read by people: three significant digits, a dash where there is none.

    >>> number(0.41372), number(0.0), number(1234.5), number(float("nan")), number(3e-9)
    ('0.414', '0', '1 234', '–', '3e-09')
    """
    if finite(value) is None or value is None:
        return "–"
    return count(round(value)) if 1000 <= abs(value) < 1e15 else f"{value:.3g}"


def count(rows: int | None) -> str:
    """A number of rows.

    >>> count(19874), count(None)
    ('19 874', '–')
    """
    return "–" if rows is None else f"{rows:,}".replace(",", " ")


def utc(at_ms: int) -> str:
    """A time for people; a dash where it is none that a calendar has.

    >>> utc(1357035300000)
    '2013-01-01 10:15 UTC'
    """
    try:
        return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return "–"


def rfc3339(at_ms: int) -> str:
    """A time for machines.

    >>> rfc3339(1357035300000)
    '2013-01-01T10:15:00Z'
    """
    try:
        return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        return ""


def duration(length_ms: int) -> str:
    """How long, in its two greatest units.

    >>> duration(8 * 86_400_000 + 3 * 3_600_000 + 5), duration(90_000), duration(-5)
    ('8 d 3 h', '1 min 30 s', '0 s')
    """
    left, parts = max(length_ms, 0), []
    for unit, size in _UNITS:
        if left >= size:
            parts.append(f"{left // size} {unit}")
            left %= size
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"
