"""What the year looks like to a rule of thumb and to a test that holds its level: both views of each column, side by side.

The weeks that end on each day, as their reports have them: how many have a PSI above a quarter, and how many a calibrated p-value
below one in a thousand, and the first of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from redis import Redis
from rich.table import Table

from schemas.names import Names
from schemas.reports import Column, Report, decode

WINDOW = "week"
PSI, P_VALUE = 0.25, 0.001


@dataclass(frozen=True, slots=True)
class View:
    """Weeks in which a column was beyond a limit, of those in which it was judged, and when the first ended (epoch ms)."""

    beyond: int
    judged: int
    first_ms: int | None


@dataclass(frozen=True, slots=True)
class Views:
    """One column as both see it."""

    column: str
    by_psi: View
    by_test: View


def reports_in(redis: Redis, names: Names, model: str) -> list[Report]:
    """The stored reports of the week, oldest first."""
    entries = cast("list[tuple[bytes, dict[bytes, bytes]]]", redis.xrange(names.history(model, WINDOW)))
    return [decode(fields[b"document"]) for _, fields in entries]


def views_of(reports: Sequence[Report]) -> list[Views]:
    """Both views of every column that the calibrated test judged, features first."""
    columns = dict.fromkeys((room, name) for report in reports for room, name, _ in _columns(report))
    return [
        Views(name if room == "features" else f"({name})", _view(reports, (room, name), _by_psi), by_test)
        for room, name in columns
        if (by_test := _view(reports, (room, name), _by_test)).judged
    ]


def views_table(views: Iterable[Views]) -> Table:
    """A line a column."""
    title = f"weeks unlike January: PSI > {PSI:g}; p < {P_VALUE:g}"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for heading in ("", "weeks", "by PSI", "since", "by test", "since"):
        table.add_column(heading, justify="left" if heading in ("", "since") else "right")
    for one in views:
        table.add_row(one.column, str(one.by_test.judged), *_cells(one.by_psi), *_cells(one.by_test))
    return table


def _columns(report: Report) -> Iterator[tuple[str, str, Column]]:
    rooms: Mapping[str, Mapping[str, Column]] = {"features": report.features, "prediction": report.prediction}
    return ((room, name, column) for room, columns in rooms.items() for name, column in columns.items())


def _view(reports: Sequence[Report], wanted: tuple[str, str], beyond: Callable[[Column], bool | None]) -> View:
    said = [
        (report.end, found)
        for report in reports
        for room, name, column in _columns(report)
        if (room, name) == wanted and (found := beyond(column)) is not None
    ]
    over = [end for end, found in said if found]
    return View(len(over), len(said), min(over, default=None))


def _by_psi(column: Column) -> bool | None:
    measure = column.measures.get("psi")
    return None if measure is None or measure.value is None else measure.value > PSI


def _by_test(column: Column) -> bool | None:
    measure = column.measures.get("drift")
    return None if measure is None or measure.p_value is None else measure.p_value < P_VALUE


def _cells(view: View) -> tuple[str, str]:
    since = "–" if view.first_ms is None else f"{datetime.fromtimestamp(view.first_ms / 1000, UTC):%d %b}"
    return str(view.beyond), since
