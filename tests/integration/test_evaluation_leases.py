"""The fencing token of a shard only grows, whatever became of Redis' data in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from redis.asyncio import Redis

from schemas.names import Names
from stream.evaluate.storing.breath import Asking, Breath
from stream.evaluate.storing.leases import Leases
from stream.state.patience import Patience
from tests.support.evaluation import opened


def leases(redis: Redis, names: Names, worker: str) -> Leases:
    return Leases(redis, names, worker=worker, asking=Asking(Patience(), Breath()))


def test_who_takes_a_shard_after_another_has_the_greater_token(redis_url: str, environment_name: str) -> None:
    async def run() -> None:
        async with opened(redis_url, environment_name) as scene:
            first, second = (leases(scene.redis, scene.names, name) for name in ("first", "second"))
            await first.tend()
            before = dict(first.tokens)
            await first.leave()
            await second.tend()
            assert len(before) == len(second.tokens) == 64
            assert all(second.tokens[shard] > before[shard] for shard in before)

    asyncio.run(run())


def test_an_emptied_redis_gives_greater_tokens_than_before(redis_url: str, environment_name: str) -> None:
    """Numbered from 1 again, a model whose last writer had token 7 would refuse every evaluator for ever."""

    async def run() -> None:
        async with opened(redis_url, environment_name) as scene:
            worker = leases(scene.redis, scene.names, "worker")
            await worker.tend()
            before = dict(worker.tokens)
            await scene.redis.delete(scene.names.lease_tokens, *map(scene.names.lease, range(64)))
            await worker.tend()
            await worker.tend()
            assert len(worker.tokens) == 64
            assert all(worker.tokens[shard] > before[shard] for shard in before)

    asyncio.run(run())


def test_a_clock_that_was_set_back_takes_no_token_back(redis_url: str, environment_name: str) -> None:
    ahead = 10**13

    async def run() -> None:
        async with opened(redis_url, environment_name) as scene:
            await scene.redis.hset(scene.names.lease_tokens, mapping={str(shard): ahead for shard in range(64)})
            worker = leases(scene.redis, scene.names, "worker")
            await worker.tend()
            assert set(worker.tokens.values()) == {ahead + 1}

    asyncio.run(run())


@pytest.mark.parametrize("seed", range(4))
def test_three_workers_share_an_emptied_redis_whenever_it_was_emptied(
    redis_url: str, environment_name: str, seed: int
) -> None:
    """In the middle of a look as well.  Nobody is left out, no shard is without owner, and of two only one can write."""

    async def run() -> None:
        async with opened(redis_url, environment_name) as scene:
            redis, names, chance = scene.redis, scene.names, Random(seed)
            workers = [leases(redis, names, f"w{number}") for number in range(3)]
            for _ in range(6):
                await asyncio.gather(*(one.tend() for one in workers))
            before = {shard: token for one in workers for shard, token in one.tokens.items()}
            assert len(before) == 64

            async def emptied() -> None:
                await asyncio.sleep(chance.random() * 0.03)
                keys = [key async for key in redis.scan_iter(names.key("*"))]
                await redis.delete(*keys)

            await asyncio.gather(emptied(), *(one.tend() for one in workers))
            assert await can_write(redis, names, workers, await owners(redis, names)) <= 1
            for _ in range(6):
                chance.shuffle(workers)
                await asyncio.gather(*(one.tend() for one in workers[: chance.randint(1, 3)]))
                assert await can_write(redis, names, workers, await owners(redis, names)) <= 1
            for _ in range(4):
                await asyncio.gather(*(one.tend() for one in workers))
            held = [shard for one in workers for shard in one.tokens]
            assert sorted(held) == list(range(64))
            assert min(len(one.tokens) for one in workers) >= 20
            assert all(token > before[shard] for one in workers for shard, token in one.tokens.items())

    asyncio.run(run())


async def owners(redis: Redis, names: Names) -> dict[int, str]:
    """Whose each shard is by Redis."""
    found: list[Any] = await redis.mget([names.lease(shard) for shard in range(64)])
    return {shard: owner.decode() for shard, owner in enumerate(found) if owner is not None}


async def can_write(redis: Redis, names: Names, workers: Sequence[Leases], owned: dict[int, str]) -> int:
    """The most workers of any shard whose token is not below the newest that was given out."""
    newest = {int(shard): int(token) for shard, token in (await redis.hgetall(names.lease_tokens)).items()}
    able = [
        sum(1 for one in workers if (one.token(shard) or 0) >= newest.get(shard, 1 << 62)) for shard in range(64)
    ]  # fmt: skip
    for shard, owner in owned.items():
        assert [one._worker for one in workers if (one.token(shard) or 0) >= newest.get(shard, 1 << 62)] in (
            [],
            [owner],
        )
    return max(able)
