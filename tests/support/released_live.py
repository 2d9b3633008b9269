"""A release on a real Redis: hours of both versions counted by hand, divided by a stand-in router that obeys what it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from redis.asyncio import Redis

from schemas import releases
from schemas.findings import Finding, Progress
from schemas.findings import decode as decode_finding
from schemas.names import Names
from schemas.release import ReleaseMonitor
from schemas.releases import Decision
from stream.evaluate.evaluator import Evaluator
from stream.state.arms import ARMS, arms_layout, columns_of
from stream.state.columns import STATUSES
from stream.state.layout import EVENTS, Layout
from stream.state.packing import Partial, empty
from tests.support.evaluation import HOUR, START, Scene
from tests.support.evaluation import monitor as monitored

RELEASE = ReleaseMonitor(champion="3", challenger="4")


@dataclass(eq=False)
class Site:
    """Predictions of the model ``m`` in two partitions, an hour a pane; the first of them gets the events."""

    scene: Scene
    hour: int = 0
    #: What is counted from an hour on, newest last.
    counted: list[tuple[int, ReleaseMonitor | None]] = field(default_factory=list)
    told: list[Decision] = field(default_factory=list)

    async def apply(self, release: ReleaseMonitor | None, **changed: Any) -> None:
        """Put another release into force, from the next pane that no event has reached."""
        self.counted.append((self.hour + 1 if self.hour else 0, release))
        clock = START + self.hour * HOUR if self.hour else None
        await self.scene.apply(clock_ms=clock, release=release, **changed)

    async def answered(self, champion: tuple[int, int], challenger: tuple[int, int]) -> None:
        """An hour in which the versions answered so many requests, with so many errors."""
        start, scene = START + self.hour * HOUR, self.scene
        layout = scene.layouts["m"]
        panes = [(layout, start)]
        release = next(release for since, release in reversed(self.counted) if since <= self.hour)
        made = empty(layout.cells, len(layout.numeric))
        made.cells[EVENTS] = champion[0] + challenger[0]
        scene.held[0, layout.hash, start] = made
        if (arms := arms_layout(layout, release)) is not None:
            scene.held[0, arms.hash, start] = arms_pane(arms, champion, challenger)
            panes.append((arms, start))
        self.hour += 1
        await scene.checkpoint(0, {"clock": START + self.hour * HOUR, "idle": 0}, panes)
        await scene.move(1, START + self.hour * HOUR)

    async def routed(self, hours: int, *, errors: float, evaluator: Evaluator, requests: int = 10_000) -> None:
        """Hours of requests, divided as told; ``errors`` is the challenger's share of failures."""
        for _ in range(hours):
            own = round(requests * self.share)
            await self.answered((requests - own, (requests - own) // 100), (own, round(own * errors)))
            await self.evaluate(evaluator)

    async def evaluate(self, evaluator: Evaluator) -> None:
        """Look once, and read what was told since."""
        await self.scene.evaluate(evaluator)
        self.told = await self.decisions()

    @property
    def share(self) -> float:
        """What a router sends to version 4: as it was told last."""
        return self.told[-1].share if self.told else 0.0

    async def decisions(self) -> list[Decision]:
        """All that was told."""
        return [releases.decode(value) for topic, value in await self._outbox() if topic == "releases"]

    async def findings(self) -> list[Finding]:
        """What the release found."""
        found = [decode_finding(value) for topic, value in await self._outbox() if topic == "findings"]
        return [one for one in found if isinstance(one, Finding) and one.kind == "release"]

    async def marks(self) -> list[int]:
        """The release's progress marks, in hours."""
        found = [decode_finding(value) for topic, value in await self._outbox() if topic == "findings"]
        return [(one.at + 1 - START) // HOUR for one in found if isinstance(one, Progress) and one.stream == "release"]

    async def shown(self) -> dict[str, str]:
        """The hash for people."""
        found = await self.scene.redis.hgetall(self.scene.names.release("m"))
        return {key.decode(): value.decode() for key, value in cast("dict[bytes, bytes]", found).items()}

    async def _outbox(self) -> list[tuple[str, bytes]]:
        found = await self.scene.redis.xrange(self.scene.names.outbox("m"))
        return [
            (one[b"topic"].decode(), one[b"value"]) for _, one in cast("list[tuple[bytes, dict[bytes, bytes]]]", found)
        ]


@asynccontextmanager
async def site(url: str, environment: str, *, release: ReleaseMonitor = RELEASE, **changed: Any) -> AsyncIterator[Site]:
    """The release is in force before the first event."""
    redis = Redis.from_url(url)
    try:
        found = Site(Scene(redis, Names(environment)))
        await found.apply(release, **changed)
        await found.scene.take(0, 1)
        yield found
    finally:
        await redis.aclose()


def arms_pane(layout: Layout, *answered: tuple[int, int]) -> Partial:
    """(requests, errors) of champion and challenger."""
    made = empty(layout.cells, len(layout.numeric))
    for at, (arm, (requests, errors)) in enumerate(zip(ARMS, answered, strict=True)):
        status = layout.categorical_starts[columns_of(layout, arm)[1]["status"]]
        made.cells[layout.categorical_starts[0] + at] = requests
        made.cells[status + STATUSES.index("success")] = requests - errors
        made.cells[status + STATUSES.index("error")] = errors
    made.cells[EVENTS] = sum(requests for requests, _ in answered)
    return made


def said(told: list[Decision]) -> list[tuple[int, str, float, tuple[str, ...]]]:
    """(hour, decision, share, codes) of each."""
    return [
        ((one.at - START) // HOUR, one.decision, one.share, tuple(reason.code for reason in one.reasons))
        for one in told
    ]


__all__ = ["RELEASE", "Site", "monitored", "said", "site"]
