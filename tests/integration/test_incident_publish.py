"""The relay of documents: one that Kafka will never take is given up and counted, and everything else goes out in order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, cast

import pytest
import redis.asyncio as redis_async
from confluent_kafka import Producer

from schemas.names import Names
from stream.incidents.owner import Owner
from stream.incidents.publish import Relay, incident_producer
from stream.incidents.store import IncidentStore
from stream.incidents.tally import OwnerTally
from stream.state.patience import Patience
from tests.support.incident_owner import take


class Broker:
    """A producer whose local queue holds ``room`` documents; it delivers at a flush."""

    def __init__(self, room: int = 100) -> None:
        self.room, self.taken = room, list[bytes]()
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
        producer = incident_producer("127.0.0.1:1")
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
