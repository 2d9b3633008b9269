"""What evaluation costs a replay: events per CPU-second with windows of 24 panes judged at every pane, and without evaluation.

Two rounds, so that the spread between equal runs stands beside the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from rich.console import Console
from rich.table import Table

from schemas.monitored import Monitors
from tests.bench.contest import Stage
from tests.bench.events import SPAN_MS, Flow
from tests.bench.lineup import driftline
from tests.bench.sampling import Figures

pytestmark = pytest.mark.bench

EVENTS, ROUNDS = 400_000, 2
PANE_MS = 300_000
PANES = SPAN_MS // PANE_MS
NEVER_S = "86400"


@dataclass(frozen=True, slots=True)
class Judged(Flow):
    """The same events in panes of five minutes, each of which ends a window of 24."""

    def monitors(self) -> Monitors:
        """The monitors file."""
        plain = Flow.monitors(self)
        fields = {"pane_ms": PANE_MS, "windows": {"two_hours": 24 * PANE_MS}, "step_ms": PANE_MS, "lateness_ms": 0}
        return plain.model_copy(
            update={"models": {name: one.model_copy(update=fields) for name, one in plain.models.items()}}
        )


def test_a_replay_is_not_slowed_by_evaluation(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(kafka_bootstrap, redis_url, tmp_path, lambda what, done, total: None)
    monkeypatch.setenv("DRIFTLINE_CLOCK", "event")
    found: dict[str, list[Figures]] = {"off": [], "on": []}
    for number in range(2 * ROUNDS):
        name = ("off", "on")[number % 2]
        monkeypatch.setenv("DRIFTLINE_EVALUATE_INTERVAL_S", NEVER_S if name == "off" else "0.5")
        found[name].append(stage.measure(driftline(f"{name}_{number}", Judged(20, 8, EVENTS))))
    _print(found)
    with redis.Redis.from_url(redis_url) as client:
        judged = sum(1 for _ in client.scan_iter("driftline:bench-*:history:two_hours", count=10_000))
    assert judged == 20 * ROUNDS
    assert {one.events for runs in found.values() for one in runs} == {EVENTS}


def _print(found: dict[str, list[Figures]]) -> None:
    table = Table(title=f"{EVENTS} events of 20 models, {PANES} panes, a window of 24 judged at each")
    for heading in ("evaluation", "per CPU-second", "per second"):
        table.add_column(heading, justify="right")
    for name, runs in found.items():
        for one in runs:
            table.add_row(name, f"{one.per_cpu_s:,.0f}", f"{one.per_wall_s:,.0f}")
    means = {name: sum(one.per_cpu_s for one in runs) / len(runs) for name, runs in found.items()}
    table.add_row("on / off", f"{means['on'] / means['off']:.2f}", "")
    Console(width=100).print(table)
