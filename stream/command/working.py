"""What a long command is doing, on the error stream of a terminal; nothing of a short one, nothing in a pipe."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

#: A command that is done by then shows nothing.
PATIENCE_S = 1.0

Told = Callable[[str, int, int | None], None]


@contextmanager
def building(console: Console | None = None) -> Iterator[Told]:
    """Hears ``(what, number, total)`` and shows it in a line that goes away at the end; a total of None is unknown.

    >>> with building() as told:
    ...     told("rows", 65_536, None)
    """
    shown = console or Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f}"))
    progress = Progress(*columns, TimeElapsedColumn(), console=shown, transient=True, disable=not shown.is_terminal)
    began = time.monotonic()
    tasks: dict[str, int] = {}

    def told(what: str, number: int, total: int | None) -> None:
        if time.monotonic() - began < PATIENCE_S:
            return
        progress.start()
        if what not in tasks:
            tasks[what] = progress.add_task(what, total=total)
        progress.update(tasks[what], completed=number)  # type: ignore[arg-type]

    try:
        yield told
    finally:
        progress.stop()
