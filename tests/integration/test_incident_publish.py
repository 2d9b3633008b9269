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


def relayed(url: str, environment: str, producer: object, *, documents: list[bytes]) -> OwnerTally:
    """What was counted when the relay has emptied an outbox that holds these."""

    async def run() -> OwnerTally:
        async with redis_async.Redis.from_url(url) as redis:
            names = Names(environment)
            owner = Owner(IncidentStore(redis, names), lock_step=False, patience=Patience(), tally=OwnerTally())
            relay = Relay(owner, cast(Producer, producer))
            await take(owner)
            for document in documents:
                fields: dict[Any, Any] = {"id": "inc-1", "document": document}
                await redis.xadd(names.incidents("outbox"), fields)
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
        tally = relayed(redis_url, environment_name, producer, documents=[b"x" * 1_100_000, b"y" * 1_100_000])
    assert tally.unpublished == 2
    assert caplog.messages == [
        "Kafka takes no document of 1100000 bytes; its topic goes on without that of incident inc-1"
    ]


def test_a_full_local_queue_keeps_the_order(
    redis_url: str, environment_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.incidents.publish.AGAIN_S", 0.0)
    broker, documents = Broker(room=2), [b"1", b"2", b"3", b"4", b"5"]
    assert relayed(redis_url, environment_name, broker, documents=documents).unpublished == 0
    assert broker.taken == documents
