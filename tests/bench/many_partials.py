"""Counting and storing events of many models under any key, in this process: bytes to panes in a real Redis, without Kafka.

What a worker pays for open partials shows here alone.  A clock stands in for the wall's: a checkpoint comes every so many events.
"""

from __future__ import annotations

import gc
import hashlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from faust.types import TP
from redis.asyncio import Redis

from schemas.names import Names
from stream.collector import spare_the_collector
from stream.ingest.ceiling import DEFAULT_CEILING, Ceiling
from stream.ingest.checkpoint import Checkpointer, Followers
from stream.ingest.counter import Counter
from stream.ingest.newest import Newest
from stream.ingest.ownership import Claim, Ownership
from stream.ingest.tenure import Tenure
from stream.ingest.warm import warm
from stream.redis_connection import LeanConnection
from stream.state.patience import Patience
from stream.state.store import PaneStore
from tests.bench.events import SPAN_MS, START_MS, Flow
from tests.bench.in_process import plans_of
from tests.support import ingest

RUN = 2_000
#: What the clock is made of; a look at what is to be stored comes twice a second.
EVENTS_A_S = 70_000
EVENTS_A_LOOK = EVENTS_A_S // 2
AT_LATEST_S = 5.0


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU of this process, of which ``stored_s`` for checkpoints; the panes stored, and bytes of partials at most."""

    events: int
    cpu_s: float
    stored_s: float
    panes: int
    evicted: int
    memory: int

    def line(self) -> str:
        """For a person."""
        return (
            f"{self.events} events: {self.cpu_s / self.events * 1e6:.1f} us of CPU an event, {self.panes} panes stored "
            f"({self.stored_s / max(1, self.panes) * 1e6:.1f} us each), partials {self.memory / 1e6:.0f} MB"
        )


class Worker:
    """Partitions of one stream, counted and stored as a worker does it."""

    def __init__(self, flow: Flow, redis_url: str, *, environment: str, ceiling: Ceiling = DEFAULT_CEILING) -> None:
        self.flow = flow
        # redis-py's annotation leaves the class of connections out.
        self.redis = cast(Any, Redis).from_url(redis_url, connection_class=LeanConnection)
        self.store = PaneStore(self.redis, Names(environment), keep_ms=3_600_000)
        self.counter = Counter(
            plans_of(flow),
            load=self.store.load,
            refuse=_nothing,
            keep=_nothing,
            newest=Newest(),
            skew_ms=SPAN_MS,
            ceiling=ceiling,
        )
        claim = Claim("bench", False, owner="here")
        self.ownership = Ownership(self.store, self.counter, claim=claim, survey=cast(Any, None), patience=Patience())
        self.checkpointer = Checkpointer(
            self.store, self.counter, self.ownership, settle=_settled, followers=_followers(), patience=Patience(),
            at_latest_s=AT_LATEST_S, clock=lambda: self.events / EVENTS_A_S,
        )  # fmt: skip
        self.events = self.most = 0
        self._stored_s = 0.0

    async def take(self) -> None:
        """All partitions, from their start."""
        for partition in range(self.flow.partitions):
            epoch, _ = await self.store.take("predictions", partition, group="bench", take_over=False, now_ms=0)
            await self.store.resume("predictions", partition, epoch=epoch, fields={"next": 0, "incarnation": 0})
            tp = TP("predictions", partition)
            self.ownership.tenures[tp] = Tenure(tp, "predictions", epoch, 1, 0)

    async def count(self) -> Cost:
        """All events of the flow, read before the first is counted."""
        runs, began = list(_runs(self.flow)), time.process_time()
        for tp, records in runs:
            await self.read(tp, records)
        await self._store(self.checkpointer.run_once())
        taken = time.process_time() - began
        return Cost(
            self.counter.events, taken, self._stored_s, self.checkpointer.tally.panes, self.counter.evicted, self.most
        )

    async def read(self, tp: TP, records: list[ingest.Stored]) -> None:
        """What a worker does with a run, and the look at what is to be stored where the time for it has come."""
        owner = self.ownership.tenures[tp]
        run = ingest.run(records, owner)
        while owner.read <= records[-1].offset:
            await self.counter.add(run, owner)
            if self.counter.full:
                await self._store(self.checkpointer.relieve())
        before, self.events = self.events, self.events + len(records)
        if before // EVENTS_A_LOOK < self.events // EVENTS_A_LOOK:
            await self._store(self.checkpointer.run_due())
        self.most = max(self.most, self.counter.rooms.nbytes)

    async def _store(self, storing: Awaitable[None]) -> None:
        began = time.process_time()
        await storing
        self._stored_s += time.process_time() - began

    async def digest(self) -> str:
        """Of every stored pane."""
        found = hashlib.sha256()
        keys = sorted([key async for key in self.redis.scan_iter(self.store.names.key("*:panes:*"), count=10_000)])
        for key in keys:
            held = await self.redis.hgetall(key)
            for name in sorted(held):
                found.update(key.split(b"{", 1)[1] + b"\0" + name + b"\0" + held[name])
        return f"{len(keys)} {found.hexdigest()[:16]}"


def _runs(flow: Flow) -> Iterator[tuple[TP, list[ingest.Stored]]]:
    """As a worker is handed them: a run of one partition, then of the next."""
    held: dict[int, list[ingest.Stored]] = defaultdict(list)
    for partition, _, value in flow.records():
        held[partition].append(ingest.Stored(value, len(held[partition]), START_MS + SPAN_MS))
    longest = max(map(len, held.values()))
    for first in range(0, longest, RUN):
        for partition, records in held.items():
            if first < len(records):
                yield TP("predictions", partition), records[first : first + RUN]


def _followers() -> Followers:
    async def refused(tenure: Tenure) -> None:
        raise AssertionError(f"{tenure.tp} was refused")

    return Followers(_nothing, refused, refused)


async def _settled() -> None:
    """There are no letters."""


def _nothing(*what: Any) -> None:
    """Nobody is told."""


@asynccontextmanager
async def working(
    flow: Flow, redis_url: str, *, environment: str, ceiling: Ceiling = DEFAULT_CEILING
) -> AsyncIterator[Worker]:
    """A worker that has its partitions and its kernels; Python's collector is kept away, as in a real one."""
    worker = Worker(flow, redis_url, environment=environment, ceiling=ceiling)
    await worker.take()
    warm()
    spare_the_collector()
    try:
        yield worker
    finally:
        gc.unfreeze()
        gc.enable()
        await worker.redis.aclose()


async def measured(
    flow: Flow, redis_url: str, *, environment: str, ceiling: Ceiling = DEFAULT_CEILING
) -> tuple[Cost, str]:
    """The cost, and the digest of what was stored."""
    async with working(flow, redis_url, environment=environment, ceiling=ceiling) as worker:
        return await worker.count(), await worker.digest()
