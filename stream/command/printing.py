"""How commands print: one JSON object, or a table for people; names from events are text and never markup."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


def print_json(found: object) -> None:
    """One JSON document on standard output."""
    print(json.dumps(found, indent=1))


def print_lines(lines: Iterable[str]) -> None:
    """Lines as they are, whatever the width."""
    for line in lines:
        print(printable(line))


def print_table(title: str, *, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """A table; a column whose name ends in ``#`` holds numbers and stands on the right; None is shown as –."""
    table = Table(title=Text(printable(title)), title_justify="left")
    for name in columns:
        table.add_column(Text(name.removesuffix("#").strip()), justify="right" if name.endswith("#") else "left")
    for row in rows:
        table.add_row(*(Text(shown(cell)) for cell in row))
    Console().print(table)


def shown(value: object) -> str:
    """A cell's text.

    >>> shown(None), shown(0.1 + 0.2), shown(7), shown("a\\x1bb")
    ('–', '0.3', '7', 'a\\\\x1bb')
    """
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else printable(str(value))


def printable(text: str) -> str:
    """Text without what moves a terminal's cursor or changes its colours: such characters are written as escapes."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def moment(ms: int | None) -> str | None:
    """Epoch milliseconds as RFC 3339 in UTC.

    >>> moment(1357035300000), moment(1357035300001)
    ('2013-01-01T10:15:00Z', '2013-01-01T10:15:00.001Z')
    """
    if ms is None:
        return None
    text = datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{ms % 1000:03d}Z" if ms % 1000 else f"{text}Z"


def entries(counts: dict[str, Any]) -> str:
    """Counts by name in one cell.

    >>> entries({"not_json": 2, "future": 1})
    'not_json 2, future 1'
    """
    return ", ".join(f"{name} {count}" for name, count in counts.items())
