"""All GPUs judged over a scene of ``serving``: the lease, the samples and what was told are the test's."""

from __future__ import annotations

from typing import Any, cast

from schemas.findings import Finding
from schemas.gpus import FLEET, LATENESS_MS, Sample
from stream.evaluate.gpus.fleet import Fleet
from stream.evaluate.storing.breath import Asking, Breath
from stream.evaluate.storing.commit import Commits
from stream.evaluate.storing.leases import Leases
from stream.evaluate.storing.post import Post
from stream.evaluate.storing.sealing import Sealing
from stream.evaluate.storing.tally import EvaluationTally
from stream.state.gpus import MINUTE, GpuStore
from stream.state.patience import Patience
from tests.support.evaluation import KEEP_MS, Scene

NOON = 1_357_034_400_000


class Held:
    """The lease of every shard."""

    def __init__(self, token: int | None = 1) -> None:
        self.held = token

    def token(self, shard: int) -> int | None:
        return self.held


class Gpus:
    """A fleet over a scene of ``serving`` with one partition."""

    def __init__(self, scene: Scene, *, token: int | None = 1, event_clock: bool = True) -> None:
        self.scene, self.store = scene, GpuStore(scene.redis, scene.names)
        self.leases, self.tally = Held(token), EvaluationTally()
        self.sent: list[str] = []
        self.fleet = self.made(event_clock=event_clock)

    def made(self, *, event_clock: bool = True) -> Fleet:
        scene, asking = self.scene, Asking(Patience(), Breath())
        return Fleet(
            scene.redis, scene.names, leases=cast(Leases, self.leases), asking=asking,
            sealing=Sealing(scene.redis, scene.names, partitions=lambda stream: scene.partitions, asking=asking),
            commits=Commits(scene.redis, scene.names, keep_ms=KEEP_MS, asking=asking, post=Post(scene.redis)),
            event_clock=event_clock, sent=self.sent.extend, tally=self.tally,
        )  # fmt: skip

    async def write(self, *samples: Sample) -> None:
        by_gpu: dict[str, list[Sample]] = {}
        for one in samples:
            by_gpu.setdefault(one.name, []).append(one)
        await self.store.write(by_gpu)

    async def judge(self, minutes: float) -> None:
        """Once events are no longer waited for up to so many minutes after noon."""
        await self.scene.move(0, NOON + int(minutes * MINUTE) + LATENESS_MS)
        await self.fleet.run_once()

    async def findings(self) -> list[tuple[float, str, str, str]]:
        """(minutes after noon, rule, subject, state) of all that was told."""
        told = [said for said in await self.told() if isinstance(said, Finding)]
        return [((one.at - NOON) / MINUTE, one.rule, one.subject, one.state) for one in told]

    async def told(self) -> list[Any]:
        return [said for _, said in await self.scene.outbox(model=FLEET)]


def minutely(first: int, last: int, gpu: str = "0", /, **metrics: float) -> list[Sample]:
    """A sample in each of these minutes after noon."""
    return [
        Sample(timestamp=NOON + at * MINUTE + 20_000, host="n7", gpu=gpu, uuid=f"GPU-{gpu}", metrics=metrics)
        for at in range(first, last)
    ]
