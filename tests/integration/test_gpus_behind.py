"""GPUs and a partition of ``serving`` that is put behind the others: it is waited for where it holds samples, and not elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from schemas.gpus import FLEET
from stream.evaluate.gpus.fleet import Fleet
from stream.state.behind import Behind
from stream.state.gpus import MINUTE
from tests.support.evaluation import opened
from tests.support.gpus_judged import NOON, Gpus, minutely

Judge = Callable[[Sequence[str], Sequence[int]], list[tuple[float, str, str, str]]]


@pytest.fixture
def judged(redis_url: str, environment_name: str, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """What is told of a GPU too hot in the first minute and silent since, at these wall clocks (ms after noon).

    Partition 1 has been behind since noon, and holds these.
    """

    async def told(here: Sequence[str], clocks: Sequence[int]) -> list[tuple[float, str, str, str]]:
        now = iter(clocks)

        async def said(self: Fleet) -> int:
            return NOON + next(now)

        monkeypatch.setattr(Fleet, "_now", said)
        async with opened(redis_url, environment_name, partitions=2, stream="serving") as scene:
            gpus = Gpus(scene, event_clock=False)
            await gpus.write(*minutely(0, 1, temperature_celsius=92))
            behind = Behind(frozenset({"noisy"}), frozenset(here))
            await scene.checkpoint(1, {"clock": NOON, "behind": behind.to_text()}, [])
            await gpus.judge(1)
            await scene.idle(0)
            for _ in clocks[1:]:
                await gpus.fleet.run_once()
            return await gpus.findings()

    return lambda here, clocks: asyncio.run(told(here, clocks))


def test_minutes_close_without_a_partition_that_holds_no_samples(judged: Judge) -> None:
    assert judged(["noisy"], [MINUTE]) == [(1, "gpu_temperature", "gpu:n7/0", "firing")]


def test_they_wait_for_one_that_holds_some(judged: Judge) -> None:
    assert judged(["noisy", FLEET], [MINUTE]) == []


def test_silence_is_told_though_a_noisy_partition_lags(judged: Judge) -> None:
    assert judged(["noisy"], [MINUTE, 12 * MINUTE]) == [
        (1, "gpu_temperature", "gpu:n7/0", "firing"), (1, "gpu_silent", "host:n7", "firing"),
    ]  # fmt: skip
