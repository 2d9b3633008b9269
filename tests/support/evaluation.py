"""Evaluation without Kafka: partitions counted by hand into a real Redis, evaluators over them, and what they concluded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
from redis.asyncio import Redis

from schemas import findings, reports
from schemas.monitored import ModelMonitor
from schemas.names import Names, Stream
from schemas.reference import Reference
from schemas.reports import Report
from stream.evaluate.evaluator import Evaluator
from stream.evaluate.panes.tiers import Tier
from stream.evaluate.releases.units import Recall
from stream.state.columns import layouts_of
from stream.state.epochs import Epoch
from stream.state.generations import publish
from stream.state.layout import EVENTS, LATE, Layout
from stream.state.packing import Partial, empty, pack, unpack
from stream.state.patience import Patience
from stream.state.store import Checkpoint, PaneKey, PaneStore
from tests.support import models

HOUR = models.HOUR
DAY = models.DAY
#: A midnight.
START = 1_357_171_200_000 // DAY * DAY
KEEP_MS = 400 * DAY


@dataclass(eq=False)
class Scene:
    """One environment with ``partitions`` partitions of a stream; all counts are kept here a second time."""

    redis: Redis
    names: Names
    partitions: int = 2
    stream: Stream = "predictions"
    store: PaneStore = field(init=False)
    epochs: dict[int, Epoch] = field(default_factory=dict)
    offsets: dict[int, int] = field(default_factory=dict)
    held: dict[tuple[int, str, int], Partial] = field(default_factory=dict)
    layouts: dict[str, Layout] = field(default_factory=dict)
    #: Other streams that are evaluated with it, and how many partitions they have.
    beside: dict[Stream, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = PaneStore(self.redis, self.names, keep_ms=KEEP_MS)

    async def apply(
        self, references: Mapping[str, Reference] | None = None, *, clock_ms: int | None = None, **changed: Any
    ) -> None:
        """Put a monitors file with the model ``m`` (or these) into force; ``changed`` are fields of their monitors."""
        found = references or {"m": models.reference()}
        monitors = {name: monitor(**changed) for name in found}
        await publish(
            self.redis, self.names, models.monitors(**monitors), references=found, now_ms=1, clock_ms=clock_ms
        )  # fmt: skip
        for name, reference in found.items():
            self.layouts[name] = layouts_of(name, monitors[name], reference, digest=reference.hash)[self.stream]

    async def take(self, *partitions: int) -> None:
        """Own partitions, as a worker does that has just been assigned them."""
        for partition in partitions:
            self.epochs[partition], _ = await self.store.take(
                self.stream, partition, group="g", take_over=False, now_ms=1
            )
            await self.store.resume(self.stream, partition, epoch=self.epochs[partition], fields={"next": 0})
            self.offsets[partition] = 0

    async def count(
        self, partition: int, start_ms: int, *, events: int, clock: int, late: int = 0, model: str = "m", **fields: Any
    ) -> None:
        """Count ``events`` more into a pane of a partition, whose clock is then ``clock``."""
        layout = self.layouts[model]
        place = partition, layout.hash, start_ms
        made = empty(layout.cells, len(layout.numeric))
        rng = np.random.default_rng(start_ms % 1_000_003 + partition)
        made.cells[5:] = rng.integers(0, 3, layout.cells - 5)
        made.cells[EVENTS], made.cells[LATE] = events, late
        made.sums[:] = rng.integers(-1000, 1000, len(made.sums))
        made.extrema[0::2], made.extrema[1::2] = rng.normal(-10, 3), rng.normal(10, 3)
        before = self.held.get(place)
        self.held[place] = made if before is None else before + made
        await self.checkpoint(partition, {"clock": clock, "idle": 0, **fields}, [(layout, start_ms)])

    async def move(self, partition: int, clock: int) -> None:
        """Events came that are of no model of interest: only the clock moves."""
        await self.checkpoint(partition, {"clock": clock, "idle": 0}, [])

    async def idle(self, *partitions: int) -> None:
        """These partitions are read to their end and quiet."""
        for partition in partitions:
            await self.checkpoint(partition, {"idle": 1}, [])

    async def checkpoint(self, partition: int, fields: Mapping[str, Any], panes: Sequence[tuple[Layout, int]]) -> None:
        """One fenced checkpoint of a partition."""
        at = self.offsets[partition]
        packed = [
            (PaneKey(self.stream, partition, 0, layout, start), pack(self.held[partition, layout.hash, start]))
            for layout, start in panes
        ]
        made = Checkpoint(self.stream, partition, self.epochs[partition], at, at + 1, fields, {}, packed)
        assert await self.store.checkpoint([made]) == ["stored"]
        self.offsets[partition] = at + 1

    def evaluator(self, worker: str = "one", *, event_clock: bool = True, recall: Recall | None = None) -> Evaluator:
        """A worker's evaluation; the outbox is left as it is."""

        def partitions(stream: Stream) -> int | None:
            return self.partitions if stream == self.stream else self.beside.get(stream)

        return Evaluator(
            self.redis, self.names, worker=worker, partitions=partitions, keep_ms=KEEP_MS,
            event_clock=event_clock, patience=Patience(), sent=lambda models: None, recall=recall,
        )  # fmt: skip

    async def evaluate(self, evaluator: Evaluator | None = None) -> Evaluator:
        """Take leases and evaluate once."""
        chosen = evaluator or self.evaluator()
        await chosen.tend()
        await chosen.run_once()
        return chosen

    async def closed(self, tier: Tier, *, model: str = "m") -> dict[int, Partial]:
        """All rows of a tier, by start."""
        layout, found = self.layouts[model], {}
        pattern = self.names.of_model(model, "closed", self.stream, layout.hash, tier.name, "*")
        async for key in self.redis.scan_iter(match=pattern, count=1000):
            for start, packed in (await self.redis.hgetall(key)).items():
                found[int(start)] = unpack(cast(bytes, packed), layout.cells)
        return dict(sorted(found.items()))

    def merged(self, *, model: str = "m") -> dict[int, Partial]:
        """What was counted by hand: each pane summed over the partitions."""
        found: dict[int, Partial] = {}
        for (_, digest, start), partial in sorted(self.held.items(), key=lambda item: item[0][2]):
            if digest == self.layouts[model].hash:
                found[start] = found[start] + partial if start in found else partial
        return found

    async def outbox(self, *, model: str = "m") -> list[tuple[str, Any]]:
        """(topic, message) of everything that waits to be sent."""
        found = await self.redis.xrange(self.names.outbox(model))
        return [(f[b"topic"].decode(), _decoded(f)) for _, f in cast("list[tuple[bytes, dict[bytes, bytes]]]", found)]

    async def reports(self, window: str = "day", *, model: str = "m") -> list[Report]:
        """The history of a window."""
        found = await self.redis.xrange(self.names.history(model, window))
        return [reports.decode(f[b"document"]) for _, f in cast("list[tuple[bytes, dict[bytes, bytes]]]", found)]

    async def evaluation(self, *, model: str = "m") -> dict[str, bytes]:
        """The evaluation hash."""
        found = await self.redis.hgetall(self.names.evaluation(model, self.stream))
        return {key.decode(): value for key, value in cast("dict[bytes, bytes]", found).items()}

    async def notes(self) -> dict[int, int]:
        """How many notes wait in each partition."""
        return {p: await self.redis.hlen(self.names.revised(self.stream, p)) for p in range(self.partitions)}


