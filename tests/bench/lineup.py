"""Who runs in the bench, on what: each worker with events of its own, filled into its topic before it starts.

Their speeds differ by a hundred, and each should run for some seconds: so each kind is told how many events it gets.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.bench.columnar import Columnar, Written
from tests.bench.events import LIVE_MS, Flow

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = Path(os.environ.get("DRIFTLINE_PEERS", ROOT / ".cache" / "peers"))
DRIFTLINE = (sys.executable, "-m", "stream.command.main", "worker")
QUIX = (str(ENVIRONMENTS / "quix" / "bin" / "python"), str(ROOT / "tests/bench/peers/run_quix.py"))

#: What a worker leaves for us to check: a number of events; driftline's panes; states in Redis; states in a file at its end.
Leaves = Literal["number", "panes", "states", "file"]


@dataclass(frozen=True, slots=True)
class Contender:
    """A worker (the command that is run) and the events it is given."""

    name: str
    command: tuple[str, ...]
    flow: Flow | Columnar
    leaves: Leaves = "number"

    @property
    def missing(self) -> str | None:
        """Why it cannot run here."""
        program = Path(self.command[0])
        return None if program.exists() else f"no {program}: scripts/make-peers {program.parts[-3]} builds it"


@dataclass(frozen=True, slots=True)
class Live:
    """Driftline at a steady rate: measured for ``for_s`` once ``after_s`` are over; events carry the present time."""

    name: str
    flow: Flow
    rate: int
    after_s: float
    for_s: float


def contenders(
    *, stock: int, reading: int, ours: int, models: int, batches: int, rows_a_record: int = 2_000
) -> tuple[Contender, ...]:
    """All who find their topic full; ``models`` are those of any key."""
    return (
        Contender("stock_faust_counting", _ours("tests.bench.stock_faust"), Flow(20, 8, stock)),
        reading_only(Flow(20, 8, reading)),
        Contender("stock_faust_same_work", _ours("tests.bench.same_work"), Flow(20, 8, stock // 4), "states"),
        Contender("quix", QUIX, Flow(20, 8, stock // 4), "file"),
        driftline("driftline_1", Flow(1, 8, ours)),
        driftline("driftline_20", Flow(20, 8, ours)),
        driftline("driftline_200", Flow(200, 64, ours)),
        driftline(f"driftline_{models}_models_any_key", Flow(models, 64, ours, keyed="any", span_ms=LIVE_MS)),
        driftline(f"driftline_{models}_models_any_key_replayed", Flow(models, 64, ours, keyed="any")),
        driftline("columnar_rows", _batches(batches, rows_a_record, "lists")),
        driftline("columnar_rows_packed", _batches(batches, rows_a_record, "packed")),
    )


def reading_only(flow: Flow) -> Contender:
    """Our transport on these events, and an agent that counts the records of runs."""
    return Contender("read_only", _ours("tests.bench.transport_only"), flow)


def _ours(module: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module)


def driftline(name: str, flow: Flow | Columnar) -> Contender:
    """A driftline worker on these events."""
    return Contender(name, DRIFTLINE, flow, "panes")


def _batches(batches: int, rows_a_record: int, written: Written) -> Columnar:
    return Columnar(20, 8, batches, rows_a_record, written)
