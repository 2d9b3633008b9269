"""Ended incidents whose time is over leave Redis and, by an empty record, Kafka's compacted topic."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from redis import Redis

from schemas.findings import Progress
from schemas.names import Names
from stream.incidents import owner
from tests.support.incident_owner import HOUR, T0, Running, finding, running

DAY = 24 * HOUR


class Kept:
    """What an environment's Redis holds of ended incidents."""

    def __init__(self, redis: Redis, names: Names) -> None:
        self._redis, self._names = redis, names

    def put(self, name: str, ended: int) -> None:
        """An ended incident, as a turn of long ago left it."""
        self._redis.hset(self._names.incidents("documents"), name, "{}")
        self._redis.zadd(self._names.incidents("ended"), {name: ended})
        self._redis.xadd(self._names.incidents("timeline", name), {"at": ended, "text": "ended"})

    def names(self) -> set[str]:
        """Those of which anything is there."""
        ended = cast("list[bytes]", self._redis.zrange(self._names.incidents("ended"), 0, -1))
        documents = cast("list[bytes]", self._redis.hkeys(self._names.incidents("documents")))
        lines = (key.rpartition(b":")[2] for key in self._redis.scan_iter(self._names.incidents("timeline", "*")))
        return {name.decode() for name in (*ended, *documents, *lines)}

    def emptied(self) -> list[str]:
        """The incidents in the outbox that have no document any more."""
        found = cast("list[tuple[bytes, dict[bytes, bytes]]]", self._redis.xrange(self._names.incidents("outbox")))
        there = cast("list[bytes]", self._redis.hkeys(self._names.incidents("documents")))
        return [fields[b"id"].decode() for _, fields in found if fields[b"id"] not in there]


@pytest.fixture
def kept(redis_url: str, environment_name: str) -> Kept:
    return Kept(Redis.from_url(redis_url), Names(environment_name))


def told(redis_url: str, environment_name: str, story: Any) -> None:
    async def run() -> None:
        async with running(redis_url, Names(environment_name)) as one:
            await story(one)

    asyncio.run(run())


def test_the_oldest_beyond_the_cap_and_those_of_400_days_ago_go_everywhere_at_once(
    redis_url: str, environment_name: str, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, "MOST_ENDED", 3)

    async def story(one: Running) -> None:
        one.feed(Progress(model="m", stream="predictions", at=T0, seen=T0))
        await one.until(lambda: one.tenure.now > 0)
        now = one.tenure.now
        for name, ago in (("ancient", 401), ("old", 399), ("d", 4), ("e", 3), ("f", 2)):
            kept.put(name, now - ago * DAY)
        await one.owner.forget()
        await one.until(lambda: kept.names() == {"d", "e", "f"})
        assert kept.emptied() == ["ancient", "old"]
        await one.owner.forget()
        await asyncio.sleep(0.1)
        assert kept.emptied() == ["ancient", "old"]

    told(redis_url, environment_name, story)


def test_400_days_are_kept_whatever_the_number(redis_url: str, environment_name: str, kept: Kept) -> None:
    async def story(one: Running) -> None:
        one.feed(Progress(model="m", stream="predictions", at=T0, seen=T0))
        await one.until(lambda: one.tenure.now > 0)
        for name, ago in (("ancient", 401), ("old", 399)):
            kept.put(name, one.tenure.now - ago * DAY)
        await one.owner.forget()
        await one.until(lambda: kept.names() == {"old"})

    told(redis_url, environment_name, story)


def test_one_that_is_not_over_for_its_receivers_stays_whatever_the_cap(
    redis_url: str, environment_name: str, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, "MOST_ENDED", 0)

    async def story(one: Running) -> None:
        one.feed(finding())
        await one.until(lambda: one.receivers["slack:#ml"].kinds == ["open"])
        one.receivers["slack:#ml"].free.clear()
        one.feed(finding(hours=2, state="ok"))
        one.feed(Progress(model="m", stream="predictions", at=T0 + 48 * HOUR, seen=T0 + 48 * HOUR))
        await one.until(lambda: one.receivers["slack:#ml"].kinds == ["open", "close"])
        [name] = one.tenure.state.incidents
        kept.put("other", T0)
        await one.owner.forget()
        await one.until(lambda: kept.names() == {name})
        assert kept.emptied() == ["other"]
        one.receivers["slack:#ml"].free.set()

    told(redis_url, environment_name, story)
