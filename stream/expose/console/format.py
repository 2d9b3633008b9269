"""How the console writes numbers, times and names: the filters of its templates.

A name may come from an event, so it may hold anything: what moves a cursor, turns the direction of writing or breaks the
line is shown as an escape, and what is long is cut.  Escaping for HTML is the template engine's, always on.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from urllib.parse import quote

from schemas.durations import duration_text
from schemas.findings import Onset

LONGEST_NAME = 80
NOTHING = "–"
#: Measures that are shares of rows or of values, told in percent.
SHARES = ("missing", "unseen", "outside", "range", "type", "nonfinite")


def named(text: object, longest: int = LONGEST_NAME) -> str:
    """A name as text on a page: one line, in writing order, at most ``longest`` characters.

    >>> named("a\\nb\\u202ec"), named("x" * 100, 5)
    ('a\\\\nb\\\\u202ec', 'xxxx…')
    """
    said = str(text)
    shown = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in said[: longest + 1])
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def number(value: float | int | None) -> str:
    """Four significant digits, thousands apart.

    >>> number(0.123456), number(1234567), number(1234567.8), number(0.0), number(1e-7), number(None)
    ('0.1235', '1\\xa0234\\xa0567', '1\\xa0234\\xa0568', '0', '1e-07', '–')
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return NOTHING
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{round(value):,}".replace(",", "\N{NO-BREAK SPACE}")
    return f"{value:.4g}"


def share(value: float | None) -> str:
    """A part of one, in percent.

    >>> share(0.0512), share(0.00004), share(0.0), share(1.0), share(None)
    ('5.1\\xa0%', '<\\xa00.1\\xa0%', '0\\xa0%', '100\\xa0%', '–')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    if 0 < value < 0.001:
        return "<\N{NO-BREAK SPACE}0.1\N{NO-BREAK SPACE}%"
    return f"{value:.1%}".replace(".0%", "%").replace("%", "\N{NO-BREAK SPACE}%")


def p_value(value: float | None) -> str:
    """A p-value; below what its test resolves it is only small.

    >>> p_value(0.0312), p_value(1e-12), p_value(None)
    ('0.031', '<\\xa00.0001', '–')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    return "<\N{NO-BREAK SPACE}0.0001" if value < 0.0001 else f"{value:.2g}"


def measured(value: float | None, measure: str) -> str:
    """A value of a report's measure: a share in percent, a p-value as such.

    >>> measured(0.25, "psi"), measured(0.25, "missing"), measured(1e-12, "ks_p")
    ('0.25', '25\\xa0%', '<\\xa00.0001')
    """
    if measure in SHARES:
        return share(value)
    return p_value(value) if measure.endswith("_p") else number(value)


def moment(ms: int | None) -> str:
    """A time in UTC, to the minute; seconds where they are not zero.

    >>> moment(1357035300000), moment(1357035301999), moment(None)
    ('2013-01-01 10:15', '2013-01-01 10:15:01', '–')
    """
    if ms is None:
        return NOTHING
    at = datetime.fromtimestamp(ms // 1000, UTC)
    return at.strftime("%Y-%m-%d %H:%M:%S" if at.second else "%Y-%m-%d %H:%M")


def iso(ms: int) -> str:
    """The same for machines: RFC 3339, what ``<time datetime>`` holds."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def interval(onset: Onset) -> str:
    """An onset: a point where both ends are one.

    >>> interval(Onset(1357034400000, 1357120800000))
    '2013-01-01 10:00 … 2013-01-02 10:00'
    """
    if onset.lo == onset.hi:
        return moment(onset.hi)
    return f"{moment(onset.lo)} … {moment(onset.hi)}"


def ago(ms: int | None, now_ms: int) -> str:
    """How long before ``now_ms``, in its greatest unit.

    >>> ago(0, 90_000), ago(0, 7_200_000), ago(0, 500)
    ('1\\xa0min ago', '2\\xa0h ago', 'just now')
    """
    if ms is None:
        return NOTHING
    for length, unit in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")):
        if now_ms - ms >= length:
            return f"{(now_ms - ms) // length}\N{NO-BREAK SPACE}{unit} ago"
    return "just now"


def lasting(ms: int | None) -> str:
    """A duration as it is written in a monitors file."""
    return NOTHING if ms is None else duration_text(ms)


def segment(text: str) -> str:
    """One segment of a path.

    >>> segment("a/b?<c>")
    'a%2Fb%3F%3Cc%3E'
    """
    return quote(text, safe="", errors="replace")