#: What a test does in a scene.
Story = Callable[[Scene], Awaitable[None]]


@asynccontextmanager
async def opened(
    url: str, environment: str, *, partitions: int = 2, stream: Stream = "predictions"
) -> AsyncIterator[Scene]:
    """A scene on a real Redis, its partitions taken and the model ``m`` in force."""
    redis = Redis.from_url(url)
    try:
        scene = Scene(redis, Names(environment), partitions, stream)
        await scene.apply()
        await scene.take(*range(partitions))
        yield scene
    finally:
        await redis.aclose()


def monitor(**changed: Any) -> ModelMonitor:
    """Hours for panes, a day's window judged every two hours, no lateness."""
    fields = {"windows": {"day": DAY}, "step_ms": 2 * HOUR}
    return models.monitor().model_copy(update=fields | changed)


def assert_same(found: Mapping[int, Partial], wanted: Mapping[int, Partial]) -> None:
    """Equal in every count, sum and extreme; revisions are nobody's business here."""
    assert {at: pack(replace(p, revision=0)) for at, p in found.items()} == {
        at: pack(replace(p, revision=0)) for at, p in wanted.items()
    }


def _decoded(fields: Mapping[bytes, bytes]) -> Any:
    decode = findings.decode if fields[b"topic"] == b"findings" else reports.decode
    return decode(fields[b"value"])
