"""GPUs judged on a real Redis: minute by minute of event time, once, and the same whoever goes on and however far at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import pytest

from schemas.findings import Finding, Progress
from schemas.gpus import FLEET, LATENESS_MS, Sample
from stream.evaluate.gpus.fleet import Fleet
from stream.evaluate.storing.breath import Asking, Breath
from stream.evaluate.storing.commit import Commits
from stream.evaluate.storing.leases import Leases
from stream.evaluate.storing.post import Post
from stream.evaluate.storing.sealing import Sealing
from stream.evaluate.storing.tally import EvaluationTally
from stream.state.gpus import MINUTE, GpuStore, read_heard
from stream.state.patience import Patience
from tests.support.evaluation import KEEP_MS, Scene, opened

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


Story = Callable[[Scene], Awaitable[None]]


@pytest.fixture
def told_of_serving(redis_url: str, environment_name: str) -> Callable[[Story], None]:
    """Runs a story in an environment of its own, with a monitors file in force."""

    async def run(story: Story) -> None:
        async with opened(redis_url, environment_name, partitions=1, stream="serving") as scene:
            await story(scene)

    return lambda story: asyncio.run(run(story))


def test_a_minute_is_judged_once_the_watermark_has_passed_it(told_of_serving: Callable[[Story], None]) -> None:
    async def story(scene: Scene) -> None:
        gpus = Gpus(scene)
        await gpus.write(*minutely(0, 3, temperature_celsius=92))
        await gpus.judge(0.99)
        assert await gpus.told() == []
        await gpus.judge(1)
        assert await gpus.findings() == [(1, "gpu_temperature", "gpu:n7/0", "firing")]
        [finding, mark] = await gpus.told()
        assert (finding.id, finding.seen, finding.severity) == (finding.id, NOON + MINUTE + LATENESS_MS, "P2")
        assert mark == Progress(
            model=FLEET, stream="serving", at=NOON + MINUTE, seen=NOON + MINUTE + LATENESS_MS
        )  # fmt: skip
        await gpus.fleet.run_once()
        assert len(await gpus.told()) == 2
        assert gpus.sent == [FLEET, FLEET]

    told_of_serving(story)


def test_it_is_told_at_each_minute_while_it_fires_and_once_when_it_is_over(
    told_of_serving: Callable[[Story], None],
) -> None:
    async def story(scene: Scene) -> None:
        gpus = Gpus(scene)
        await gpus.write(*minutely(0, 2, temperature_celsius=92), *minutely(2, 5, temperature_celsius=60))
        await gpus.judge(5)
        assert await gpus.findings() == [
            (1, "gpu_temperature", "gpu:n7/0", "firing"),
            (2, "gpu_temperature", "gpu:n7/0", "firing"),
            (3, "gpu_temperature", "gpu:n7/0", "ok"),
        ]

    told_of_serving(story)


def everything() -> list[Sample]:
    """Two GPUs: one fills its memory, is lost and comes back; the other's errors rise; then both are silent."""
    full = {"memory_used_bytes": 79e9, "memory_total_bytes": 80e9, "available": 1.0}
    return [
        *minutely(0, 8, **full), *minutely(8, 10, available=0.0), *minutely(10, 20, available=1.0),
        *minutely(0, 6, "1", ecc_uncorrected=1.0), *minutely(6, 20, "1", ecc_uncorrected=3.0, xid=94.0),
    ]  # fmt: skip


@pytest.mark.parametrize("steps", [[40.0], [1.0, 2.5, 7.0, 7.5, 31.0, 40.0], [at / 2 for at in range(81)]])
def test_however_far_is_judged_at_once_and_whoever_goes_on_the_same_is_told(
    told_of_serving: Callable[[Story], None], steps: Sequence[float]
) -> None:
    async def story(scene: Scene) -> None:
        gpus = Gpus(scene)
        await gpus.write(*everything())
        for token, minutes in enumerate(steps, start=1):
            gpus.leases.held = token
            gpus.fleet = gpus.made()  # another worker, that knows nothing
            await gpus.judge(minutes)
        found = await gpus.findings()
        assert len({one.id for one in await gpus.told() if isinstance(one, Finding)}) == len(found)
        edges = [one for at, one in enumerate(found) if one[1:] not in [(other[1:]) for other in found[:at]]]
        assert edges == [
            (3, "gpu_memory", "gpu:n7/0", "firing"),
            (7, "gpu_ecc", "gpu:n7/1", "firing"),
            (7, "gpu_xid", "gpu:n7/1", "firing"),
            (9, "gpu_lost", "gpu:n7/0", "firing"),
            (11, "gpu_memory", "gpu:n7/0", "no_data"),
            (11, "gpu_lost", "gpu:n7/0", "ok"),
            (25, "gpu_ecc", "gpu:n7/1", "no_data"),
            (25, "gpu_xid", "gpu:n7/1", "no_data"),
            (25, "gpu_silent", "host:n7", "firing"),
        ]
        # Memory at 3 to 10 and 11, lost at 9, 10 and 11, both errors at 7 to 24 and 25, silence at 25 to 40.
        assert len(found) == 9 + 3 + 2 * 19 + 16

    told_of_serving(story)


