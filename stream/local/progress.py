"""A replay as a person watches it: one line that moves, and an alarm when nothing moves any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from rich.text import Text

from stream.local.child import Child, ChildDied
from stream.local.judged import Judged
from stream.local.replay import Progress

STALL_S = 60.0


def progress_line(progress: Progress) -> Text:
    """Events sent, events stored a second, the clock of the events (UTC), and what is sent and not yet stored.

    >>> progress_line(Progress(events=12_000, seconds=1.0, clock_ms=1357035300000, lag=2_000)).plain
    '12 000 events · 10 000 events/s · event clock 2013-01-01 10:15 · lag 2 000'
    """
    clock = datetime.fromtimestamp(progress.clock_ms / 1000, UTC)
    return Text(
        f"{_spaced(progress.events)} events · {_spaced(progress.rate)} events/s"
        f" · event clock {clock:%Y-%m-%d %H:%M} · lag {_spaced(progress.lag)}"
    )


def judging_line(judged: Judged) -> str:
    """How far the year is judged, while the demo waits for the rest.

    >>> judging_line(Judged(judged_ms=1357084800000, waiting=3))
    'judging: up to 2013-01-02 00:00, 3 on their way'
    """
    upto = (
        "nothing yet"
        if judged.judged_ms is None
        else f"{datetime.fromtimestamp(judged.judged_ms / 1000, UTC):%Y-%m-%d %H:%M}"
    )
    return f"judging: up to {upto}, {judged.waiting} on their way"


def _spaced(number: float) -> str:
    return f"{number:,.0f}".replace(",", " ")


class Watch:
    """Looks at the worker each time the replay reports."""

    def __init__(self, worker: Child, *, now: Callable[[], float] = time.monotonic) -> None:
        self._worker = worker
        self._now = now
        self._stored = 0
        self._moved = now()

    def check(self, progress: Progress) -> None:
        """:raises ChildDied: the worker ended, or has stored nothing for a minute while there was something."""
        self._worker.check()
        stored = progress.events - progress.lag
        if stored != self._stored:
            self._stored, self._moved = stored, self._now()
        if self._now() - self._moved > STALL_S:
            raise ChildDied(f"the worker stored nothing for {STALL_S:g} s\n{self._worker.last_lines()}")
