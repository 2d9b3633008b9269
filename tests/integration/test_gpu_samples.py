"""Samples of GPUs on a real Redis: whatever order they come in, however often and wherever they are cut, the same is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest
from redis.asyncio import Redis

from schemas.gpus import Sample
from schemas.names import Names
from schemas.settings import Settings
from stream.redis_client import worker_client
from stream.state import gpus
from stream.state.gpus import MINUTE, GpuStore, forget, read_heard, read_histories

NOON = 1_357_034_400_000
Story = Callable[[GpuStore, Redis, Names], Awaitable[None]]


@pytest.fixture
def told_of_gpus(redis_url: str, environment_name: str) -> Callable[[Story], None]:
    """Runs a story in an environment of its own."""

    async def run(story: Story) -> None:
        redis = worker_client(Settings(redis=redis_url), answers_within_s=5.0)
        try:
            await story(GpuStore(redis, Names(environment_name)), redis, Names(environment_name))
        finally:
            await redis.aclose()

    return lambda story: asyncio.run(run(story))


def sample(at: int, uuid: str = "GPU-1", **metrics: float) -> Sample:
    return Sample(timestamp=NOON + at, host="n7", gpu="0", uuid=uuid, metrics=metrics)


def by_gpu(samples: list[Sample]) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for one in samples:
        found.setdefault(one.name, []).append(one)
    return found


async def everything(redis: Redis, names: Names) -> dict[str, Any]:
    """All that is stored of GPUs."""
    found: dict[str, Any] = {"index": await redis.zrange(names.gpus, 0, -1, withscores=True)}
    for name, _ in found["index"]:
        for part, read in (("sample", redis.hgetall), ("history", lambda key: redis.zrange(key, 0, -1))):
            found[f"{name}:{part}"] = await read(names.of_gpu(name.decode(), part))
    return found


def test_the_newest_sample_is_a_hash_that_people_read(told_of_gpus: Callable[[Story], None]) -> None:
    async def story(store: GpuStore, redis: Redis, names: Names) -> None:
        await store.write({"n7/GPU-1": [sample(5, power_watts=71.5, memory_total_bytes=85e9, xid=79)]})
        assert await redis.hgetall(names.of_gpu("n7/GPU-1", "sample")) == {
            b"timestamp": b"1357034400005", b"host": b"n7", b"gpu": b"0", b"uuid": b"GPU-1",
            b"memory_total_bytes": b"85000000000", b"power_watts": b"71.5", b"xid": b"79",
        }  # fmt: skip

    told_of_gpus(story)


def test_an_older_sample_does_not_take_the_place_of_a_newer_one(told_of_gpus: Callable[[Story], None]) -> None:
    async def story(store: GpuStore, redis: Redis, names: Names) -> None:
        await store.write({"n7/GPU-1": [sample(MINUTE, power_watts=70, temperature_celsius=40)]})
        await store.write({"n7/GPU-1": [sample(5, power_watts=99)]})
        [heard] = await read_heard(redis, names)
        assert heard.newest == sample(MINUTE, power_watts=70, temperature_celsius=40)
        assert (await redis.hget(names.of_gpu("n7/GPU-1", "sample"), "power_watts"), heard.at_ms) == (
            b"70",
            NOON + MINUTE,
        )
        await store.write({"n7/GPU-1": [sample(2 * MINUTE, power_watts=80)]})
        newest = await redis.hgetall(names.of_gpu("n7/GPU-1", "sample"))
        assert b"temperature_celsius" not in newest  # absent is not what it was
        [history] = await read_histories(redis, names, ["n7/GPU-1"], from_ms=NOON, to_ms=NOON + 2 * MINUTE)
        assert [one.metrics["power_watts"] for one in history] == [99, 70]

    told_of_gpus(story)


@pytest.mark.parametrize("seed", range(3))
def test_wherever_they_are_cut_and_however_often_they_come_the_same_is_stored(
    told_of_gpus: Callable[[Story], None], redis_url: str, environment_name: str, seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Two hundred samples of three GPUs: several a minute, ties in time that differ in content, more minutes than are kept."""
    monkeypatch.setattr(gpus, "MINUTES", 12)
    monkeypatch.setattr(gpus, "AT_ONCE", 7)
    chance = Random(seed)
    samples = [
        sample(chance.randrange(80) * (MINUTE // 4), f"GPU-{chance.randrange(3)}", power_watts=chance.randrange(5))
        for _ in range(200)
    ]

    async def story(store: GpuStore, redis: Redis, names: Names) -> None:
        await store.write(by_gpu(samples))
        whole = await everything(redis, names)
        assert [len(whole[f"{name}:history"]) for name, _ in whole["index"]] == [12, 12, 12]
        await store.write(by_gpu(samples[50:150]))  # a replay
        assert await everything(redis, names) == whole
        other = Names(f"{environment_name}-again")
        again, mixed = GpuStore(redis, other), chance.sample(samples, len(samples))
        while mixed:
            count = chance.randrange(1, 30)
            await again.write(by_gpu(mixed[:count]))
            mixed = mixed[chance.randrange(1, count + 1) :]  # the last ones are read again
        found = await everything(redis, other)
        found["index"].sort()
        whole["index"].sort()
        assert found == whole

    told_of_gpus(story)


def test_of_samples_of_one_moment_the_greatest_content_stays(told_of_gpus: Callable[[Story], None]) -> None:
    async def story(store: GpuStore, redis: Redis, names: Names) -> None:
        for watts in (70, 80, 75):
            await store.write({"n7/GPU-1": [sample(5, power_watts=watts)]})
        assert await redis.hget(names.of_gpu("n7/GPU-1", "sample"), "power_watts") == b"80"
        assert await redis.zcard(names.of_gpu("n7/GPU-1", "history")) == 1

    told_of_gpus(story)


def test_the_index_takes_so_many_gpus_and_no_more(
    told_of_gpus: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpus, "MOST", 2)

    async def story(store: GpuStore, redis: Redis, names: Names) -> None:
        found = by_gpu([sample(0, uuid) for uuid in ("a", "b", "c")])
        assert await store.write(found) == {"n7/c"}
        assert await store.write(by_gpu([sample(9, "c"), sample(9, "a")])) == {"n7/c"}
        assert [(one.name, one.at_ms - NOON) for one in await read_heard(redis, names)] == [("n7/a", 9), ("n7/b", 0)]
        assert await redis.exists(names.of_gpu("n7/c", "sample")) == 0
        await forget(redis, names, ["n7/a"])
        assert await store.write(by_gpu([sample(9, "c")])) == set()
        assert [one.name for one in await read_heard(redis, names)] == ["n7/b", "n7/c"]

    told_of_gpus(story)
