"""What evaluation and incidents cost the demo's year: counting without them, with evaluation beside the worker, and within it.

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
from stream.local.child import running
from stream.local.events import records_of
from stream.local.flights import load_flights
from stream.local.model import scores_of
from stream.local.replay import end_of_pane
from stream.local.stack import DRIFTLINE, running_stack
from stream.local.watched import january, write_watched

pytestmark = pytest.mark.bench

ROUNDS = 3
#: Who evaluates, and what the worker is told of it.
WAYS = {"nobody": "elsewhere", "beside the worker": "beside", "the worker": "here"}


@dataclass(frozen=True, slots=True)
class Spent:
    """``seconds`` until everything was counted; CPU-seconds of the worker and of its child until everybody was told."""

    events: int
    seconds: float
    worker: float
    child: float


def test_a_replay_of_the_year_with_evaluation_and_without() -> None:
    found: dict[str, list[Spent]] = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way, runs in found.items():
            runs.append(_replayed(way))
    table = Table(title=f"the year of flights, {ROUNDS} runs in turn")
    for heading in ("who evaluates", "s", "events/s", "worker's CPU-s", "its child's"):
        table.add_column(heading, justify="right")
    for way, runs in found.items():
        rates = ", ".join(f"{one.events / one.seconds:,.0f}" for one in runs)
        table.add_row(way, _each(runs, "seconds"), rates, _each(runs, "worker"), _each(runs, "child"))
    Console(width=120).print(table)
    assert {one.events for runs in found.values() for one in runs} == {1_000_898}


def _each(runs: list[Spent], of: str) -> str:
    return ", ".join(f"{getattr(one, of):.1f}" for one in runs)


def _replayed(way: str) -> Spent:
    quiet, flights = Console(file=io.StringIO()), load_flights()
    scores = scores_of(flights)
    with running_stack() as stack:
        demo._apply(write_watched(stack.folder, january(flights, scores)), stack)
        env = stack.env | {"DRIFTLINE_EVALUATE": WAYS[way]}
        with running("worker", [*DRIFTLINE, "worker"], folder=stack.folder, env=env) as worker:
            done = demo._replay(records_of(flights, scores), stack, worker=worker, console=quiet)
            if way != "nobody":
                demo._settle(stack, worker, until_ms=end_of_pane(done.clock_ms), console=quiet)
            spent = _cpu_s(worker.process.pid), sum(map(_cpu_s, _children(worker.process.pid)))
            return Spent(done.events, done.seconds, *spent)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _cpu_s(pid: int) -> float:
    """User and system time of a process since its start, all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
