"""How commands print: one JSON object, or a table for people; names from events are text and never markup."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from schemas.timestamps import rfc3339

#: Characters of a last column of text that breaks into lines.
BREAKS_AT = 20


def print_json(found: object) -> None:
    """One JSON document on standard output."""
    print(json.dumps(found, indent=1))


def print_lines(lines: Iterable[str]) -> None:
    """Lines as they are, whatever the width."""
    for line in lines:
        print(printable(line))


def print_table(*, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """A table without lines around it, so that it can be copied and searched; None is shown as –.

    A column whose name ends in ``#`` holds numbers and stands on the right. Cells are never cut, because the next command
    may want them: headings and the last column break into lines, and a terminal that is still too narrow breaks the rows.
    """
    cells = [[shown(cell) for cell in row] for row in rows]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    needed = sum(_add_column(table, name, [row[at] for row in cells]) + 2 for at, name in enumerate(columns))
    last = table.columns[-1]
    if last.justify == "left":
        needed -= max(0, (last.min_width or 0) - BREAKS_AT)
        last.min_width, last.no_wrap = None, False
    for row in cells:
        table.add_row(*map(Text, row))
    console = Console()
    console.width = max(console.width, needed)
    console.print(table)


def _add_column(table: Table, name: str, cells: Iterable[str]) -> int:
    """Add a column that does not break; the characters it needs."""
    number = name.endswith("#")
    heading = name.removesuffix("#").split(" ") if number else [name]
    width = max(map(cell_len, [*heading, *cells]))
    table.add_column(Text("\n".join(heading)), justify="right" if number else "left", min_width=width, no_wrap=True)
    return width


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
    """Epoch milliseconds as RFC 3339 in UTC; None stays None."""
    return None if ms is None else rfc3339(ms)


def span(seconds: float | None) -> str:
    """A length of time in the unit that suits it; – for None.

    >>> span(0.42), span(90), span(7_200), span(52_307_700), span(None)
    ('0.4 s', '1.5 min', '2.0 h', '605.4 d', '–')
    """
    if seconds is None:
        return "–"
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if abs(seconds) >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s"


def empty_partitions(topics: Iterable[str]) -> Iterator[str]:
    """One line about all partitions that hold nothing, given the topic of each; none where there is no such partition.

    >>> list(empty_partitions(["labels", "labels", "serving"]))
    ['3 empty partitions: labels 2, serving 1']
    """
    counted = Counter(topics)
    if counted:
        count = counted.total()
        yield f"{count} empty partition{'' if count == 1 else 's'}: {entries(counted)}"


def entries(counts: Mapping[str, Any]) -> str:
    """Counts by name in one cell.

    >>> entries({"not_json": 2, "future": 1})
    'not_json 2, future 1'
    """
    return ", ".join(f"{name} {count}" for name, count in counts.items())
