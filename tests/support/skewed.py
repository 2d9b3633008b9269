"""Two streams of one model on a real Redis: what it was served and what the feature store says, counted hour by hour by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from redis.asyncio import Redis

from schemas.findings import Finding, Progress
from schemas.monitored import FeatureMonitor
from schemas.names import Names, Stream
from schemas.reports import Report
from stream.evaluate.evaluator import Evaluator
from stream.state.columns import layouts_of
from stream.state.patience import Patience
from tests.support import models
from tests.support.evaluation import HOUR, KEEP_MS, START, Scene, monitor
from tests.support.judged import counted

REFERENCE = models.reference(temp=models.numeric(*(float(edge) for edge in range(0, 22, 2))))
#: An hour of values that are alike: ten of each bin of the reference.
ALIKE = [float(value) for value in range(1, 20, 2)] * 10
#: The same with every third value ten higher.
OTHER = [value + 10.0 * (at % 3 == 0) for at, value in enumerate(ALIKE)]
#: A window of four hours, judged every two.
SHORT: dict[str, Any] = {"windows": {"day": 4 * HOUR}, "step_ms": 2 * HOUR}


def at(hours: float) -> int:
    return START + int(hours * HOUR)


@dataclass(eq=False)
class Sides:
    """``served`` and ``store`` have two partitions each; the first of them gets the events, in batches."""

    served: Scene
    store: Scene

    async def apply(self, *, clock_ms: int | None = None, **changed: Any) -> None:
        """Put another configuration into force."""
        await self.served.apply({"m": REFERENCE}, clock_ms=clock_ms, **changed)
        watched = monitor(**changed)
        self.store.layouts = {"m": layouts_of("m", watched, REFERENCE, digest=REFERENCE.hash)["features"]}

    async def hour(self, hour: int, *, served: Sequence[Any] | None = None, store: Sequence[Any] | None = None) -> None:
        """An hour of ``temp`` on either side; None: nothing comes, and the clock of that side stands."""
        for scene, values in ((self.served, served), (self.store, store)):
            if values is not None:
                await self.count(scene, hour, values, clock=at(hour + 1))

    async def count(self, scene: Scene, hour: int, values: Sequence[Any], *, clock: int, late: int = 0) -> None:
        """Values more in an hour of one side."""
        layout = scene.layouts["m"]
        place = 0, layout.hash, at(hour)
        made = counted(layout, {"temp": values}, late=late)
        before = scene.held.get(place)
        scene.held[place] = made if before is None else before + made
        await scene.checkpoint(0, {"clock": clock, "idle": 0}, [(layout, at(hour))])
        await scene.move(1, clock)

    def evaluator(self, worker: str = "one", *, event_clock: bool = True) -> Evaluator:
        """A worker that evaluates both streams."""

        def partitions(stream: Stream) -> int | None:
            return 2 if stream in ("predictions", "features") else None

        scene = self.served
        return Evaluator(
            scene.redis, scene.names, worker=worker, partitions=partitions, keep_ms=KEEP_MS,
            event_clock=event_clock, patience=Patience(), sent=lambda models: None,
        )  # fmt: skip

    async def evaluate(self, evaluator: Evaluator | None = None) -> Evaluator:
        """Take leases and look once."""
        return await self.served.evaluate(evaluator or self.evaluator())

    async def findings(self) -> list[Finding]:
        """What was found by the comparison, in the order told."""
        found = [message for _, message in await self.served.outbox() if isinstance(message, Finding)]
        return [one for one in found if one.rule == "skew"]

    async def marks(self) -> list[tuple[str, float]]:
        """The progress marks, in hours after the start, in the order told."""
        found = [message for _, message in await self.served.outbox() if isinstance(message, Progress)]
        return [(one.stream, (one.at - START) / HOUR) for one in found]

    async def reports(self, window: str = "day") -> list[Report]:
        """The history of the comparison in a window."""
        return await self.served.reports(f"skew:{window}")

    async def shown(self, window: str = "day") -> dict[bytes, bytes]:
        """The hash of the newest report."""
        scene = self.served
        return cast("dict[bytes, bytes]", await scene.redis.hgetall(scene.names.report("m", f"skew:{window}")))


def with_temp(**changed: Any) -> dict[str, FeatureMonitor]:
    """The monitor's features with something else declared of ``temp``."""
    features = dict(monitor().features)
    return features | {"temp": features["temp"].model_copy(update=changed)}


#: What a test does with both sides.
Story = Callable[[Sides], Awaitable[None]]


@asynccontextmanager
async def sides(url: str, environment: str, **changed: Any) -> AsyncIterator[Sides]:
    """Both streams, the model ``m`` in force."""
    redis = Redis.from_url(url)
    try:
        names = Names(environment)
        found = Sides(Scene(redis, names), Scene(redis, names, stream="features"))
        await found.apply(**changed)
        for scene in (found.served, found.store):
            await scene.take(0, 1)
        yield found
    finally:
        await redis.aclose()


async def hours(found: Sides, span: range, *, served: Sequence[Any] = ALIKE, store: Sequence[Any] = ALIKE) -> None:
    """Hours of both sides."""
    for hour in span:
        await found.hour(hour, served=served, store=store)


def said(found: list[Finding]) -> list[tuple[float, str, int]]:
    """(hours, state, events) of each finding."""
    return [((one.at - START) / HOUR, one.state, one.rev[1]) for one in found]
