"""What evaluation and incidents cost the demo's year: counting without them, beside them, and in one process with them.

A pane of the year holds 45 events, so this is the dear end: `test_replay_evaluated` has panes of twelve times as many.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from stream.local import demo
from stream.local.child import Child, running
from stream.local.events import records_of
from stream.local.flights import load_flights
from stream.local.model import scores_of
from stream.local.replay import end_of_pane
from stream.local.stack import DRIFTLINE, Stack, running_stack
from stream.local.watched import january, write_watched

pytestmark = pytest.mark.bench

ROUNDS = 2
#: The way evaluation is run, and what the worker is told of it.
WAYS = {"nobody evaluates": "elsewhere", "driftline evaluate": "elsewhere", "the worker": "here"}


@dataclass(frozen=True, slots=True)
class Spent:
    """``seconds`` until everything was counted; CPU-seconds of the worker and of the evaluator until everybody was told."""

    events: int
    seconds: float
    worker: float
    evaluator: float


def test_a_replay_of_the_year_with_evaluation_and_without() -> None:
    found = {way: [] for way in WAYS}  # type: dict[str, list[Spent]]
    for _ in range(ROUNDS):
        for way, runs in found.items():
            runs.append(_replayed(way))
    table = Table(title=f"{found['the worker'][0].events} events of the year of flights, {ROUNDS} runs in turn")
    for heading in ("who evaluates", "s", "events/s", "worker's CPU-s", "evaluator's"):
        table.add_column(heading, justify="right")
    for way, runs in found.items():
        table.add_row(way, *(_each(runs, of) for of in ("seconds", "rate", "worker", "evaluator")))
    Console(width=110).print(table)
    assert {one.events for runs in found.values() for one in runs} == {1_000_898}


def _each(runs: list[Spent], of: str) -> str:
    if of == "rate":
        return ", ".join(f"{one.events / one.seconds:,.0f}" for one in runs)
    return ", ".join(f"{getattr(one, of):.1f}" for one in runs)


def _replayed(way: str) -> Spent:
    quiet, flights = Console(file=io.StringIO()), load_flights()
    scores = scores_of(flights)
    with running_stack() as stack:
        demo._apply(write_watched(stack.folder, january(flights, scores)), stack)
        with _worker(stack, way) as worker, _evaluator(stack, way) as evaluator:
            begun = [_cpu_s(one) for one in (worker, evaluator)]
            done = demo._replay(records_of(flights, scores), stack, worker=worker, console=quiet)
            if way != "nobody evaluates":
                demo._settle(stack, [worker, evaluator], until_ms=end_of_pane(done.clock_ms), console=quiet)
            spent = [_cpu_s(one) - before for one, before in zip((worker, evaluator), begun, strict=True)]
            return Spent(done.events, done.seconds, *spent)


def _worker(stack: Stack, way: str) -> contextlib.AbstractContextManager[Child]:
    env = stack.env | {"DRIFTLINE_EVALUATE": WAYS[way]}
    return running("worker", [*DRIFTLINE, "worker"], folder=stack.folder, env=env)


@contextlib.contextmanager
def _evaluator(stack: Stack, way: str) -> Iterator[Child]:
    """``driftline evaluate``, or a process that only sleeps."""
    command = [*DRIFTLINE, "evaluate"] if way == "driftline evaluate" else ["sleep", "3600"]
    with running("evaluator", command, folder=stack.folder, env=stack.env) as evaluator:
        yield evaluator


def _cpu_s(child: Child) -> float:
    """User and system time of a process, all its threads."""
    fields = Path(f"/proc/{child.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
