"""The relay of documents: one that Kafka will never take is given up and counted, and everything else goes out in order."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
import redis.asyncio as redis_async
from confluent_kafka import KafkaError, Producer

from schemas.names import Names
from schemas.settings import Settings
from stream.incidents.owner import Owner
from stream.incidents.publish import Relay, incident_producer
from stream.incidents.store import IncidentStore
from stream.incidents.tally import OwnerTally
from stream.state.patience import Patience
from tests.support.incident_owner import take


class Broker:
    """A producer whose local queue holds ``room`` documents; it delivers at a flush, to ``topic`` where others do, too."""

    def __init__(self, room: int = 100, topic: list[bytes] | None = None) -> None:
        self.room, self.taken = room, list[bytes]() if topic is None else topic
        self._waiting: list[tuple[bytes, Callable[[None, object], None]]] = []

    def produce(self, topic: str, value: bytes, key: bytes, on_delivery: Callable[[None, object], None]) -> None:
        if len(self._waiting) == self.room:
            raise BufferError("full")
        self._waiting.append((value, on_delivery))

    def flush(self, timeout: float) -> int:
        waiting, self._waiting = self._waiting, []
        for value, told in waiting:
            self.taken.append(value)
            told(None, None)
        return 0


def relayed(url: str, environment: str, producer: object, *turns: list[tuple[str, bytes]]) -> OwnerTally:
    """What was counted when the relay has emptied an outbox that names these incidents, with their documents, turn by turn."""

    async def run() -> OwnerTally:
        async with redis_async.Redis.from_url(url) as redis:
            names = Names(environment)
            owner = Owner(IncidentStore(redis, names), lock_step=False, patience=Patience(), tally=OwnerTally())
            relay = Relay(owner, cast(Producer, producer))
            await take(owner)
            for documents in turns:
                for incident, document in documents:
                    stored: Any = redis.hset(names.incidents("documents"), incident, document)
                    await stored
                    fields: dict[Any, Any] = {"id": incident}
                    await redis.xadd(names.incidents("outbox"), fields)
                for listener in owner.listeners:
                    listener.set()
                async with asyncio.timeout(20):
                    await relay.run()
                assert await redis.xlen(names.incidents("outbox")) == 0
            return owner.tally

    return asyncio.run(run())


def test_a_document_that_is_too_large_for_kafka_is_counted_and_said_once(
    redis_url: str, environment_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        producer = incident_producer(Settings(kafka="127.0.0.1:1"))
        tally = relayed(redis_url, environment_name, producer, *[[("inc-1", b"x" * 1_100_000)]] * 2)
    assert tally.unpublished == 2
    assert caplog.messages == [
        "Kafka takes no document of 1100000 bytes; its topic goes on without that of incident inc-1"
    ]


def test_a_full_local_queue_keeps_the_order(
    redis_url: str, environment_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.incidents.publish.AGAIN_S", 0.0)
    broker, documents = Broker(room=2), [(f"inc-{number}", b"%d" % number) for number in range(5)]
    assert relayed(redis_url, environment_name, broker, documents).unpublished == 0
    assert broker.taken == [document for _, document in documents]


def test_an_incident_that_changed_again_is_sent_once_as_it_is_now(redis_url: str, environment_name: str) -> None:
    broker = Broker()
    relayed(redis_url, environment_name, broker, [("inc-1", b"old"), ("inc-2", b"two"), ("inc-1", b"new")])
    assert broker.taken == [b"new", b"two"]


class Paused(Broker):
    """One whose process is stopped right before it sends for the first time: after the documents were read."""

    def __init__(self, topic: list[bytes]) -> None:
        super().__init__(topic=topic)
        self.reached, self.goes_on = threading.Event(), threading.Event()

    def produce(self, topic: str, value: bytes, key: bytes, on_delivery: Callable[[None, object], None]) -> None:
        self.reached.set()
        assert self.goes_on.wait(10)
        super().produce(topic, value, key, on_delivery)


class Moody(Paused):
    """One that Kafka refuses once, after it was paused and its old documents had arrived."""

    refused = False

    def flush(self, timeout: float) -> int:
        if b"old" in self.taken and not self.refused:
            self.refused = True
            waiting, self._waiting = self._waiting, []
            for _, told in waiting:
                told(KafkaError(KafkaError._MSG_TIMED_OUT), None)  # type: ignore[arg-type]
            return 0
        return super().flush(timeout)


@pytest.mark.parametrize("double", [Paused, Moody])
def test_an_owner_that_was_paused_leaves_nothing_older_behind_its_successors_documents(
    redis_url: str, environment_name: str, monkeypatch: pytest.MonkeyPatch, double: type[Paused]
) -> None:
    """What it sends when it goes on comes after what its successor sent long ago, and would stand until the next change."""
    monkeypatch.setattr("stream.incidents.publish.AGAIN_S", 0.0)
    topic: list[bytes] = []
    first = double(topic)

    async def story() -> None:
        async with redis_async.Redis.from_url(redis_url) as redis:
            old, earlier = await _owner_of(redis, environment_name, first)
            await _write(redis, environment_name, {"inc-1": b"old", "inc-2": b"two", "inc-3": b"gone"})
            sending = asyncio.create_task(_sent(old, earlier))
            assert await asyncio.to_thread(first.reached.wait, 10)
            new, later = await _owner_of(redis, environment_name, Broker(topic=topic))
            await _write(redis, environment_name, {"inc-1": b"new", "inc-3": None})
            await _sent(new, later)
            assert topic == [b"new", b"two", None]
            first.goes_on.set()
            async with asyncio.timeout(10):
                await sending
            assert await redis.xlen(Names(environment_name).incidents("outbox")) == 0

    asyncio.run(story())
    assert topic[:6] == [b"new", b"two", None, b"old", b"two", b"gone"]
    assert topic[6:] == [b"new"], "and what is stored by then is said again, of what was older"


@pytest.mark.parametrize("after", ["the outbox", "the documents"])
def test_what_an_emptied_redis_has_lost_is_not_taken_for_forgotten(
    redis_url: str, environment_name: str, after: str
) -> None:
    """Kafka keeps the document that somebody was rung by, wherever the relay is when Redis is emptied: nothing else has it."""
    topic: list[bytes] = []
    broker = Paused(topic)

    async def story() -> None:
        async with redis_async.Redis.from_url(redis_url) as redis:
            owner, relay = await _owner_of(redis, environment_name, broker)
            heard: dict[str, int] = {}
            relay.published = heard.__setitem__
            await _write(redis, environment_name, {"inc-1": b"open"})
            if after == "the outbox":
                broker.goes_on.set()
                relay._send = _emptied_before(relay._send, redis, environment_name)  # type: ignore[assignment, method-assign]
            sending = asyncio.create_task(_sent(owner, relay))
            if after == "the documents":
                assert await asyncio.to_thread(broker.reached.wait, 10)
                await _empty(redis, environment_name)
                broker.goes_on.set()
            async with asyncio.timeout(10):
                await sending
            assert heard == {}, "and the group's offset stays before what it was decided by"

    asyncio.run(story())
    assert topic == ([b"open"] if after == "the documents" else [])


def test_the_groups_offsets_follow_what_is_on_the_topic(redis_url: str, environment_name: str) -> None:
    """What is stored and not on the topic would be in neither, were Redis emptied, and not be read again."""
    broker = Paused([])

    async def story() -> None:
        async with redis_async.Redis.from_url(redis_url) as redis:
            owner, relay = await _owner_of(redis, environment_name, broker)
            heard: dict[str, int] = {}
            relay.published = heard.__setitem__
            assert owner.tenure is not None
            owner.tenure.stored = {"findings": 6, "actions": 1}
            await _write(redis, environment_name, {"inc-1": b"open"})
            sending = asyncio.create_task(_sent(owner, relay))
            assert await asyncio.to_thread(broker.reached.wait, 10)
            assert heard == {}
            broker.goes_on.set()
            async with asyncio.timeout(10):
                await sending
            assert heard == {"findings": 6, "actions": 1}

    asyncio.run(story())


def test_an_owner_that_owns_on_reads_nothing_again(redis_url: str, environment_name: str) -> None:
    """Its own newer documents have entries of their own in the outbox: it asks for documents once, and who owns by then."""
    broker = Broker()

    async def story() -> None:
        async with redis_async.Redis.from_url(redis_url) as redis:
            owner, relay = await _owner_of(redis, environment_name, broker)
            await _write(redis, environment_name, {"inc-1": b"one"})
            before = await _asked(redis)
            await _sent(owner, relay)
            # The outbox twice with its owner; documents, what is kept with them and the owner; and the owner once they are sent.
            assert await _asked(redis) - before == 6

    asyncio.run(story())
    assert broker.taken == [b"one"]


async def _asked(redis: redis_async.Redis) -> int:
    """How often something was read of documents and owner."""
    return int((await redis.info("commandstats")).get("cmdstat_hmget", {}).get("calls", 0))


async def _owner_of(redis: redis_async.Redis, environment: str, producer: Broker) -> tuple[Owner, Relay]:
    owner = Owner(IncidentStore(redis, Names(environment)), lock_step=False, patience=Patience(), tally=OwnerTally())
    relay = Relay(owner, cast(Producer, producer))
    await take(owner)
    return owner, relay


async def _write(redis: redis_async.Redis, environment: str, documents: dict[str, bytes | None]) -> None:
    names = Names(environment)
    for incident, document in documents.items():
        key = names.incidents("documents")
        stored: Any = redis.hdel(key, incident) if document is None else redis.hset(key, incident, document)
        await stored
        fields: dict[Any, Any] = {"id": incident}
        await redis.xadd(names.incidents("outbox"), fields)


async def _empty(redis: redis_async.Redis, environment: str) -> None:
    """What an emptied Redis is to this environment."""
    await redis.delete(*[key async for key in redis.scan_iter(Names(environment).key("*"))])


def _emptied_before(
    send: Callable[..., Awaitable[bool]], redis: redis_async.Redis, environment: str
) -> Callable[..., Awaitable[bool]]:
    async def emptied(*given: Any) -> bool:
        await _empty(redis, environment)
        return await send(*given)

    return emptied


async def _sent(owner: Owner, relay: Relay) -> None:
    for listener in owner.listeners:
        listener.set()
    await relay.run()
