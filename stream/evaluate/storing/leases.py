"""Who evaluates which shard of the models: leases in Redis, shared fairly among the workers that live.

A lease runs out after ``TTL_MS`` unless it is renewed; taking one gives a fencing token that only grows, which every script
of evaluation carries.  So a worker that slept through the end of its lease may think that it holds it, and can still write
nothing.  A worker that ends gives its leases back.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from redis.asyncio import Redis

from schemas.names import Names
from stream.evaluate.storing.breath import Asking
from stream.evaluate.storing.shards import surplus, wanted
from stream.state.clock import read_now
from stream.state.lua import called, script

log = logging.getLogger(__name__)

TTL_MS = 5_000
#: A worker that said nothing for so long is not counted any more.
FORGOTTEN_AFTER_MS = 3 * TTL_MS


class Leases:
    """``tokens`` are the shards held, each with its fencing token."""

    def __init__(
        self, redis: Redis, names: Names, *, worker: str, asking: Asking,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.tokens: dict[int, int] = {}
        self._redis, self._names, self._worker, self._asking = redis, names, worker, asking
        self._monotonic = monotonic
        self._hold, self._fence = script(redis, "evaluate", "hold"), script(redis, "evaluate", "token")
        self._good_until: dict[int, float] = {}

    def token(self, shard: int) -> int | None:
        """The token of a shard, None where it is not held or its lease may have run out."""
        return self.tokens.get(shard) if self._good_until.get(shard, 0.0) > self._monotonic() else None

    async def tend(self) -> None:
        """Say that this worker lives, renew what it holds, give back what is too much, take what is free."""
        workers = await self._asking(self._say)
        await self._renew()
        for shard in surplus(self.tokens, workers=workers):
            await self.give_back(shard)
        for shard in wanted(self.tokens, workers=workers, worker=self._worker):
            if not wanted(self.tokens, workers=workers, worker=self._worker):
                break
            await self._take(shard)

    async def give_back(self, shard: int) -> None:
        """End a lease; a no-op where it is another worker's by now."""
        self._lose(shard)
        await self._asking(lambda: self._hold(keys=[self._names.lease(shard)], args=[self._worker, "drop", 0]))

    async def leave(self) -> None:
        """Give everything back: another worker need not wait for the leases to run out."""
        for shard in list(self.tokens):
            await self.give_back(shard)
        await self._asking(lambda: self._redis.zrem(self._names.workers, self._worker))

    async def _say(self) -> int:
        """How many workers live, this one included."""
        now_ms = await read_now(self._redis, self._names)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.zadd(self._names.workers, {self._worker: now_ms})
            pipe.zremrangebyscore(self._names.workers, "-inf", now_ms - FORGOTTEN_AFTER_MS)
            pipe.zcard(self._names.workers)
            *_, count = await pipe.execute()
        return int(count)

    async def _renew(self) -> None:
        held = list(self.tokens)
        sent = self._monotonic()

        async def ask() -> list[int]:
            calls = [([self._names.lease(shard)], [self._worker, "hold", TTL_MS]) for shard in held]
            return [int(answer) for answer in await called(self._redis, self._hold, calls)]

        for shard, ours in zip(held, await self._asking(ask) if held else [], strict=True):
            if ours:
                self._good_until[shard] = sent + TTL_MS / 1000
            else:
                log.warning("the lease of shard %d ran out; another worker may hold it", shard)
                self._lose(shard)

    async def _take(self, shard: int) -> None:
        sent, key = self._monotonic(), self._names.lease(shard)
        if not await self._asking(lambda: self._redis.set(key, self._worker, nx=True, px=TTL_MS)):
            return
        token = await self._asking(lambda: self._fence(keys=[self._names.lease_tokens], args=[shard]))
        # A pause between the two would leave a token that is newer than the rightful holder's.
        if await self._asking(lambda: self._hold(keys=[key], args=[self._worker, "hold", TTL_MS])):
            self.tokens[shard], self._good_until[shard] = int(token), sent + TTL_MS / 1000

    def _lose(self, shard: int) -> None:
        self.tokens.pop(shard, None)
        self._good_until.pop(shard, None)