def test_a_late_sample_changes_no_verdict_that_was_given(told_of_serving: Callable[[Story], None]) -> None:
    async def story(scene: Scene) -> None:
        gpus = Gpus(scene)
        await gpus.write(*minutely(0, 3, temperature_celsius=60))
        await gpus.judge(3)
        await gpus.write(Sample(timestamp=NOON + 50_000, host="n7", gpu="0", uuid="GPU-0", metrics={"xid": 79.0}))
        await gpus.write(*minutely(3, 4, temperature_celsius=60))
        await gpus.judge(4)
        assert await gpus.findings() == [(4, "gpu_xid", "gpu:n7/0", "firing")]  # it appeared within the hour

    told_of_serving(story)


def test_a_worker_without_the_lease_says_nothing_and_one_with_an_old_token_is_refused(
    told_of_serving: Callable[[Story], None],
) -> None:
    async def story(scene: Scene) -> None:
        gpus = Gpus(scene, token=None)
        await gpus.write(*minutely(0, 3, temperature_celsius=92))
        await gpus.judge(1)
        assert await gpus.told() == []
        gpus.leases.held = 7
        await gpus.judge(1)
        before = await gpus.told()
        gpus.leases.held = 6
        await gpus.judge(2)
        assert (await gpus.told(), gpus.tally.fenced) == (before, 1)

    told_of_serving(story)


def test_a_gpu_that_was_not_heard_of_for_a_day_is_forgotten(told_of_serving: Callable[[Story], None]) -> None:
    async def story(scene: Scene) -> None:
        gpus = Gpus(scene)
        await gpus.write(*minutely(0, 3, temperature_celsius=60), *minutely(1439, 1441, "1", temperature_celsius=60))
        await gpus.judge(1441)
        assert [(one[0], one[2], one[3]) for one in await gpus.findings()][-1] == (1441, "gpu:n7/0", "firing")
        await gpus.judge(1443)
        assert [(one[0], one[2], one[3]) for one in await gpus.findings()][-1] == (1443, "gpu:n7/0", "removed")
        assert [one.name for one in await read_heard(scene.redis, scene.names)] == ["n7/GPU-1"]

    told_of_serving(story)


def test_what_is_damaged_is_said_and_hurts_nobody(
    told_of_serving: Callable[[Story], None], caplog: pytest.LogCaptureFixture
) -> None:
    async def story(scene: Scene) -> None:
        gpus = Gpus(scene)
        await gpus.write(*minutely(0, 3, temperature_celsius=92))
        await scene.redis.zadd(scene.names.of_gpu("n7/GPU-0", "history"), {b"{": NOON + 30_000})
        await gpus.judge(1)
        assert await gpus.findings() == [(1, "gpu_temperature", "gpu:n7/0", "firing")]
        await scene.redis.hset(scene.names.evaluation(FLEET, "serving"), "standing", b"{")
        gpus.leases.held = 2
        await gpus.judge(2)
        await gpus.judge(3)
        assert len(await gpus.told()) == 2
        assert [record.message.split(": ", 2)[1].endswith("is damaged") for record in caplog.records] == [True]

    told_of_serving(story)


def test_by_the_wall_clock_only_silence_is_said(
    told_of_serving: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(scene: Scene) -> None:
        now = [NOON + 3 * MINUTE]
        gpus = Gpus(scene, event_clock=False)

        async def present(self: Fleet) -> int:
            return now[0]

        monkeypatch.setattr(Fleet, "_now", present)
        await gpus.write(*minutely(0, 3, temperature_celsius=60))
        await gpus.judge(3)
        await scene.idle(0)
        for minutes in (5, 8, 8.1, 9):
            now[0] = NOON + int(minutes * MINUTE)
            await gpus.fleet.run_once()
        assert await gpus.findings() == [(3, "gpu_silent", "host:n7", "firing")]
        [silent] = [one for one in await gpus.told() if isinstance(one, Finding)]
        assert (silent.seen - NOON, silent.value) == (int(8.1 * MINUTE), 306.0)
        await gpus.write(*minutely(9, 11, temperature_celsius=60))
        await gpus.judge(11)
        assert (await gpus.findings())[-1] == (10, "gpu_silent", "host:n7", "ok")

    told_of_serving(story)


def test_a_partition_that_lags_may_hold_the_samples(
    told_of_serving: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(scene: Scene) -> None:
        now = [NOON + 3 * MINUTE]
        gpus = Gpus(scene, event_clock=False)

        async def present(self: Fleet) -> int:
            return now[0]

        monkeypatch.setattr(Fleet, "_now", present)
        await gpus.write(*minutely(0, 3, temperature_celsius=60))
        await gpus.judge(3)
        now[0] = NOON + 9 * MINUTE
        await gpus.fleet.run_once()
        assert await gpus.findings() == []
        await scene.idle(0)
        now[0] += MINUTE
        await gpus.fleet.run_once()
        assert await gpus.findings() == [(3, "gpu_silent", "host:n7", "firing")]

    told_of_serving(story)
