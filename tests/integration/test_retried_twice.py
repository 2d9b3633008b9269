"""Two shells that send the same dead letters again at once: each letter goes once."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from stream.state import retried
from tests.support.site import Site

RECORDS = {f"predictions:0:{at}": 1_741_000_000_000 for at in range(50)}


def test_two_at_once_never_both_have_a_letter(site: Site) -> None:
    """Should they look before they note, each has looked before the other noted anything."""
    looked: list[asyncio.Event] = [asyncio.Event(), asyncio.Event()]

    class Slow(Redis):
        """Goes on once both have looked."""

        number = 0

        async def hmget(self, *args: object, **more: object) -> object:  # type: ignore[override]
            found = await super().hmget(*args, **more)  # type: ignore[arg-type, misc]
            looked[self.number].set()
            await asyncio.gather(*(one.wait() for one in looked))
            return found

    async def claimed(number: int) -> set[str]:
        async with Slow.from_url(site.env["DRIFTLINE_REDIS"]) as redis:
            redis.number = number
            return await retried.claim(redis, site.names, RECORDS, now_ms=5)

    async def both() -> list[set[str]]:
        return await asyncio.gather(claimed(0), claimed(1))

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
