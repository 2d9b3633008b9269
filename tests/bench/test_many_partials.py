"""What open panes cost where every model has one in every partition: CPU an event, and memory over ten million events."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from faust.types import TP

from stream.ingest.ceiling import DEFAULT_CEILING, Ceiling
from tests.bench.events import DISTINCT, LIVE_MS, PANE_MS, START_MS, Flow, table
from tests.bench.many_partials import RUN, Cost, measured, working
from tests.support import ingest

MEMORY = Flow(250, 60, 10_000_000, keyed="any", span_ms=48 * PANE_MS)


@pytest.mark.bench
@pytest.mark.parametrize(
    "flow",
    [
        Flow(1_000, 64, 800_000, keyed="any", span_ms=LIVE_MS),
        Flow(1_000, 64, 800_000, keyed="any"),
        Flow(20, 8, 400_000),
    ],
    ids=["1000 models, any key", "the same over three panes", "20 models, keyed"],
)
def test_what_many_partials_cost(flow: Flow, redis_url: str, environment_name: str) -> None:
    cost, digest = asyncio.run(measured(flow, redis_url, environment=environment_name))
    print(f"\n{cost.line()}; stored: {digest}")


@pytest.mark.bench
@pytest.mark.parametrize("mib", [400, 40], ids=["all panes fit", "a tenth of them fits"])
def test_memory_over_ten_million_events(mib: int, redis_url: str, environment_name: str) -> None:
    lines = [one.line() for one in asyncio.run(weighed(MEMORY, redis_url, environment_name, Ceiling(mib << 20)))]
    print("", *lines[:: len(lines) // 10], lines[-1], sep="\n")


def test_the_same_is_stored_whatever_fits(redis_url: str, environment_name: str) -> None:
    flow = Flow(3, 4, 300, keyed="any")

    def stored(environment: str, ceiling: Ceiling) -> tuple[Cost, str]:
        return asyncio.run(measured(flow, redis_url, environment=environment, ceiling=ceiling))

    (all_fit, one), (none_fits, other) = (
        stored(f"{environment_name}-{at}", Ceiling(size)) for at, size in enumerate((1 << 30, 1))
    )
    assert (all_fit.events, all_fit.panes, all_fit.evicted) == (300, 3 * 4 * 3, 0)
    assert one == other
    assert none_fits.evicted > 0


def test_memory_is_weighed_all_along(redis_url: str, environment_name: str) -> None:
    found = asyncio.run(weighed(Flow(3, 4, 6_000, keyed="any"), redis_url, environment_name, DEFAULT_CEILING))
    assert [one.events for one in found] == [2_000, 4_000, 6_000]


@dataclass(frozen=True, slots=True)
class Weight:
    """After so many events: partials open, those that left memory so far, bytes of partials and of this process."""

    events: int
    open: int
    evicted: int
    partials: int
    process: int

    def line(self) -> str:
        return (
            f"{self.events} events: {self.open} open partials, {self.evicted} evicted, they hold {self.partials / 1e6:.0f} MB, "
            f"the process {self.process / 1e6:.0f} MB"
        )


async def weighed(flow: Flow, redis_url: str, environment: str, ceiling: Ceiling) -> list[Weight]:
    """Counts a flow whose records are made as they are read; weighed after each run."""
    found = []
    async with working(flow, redis_url, environment=environment, ceiling=ceiling) as worker:
        for tp, records in _runs(flow):
            await worker.read(tp, records)
            counter = worker.counter
            weight = Weight(worker.events, counter.rooms.panes, counter.evicted, counter.rooms.nbytes, _resident())
            found.append(weight)
    return found


def _runs(flow: Flow) -> Iterator[tuple[TP, list[ingest.Stored]]]:
    """Runs of one partition after another, of models in turn, in rising event time."""
    bodies, offsets = table(DISTINCT, seed=2).bodies(), [0] * flow.partitions
    for number, first in enumerate(range(0, flow.events, RUN)):
        partition = number % flow.partitions
        made = []
        for at in range(first, first + RUN):
            time_ms = START_MS + at * flow.span_ms // flow.events
            made.append(ingest.Stored(flow.record(at, time_ms, bodies)[2], offsets[partition], time_ms))
            offsets[partition] += 1
        yield TP("predictions", partition), made


def _resident() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmRSS"))
