"""The fencing token of a shard only grows, whatever became of Redis' data in between."""

from __future__ import annotations

import asyncio

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
