"""Two shells that send the same dead letters again at once: each letter goes once."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest import mock

from redis.asyncio import Redis

from stream.state import retried
from tests.support.site import Site

RECORDS = {f"predictions:0:{at}": 1_741_000_000_000 for at in range(50)}


def test_two_at_once_never_both_have_a_letter(site: Site) -> None:
    """Should they look before they note, each has looked before the other noted anything."""

    async def claimed(looked: asyncio.Barrier) -> set[str]:
        async with Redis.from_url(site.env["DRIFTLINE_REDIS"]) as redis:
            look = redis.hmget

            async def together(*args: Any) -> Any:
                found = await look(*args)
                await looked.wait()
                return found

            with mock.patch.object(redis, "hmget", together):
                return await retried.claim(redis, site.names, RECORDS, now_ms=5)

    async def both() -> tuple[set[str], set[str]]:
        looked = asyncio.Barrier(2)
        return await asyncio.gather(claimed(looked), claimed(looked))

    first, second = asyncio.run(both())
    assert (first & second, first | second) == (set(), set(RECORDS))


def test_what_is_noted_of_a_topic_that_is_gone_holds_nothing_back(site: Site) -> None:
    async def claimed(at_ms: int) -> set[str]:
        async with Redis.from_url(site.env["DRIFTLINE_REDIS"]) as redis:
            return await retried.claim(redis, site.names, {"predictions:0:1": at_ms}, now_ms=5)

    assert [asyncio.run(claimed(at_ms)) for at_ms in (7, 7, 8, 8)] == [
        {"predictions:0:1"},
        set(),
        {"predictions:0:1"},
        set(),
    ]
