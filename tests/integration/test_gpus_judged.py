"""GPUs judged on a real Redis: minute by minute of event time, once, and the same whoever goes on and however far at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from schemas.findings import Finding, Progress
from schemas.gpus import FLEET, LATENESS_MS, Sample
from schemas.monitored import ServingMonitor
from stream.evaluate.gpus import fleet
from stream.evaluate.gpus.fleet import Fleet
from stream.state.gpus import MINUTE, forget, read_heard
from tests.support.evaluation import Scene, opened
from tests.support.gpus_judged import NOON, Gpus, minutely

Story = Callable[[Scene], Awaitable[None]]


@pytest.fixture
def told_of_serving(redis_url: str, environment_name: str) -> Callable[[Story], None]:
    """Runs a story in an environment of its own, with a monitors file in force."""

    async def run(story: Story) -> None:
        async with opened(redis_url, environment_name, partitions=1, stream="serving") as scene:
            await story(scene)

    return lambda story: asyncio.run(run(story))


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The wall clock: what its only item says, three minutes after noon at first."""
    at_ms = [NOON + 3 * MINUTE]

    async def said(self: Fleet) -> int:
        return at_ms[0]

    monkeypatch.setattr(Fleet, "_now", said)
    return at_ms


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


@pytest.mark.parametrize("pieces", [1, 300])
@pytest.mark.parametrize("steps", [[40.0], [1.0, 2.5, 7.0, 7.5, 31.0, 40.0], [at / 2 for at in range(81)]])
def test_however_far_is_judged_at_once_and_whoever_goes_on_the_same_is_told(
    told_of_serving: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch, steps: Sequence[float], pieces: int
) -> None:
    monkeypatch.setattr(fleet, "FINDINGS_AT_ONCE", pieces)
    monkeypatch.setattr(fleet, "VERDICTS_AT_ONCE", pieces)

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


def swapped() -> list[Sample]:
    """Another card in the place of the first from the third minute on."""
    return [
        Sample(timestamp=NOON + at * MINUTE + 20_000, host="n7", gpu="0", uuid="GPU-0" if at < 3 else "GPU-9")
        for at in range(12)
    ]


@pytest.mark.parametrize("steps", [[12.0], [float(at) for at in range(13)]])
def test_a_card_in_whose_place_another_is_heard_of_is_forgotten_and_nobody_is_told(
    told_of_serving: Callable[[Story], None], steps: Sequence[float]
) -> None:
    async def story(scene: Scene) -> None:
        gpus = Gpus(scene)
        await gpus.write(*swapped())
        for minutes in steps:
            await gpus.judge(minutes)
        assert await gpus.findings() == []
        assert [one.name for one in await read_heard(scene.redis, scene.names)] == ["n7/GPU-9"]

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
        for standing in (b"", b"{"):  # mended, and damaged again: that is said again
            await scene.redis.hset(scene.names.evaluation(FLEET, "serving"), "standing", standing)
            gpus.leases.held += 1
            await gpus.judge(gpus.leases.held + 2)
        assert gpus.tally.failed == len(caplog.records) == 2

    told_of_serving(story)


def test_while_a_newer_configuration_cannot_be_followed_the_limits_of_before_hold(
    told_of_serving: Callable[[Story], None], caplog: pytest.LogCaptureFixture
) -> None:
    async def story(scene: Scene) -> None:
        gpus = Gpus(scene)
        await gpus.write(*minutely(0, 2, temperature_celsius=92))
        await gpus.judge(1)
        await scene.redis.hset(scene.names.config, mapping={"generation": 9, "document": '{"of": "tomorrow"}'})
        await gpus.judge(2)
        assert [at for at, *_ in await gpus.findings()] == [1, 2]
        assert [one.message[:46] for one in caplog.records] == ["the stored configuration cannot be followed: n"]

    told_of_serving(story)


def test_by_the_wall_clock_only_silence_is_said(told_of_serving: Callable[[Story], None], now: list[int]) -> None:
    async def story(scene: Scene) -> None:
        gpus = Gpus(scene, event_clock=False)
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


def test_a_partition_that_lags_may_hold_the_samples(told_of_serving: Callable[[Story], None], now: list[int]) -> None:
    async def story(scene: Scene) -> None:
        gpus = Gpus(scene, event_clock=False)
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


@pytest.mark.parametrize(("hosts", "said"), [((), [1]), (("n7",), [1, 3, 7])])
def test_where_incidents_wait_for_gpus_each_minute_is_passed_also_where_none_is_heard_of(
    told_of_serving: Callable[[Story], None], hosts: tuple[str, ...], said: list[float]
) -> None:
    async def story(scene: Scene) -> None:
        await scene.apply(serving=ServingMonitor(gpus=hosts))
        gpus = Gpus(scene)
        await gpus.write(*minutely(0, 1, temperature_celsius=60))
        await gpus.judge(1)
        await forget(scene.redis, scene.names, ["n7/GPU-0"])
        await gpus.judge(3)
        gpus.fleet = gpus.made()
        await gpus.judge(7)
        assert [(one.at - NOON) / MINUTE for one in await gpus.told() if isinstance(one, Progress)] == said

    told_of_serving(story)


def test_where_incidents_wait_for_gpus_nobody_waits_for_the_first_sample(
    told_of_serving: Callable[[Story], None],
) -> None:
    async def story(scene: Scene) -> None:
        await scene.apply(serving=ServingMonitor(gpus=("n7",)))
        gpus, live = Gpus(scene), Gpus(scene, event_clock=False)
        await live.judge(2)
        assert await gpus.told() == []
        await gpus.judge(2)
        await gpus.write(*minutely(2, 3, temperature_celsius=92))
        await gpus.judge(3)
        assert [type(one).__name__ for one in await gpus.told()] == ["Progress", "Finding", "Progress"]

    told_of_serving(story)
