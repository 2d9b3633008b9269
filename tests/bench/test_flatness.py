"""What an event costs, as a multiple of reading it, does not grow with partitions, models or workers.

Runs are interleaved: each round measures every size of an axis and, beside it, reading the same events; a size's cost is the
median over the rounds; what was counted in the end is compared with numpy's count each time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

import pytest
from rich.console import Console
from rich.table import Table

from tests.bench.contest import Stage
from tests.bench.events import Flow
from tests.bench.lineup import ROOT, driftline, reading_only
from tests.bench.test_throughput import telling

ROUNDS = 3
EVENTS = 400_000
#: By axis, its sizes: so many partitions, models, workers; of the last, long enough to be shared before the end.
PARTITIONS = {size: Flow(20, size, EVENTS) for size in (1, 8, 64)}
MODELS = {size: Flow(size, 8, EVENTS) for size in (1, 20, 200, 1_000)}
WORKERS = {size: Flow(20, 8, 1_600_000) for size in (1, 2, 4)}
#: Flat: the dearest size costs at most so much more than the cheapest.
ALLOWED = 1.2

#: One measurement: events of a CPU-second.
Measured = Callable[[Stage], float]
#: CPU of an event, as a multiple of only reading it, by size.
Costs = Mapping[int, float]


def spread(costs: Costs) -> float:
    """The dearest over the cheapest.

    >>> spread({1: 4.0, 8: 5.0, 64: 4.5})
    1.25
    """
    return max(costs.values()) / min(costs.values())


def costs_of(rounds: Sequence[Mapping[int, tuple[float, float]]]) -> dict[int, float]:
    """The median over rounds of (rate of reading / rate of counting), by size.

    >>> costs_of([{1: (400.0, 100.0)}, {1: (300.0, 100.0)}, {1: (900.0, 100.0)}])
    {1: 4.0}
    """
    return {size: median(read / counted for read, counted in (one[size] for one in rounds)) for size in rounds[0]}


@pytest.mark.bench
def test_an_event_costs_the_same_with_many_partitions_models_and_workers(
    kafka_bootstrap: str, redis_url: str, tmp_path: Path
) -> None:
    with telling() as tell:
        stage = Stage(kafka_bootstrap, redis_url, tmp_path, tell)
        found = {
            "partitions": interleaved(stage, {size: (read(flow), counted(flow)) for size, flow in PARTITIONS.items()}),
            "models": interleaved(stage, {size: (read(flow), counted(flow)) for size, flow in MODELS.items()}),
            "workers": interleaved(stage, {size: (read(flow), shared(flow, size)) for size, flow in WORKERS.items()}),
        }
    Console(width=100).print(as_table(found))
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "flatness.json").write_text(json.dumps(found, indent=1))
    assert {axis: spread(costs) <= ALLOWED for axis, costs in found.items()} == dict.fromkeys(found, True)


def interleaved(stage: Stage, sizes: Mapping[int, tuple[Measured, Measured]]) -> dict[int, float]:
    """The cost by size; in every round each size is read and then counted."""
    return costs_of(
        [
            {size: (reading(stage), counting(stage)) for size, (reading, counting) in sizes.items()}
            for _ in range(ROUNDS)
        ]
    )


def read(flow: Flow) -> Measured:
    """Only reading these events."""
    contender = reading_only(flow)
    return lambda stage: stage.measure(contender).per_cpu_s


def counted(flow: Flow) -> Measured:
    """The whole path of one worker."""
    contender = driftline(f"{flow.models} models, {flow.partitions} partitions", flow)
    return lambda stage: stage.measure(contender).per_cpu_s


def shared(flow: Flow, workers: int) -> Measured:
    """The whole path of several workers."""
    return lambda stage: stage.measure_shared(flow, workers=workers).per_cpu_s


def as_table(found: Mapping[str, Costs]) -> Table:
    """A row a size."""
    table = Table(title=f"CPU of an event as a multiple of reading it, median of {ROUNDS} interleaved runs")
    for heading in ("axis", "size", "cost", "dearest / cheapest"):
        table.add_column(heading, justify="left" if heading == "axis" else "right")
    for axis, costs in found.items():
        for size, cost in costs.items():
            table.add_row(axis, str(size), f"{cost:.2f}", f"{spread(costs):.2f}")
    return table
