"""What evaluation and incidents cost the demo's year: the worker's CPU-seconds and events a second, without both and with them.

A pane of the year holds 45 events, so this is the dear end: `test_replay_evaluated` has panes of twelve times as many.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from stream.local import demo
from stream.local.events import records_of
from stream.local.flights import load_flights
from stream.local.model import scores_of
from stream.local.replay import end_of_pane
from stream.local.stack import running_stack
from stream.local.watched import january, write_watched
from tests.bench.test_replay_evaluated import NEVER_S

pytestmark = pytest.mark.bench


@dataclass(frozen=True, slots=True)
class Spent:
    """``seconds`` until everything was counted; ``cpu_s`` of the worker until everybody was told, too."""

    events: int
    seconds: float
    cpu_s: float


def test_a_replay_of_the_year_with_evaluation_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIFTLINE_EVALUATE_INTERVAL_S", NEVER_S)
    off = _replayed(settle=False)
    monkeypatch.delenv("DRIFTLINE_EVALUATE_INTERVAL_S")
    on = _replayed(settle=True)
    table = Table(title=f"{on.events} events of the year of flights")
    for heading in ("evaluation and incidents", "s", "events/s", "worker's CPU-s", "events/CPU-s"):
        table.add_column(heading, justify="right")
    for name, one in (("off", off), ("on", on)):
        rates = f"{one.events / one.seconds:,.0f}", f"{one.cpu_s:.1f}", f"{one.events / one.cpu_s:,.0f}"
        table.add_row(name, f"{one.seconds:.1f}", *rates)
    Console(width=100).print(table)
    assert off.events == on.events == 1_000_898


def _replayed(*, settle: bool) -> Spent:
    quiet, flights = Console(file=io.StringIO()), load_flights()
    scores = scores_of(flights)
    with running_stack() as stack:
        demo._apply(write_watched(stack.folder, january(flights, scores)), stack)
        with demo._children(stack, quiet) as children:
            worker = children.worker
            before = _cpu_s(worker.process.pid)
            done = demo._replay(records_of(flights, scores), stack, worker=worker, console=quiet)
            if settle:
                demo._settle(stack, children, until_ms=end_of_pane(done.clock_ms), console=quiet)
            return Spent(done.events, done.seconds, _cpu_s(worker.process.pid) - before)


def _cpu_s(pid: int) -> float:
    """User and system time of a process, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
