"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

import typer

from schemas.durations import milliseconds_of
from schemas.errors import RejectedEvent
from schemas.names import TOPICS_IN, Names, Stream
from schemas.timestamps import timestamp_ms_of

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")]


def moment_ms(text: str) -> int:
    """Epoch milliseconds of a time on the command line: a number, RFC 3339 with an offset, or a day (its start in UTC).

    :raises typer.BadParameter: it is none of these.

    >>> moment_ms("2013-01-01"), moment_ms("2013-01-01T05:15:00-05:00"), moment_ms("1357035300000")
    (1356998400000, 1357035300000, 1357035300000)
    """
    try:
        return timestamp_ms_of(int(text) if re.fullmatch(r"\d{1,18}", text, re.ASCII) else _with_time(text))
    except RejectedEvent as refused:
        allowed = "epoch milliseconds, RFC 3339 with an offset, or a day such as 2013-01-31"
        raise typer.BadParameter(f"{text!r} {refused.detail}; allowed: {allowed}") from None


def pane_ms(text: str) -> int:
    """Milliseconds of a pane's length on the command line.

    :raises typer.BadParameter: it is no duration, or none at all.

    >>> pane_ms("1h")
    3600000
    """
    try:
        found = milliseconds_of(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} {error}") from None
    if found == 0:
        raise typer.BadParameter("a pane must be longer than 0")
    return found


def stream_named(text: str, names: Names) -> Stream:
    """The incoming stream that a person means by its name or by its topic's.

    :raises typer.BadParameter: it is none of the four.
    """
    for stream in TOPICS_IN:
        if text in (stream, names.topic(stream)):
            return stream
    raise typer.BadParameter(f"{text!r} is none of {', '.join(TOPICS_IN)}")


def _with_time(text: str) -> str:
    try:
        return f"{date.fromisoformat(text)}T00:00:00Z"
    except ValueError:
        return text
