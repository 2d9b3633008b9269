"""Slack's text: escaping, limits, and the few kinds of blocks that our messages are built from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Any

from alerting.messages.wording import clean, cut, utc

HEADER, SECTION, TEXT, BLOCKS = 150, 3000, 3000, 50

Block = dict[str, Any]


def escaped(text: str) -> str:
    """Text in which Slack sees no mention, no link and no entity; the ampersand first, or it would escape the others' escapes.

    >>> escaped("<!channel> & co")
    '&lt;!channel&gt; &amp; co'
    """
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def fitted(text: str, limit: int) -> str:
    """Escaped text of at most ``limit`` characters, no entity cut in two.

    >>> fitted("a<b<c", 6), fitted("a<b", 6)
    ('a&lt;…', 'a&lt;b')
    """
    text = clean(text)
    longest = bisect_right(
        range(1, min(len(text), limit) + 1), limit, key=lambda length: len(escaped(cut(text, length)))
    )
    return escaped(cut(text, longest)) if text else ""


def code(text: str) -> str:
    """Something to type, escaped, that ends where it should: a backtick inside would end it early."""
    return f"`{fitted(text.replace('`', chr(39)), 300)}`"


def moment(at_ms: int) -> str:
    """A time in UTC and, beside it, on the reader's own clock."""
    plain = utc(at_ms)
    if plain == "–":
        return plain
    return f"{plain} (<!date^{at_ms // 1000}^{{date_short_pretty}} {{time}} your time|{plain}>)"


def header(text: str) -> Block:
    """The large first line."""
    return {"type": "header", "text": {"type": "plain_text", "text": fitted(text, HEADER), "emoji": False}}


def section(lines: Iterable[str]) -> Block | None:
    """Lines that are escaped already; those that do not fit any more are counted instead.  None where there is no line."""
    lines = list(lines)
    kept: list[str] = []
    room = SECTION - 40
    for line in lines:
        if len(line) + 1 > room:
            kept.append(f"… and {len(lines) - len(kept)} more")
            break
        kept.append(line)
        room -= len(line) + 1
    # Verbatim: a bare #name, @name or address in it is text and no link.
    return {"type": "section", "text": {"type": "mrkdwn", "text": "\n".join(kept), "verbatim": True}} if kept else None


def context(text: str) -> Block:
    """The small last line, escaped already."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def blocks(parts: Iterable[Block | None]) -> list[Block]:
    """Those that say something, as many as Slack takes."""
    return [part for part in parts if part is not None][:BLOCKS]
