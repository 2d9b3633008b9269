"""The incident owner's store on a real Redis: a turn is whole or not at all, and only the newest owner writes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis

from schemas.names import Names
from stream.incidents.store import Begun, IncidentStore, Turn, Write
from stream.state.epochs import Stored

Story = Callable[[IncidentStore], Awaitable[None]]
TOPICS = ("findings", "actions")


@pytest.fixture
def told(redis_url: str, environment_name: str) -> Callable[[Story], None]:
    """Runs a story with a store in an environment of its own."""

    async def run(story: Story) -> None:
        async with Redis.from_url(redis_url) as redis:
            await story(IncidentStore(redis, Names(environment_name)))

    return lambda story: asyncio.run(run(story))


async def take(store: IncidentStore, *, findings: int = 0) -> Begun:
    begun = await store.take(topics=TOPICS, owner="host:1")
    assert await store.place(begun.epoch, offsets={"findings": findings}, topic_ids={"findings": "t1"})
    return begun


def record(name: str, value: bytes) -> Write:
    return "records", "HSET", (name, value)


def test_a_turn_stores_records_and_offsets_together(told: Callable[[Story], None]) -> None:
    async def story(store: IncidentStore) -> None:
        begun = await take(store)
        turn = Turn(begun.epoch, 1, {"findings": (0, 17)}, [record("a", b"\x00\xff"), ("marks", "HSET", ("m", 5))])
        assert await store.commit(turn) == "stored"

        after = await store.take(topics=TOPICS, owner="host:2")
        assert after.inputs == {
            "findings": Stored(17, None, None, "t1", 0),
            "actions": Stored(None, None, None, None, 0),
        }
        assert (after.turn, after.records, after.marks) == (1, {"a": b"\x00\xff"}, {"m": 5})

    told(story)


def test_a_turn_that_is_stored_twice_counts_once(told: Callable[[Story], None]) -> None:
    async def story(store: IncidentStore) -> None:
        begun = await take(store)
        turn = Turn(begun.epoch, 1, {"findings": (0, 3)}, [("outbox", "XADD", ("*", "id", "i"))])
        assert [await store.commit(turn), await store.commit(turn)] == ["stored", "stored"]
        assert await store.redis.xlen(store.names.incidents("outbox")) == 1

    told(story)


def test_an_owner_that_was_replaced_writes_nothing(told: Callable[[Story], None]) -> None:
    async def story(store: IncidentStore) -> None:
        old = await take(store)
        new = await take(store)
        assert await store.commit(Turn(old.epoch, 1, {}, [record("a", b"old")])) == "fenced"
        assert [await store.holds(old.epoch), await store.holds(new.epoch)] == [False, True]
        assert not await store.place(old.epoch, offsets={"findings": 99}, topic_ids={})
        assert await store.commit(Turn(new.epoch, 1, {"findings": (0, 1)}, [record("a", b"new")])) == "stored"
        assert (await store.take(topics=TOPICS, owner="x")).records == {"a": b"new"}

    told(story)


def test_a_redis_that_lost_turns_or_offsets_is_noticed(told: Callable[[Story], None]) -> None:
    async def story(store: IncidentStore) -> None:
        begun = await take(store, findings=5)
        assert await store.commit(Turn(begun.epoch, 2, {}, [record("a", b"1")])) == "elsewhere"
        assert await store.commit(Turn(begun.epoch, 1, {"findings": (4, 6)}, [record("a", b"1")])) == "elsewhere"
        assert (await store.take(topics=TOPICS, owner="x")).records == {}

    told(story)


def test_the_same_counter_with_another_token_is_another_owner(told: Callable[[Story], None]) -> None:
    """A fail-over may roll the counter back."""

    async def story(store: IncidentStore) -> None:
        old = await take(store)
        await store.redis.hset(store.names.incidents("owner"), "epoch", "0")
        new = await take(store)
        assert new.epoch.number == old.epoch.number
        assert await store.commit(Turn(old.epoch, 1, {}, [record("a", b"1")])) == "fenced"

    told(story)


def test_ended_incidents_beyond_the_newest_or_too_old_are_named(told: Callable[[Story], None]) -> None:
    async def story(store: IncidentStore) -> None:
        begun = await take(store)
        ended: list[Write] = [("ended", "ZADD", (at, f"i{at}")) for at in (10, 20, 30, 40)]
        await store.commit(Turn(begun.epoch, 1, {}, ended))
        assert await store.outlived(most=3, older_than_ms=0) == ["i10"]
        assert await store.outlived(most=10, older_than_ms=30) == ["i10", "i20"]

    told(story)
