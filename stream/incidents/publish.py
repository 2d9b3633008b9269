"""The relay: documents of incidents from the outbox in Redis to Kafka's compacted topic, each confirmed before it is removed.

A crash between the two sends a document again; the topic is compacted by incident and a document carries its revision, so
that does no harm.  An incident that is forgotten after its time leaves an empty record, which compaction removes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import KafkaError, Producer

from stream.incidents.kill_points import passing
from stream.incidents.owner import Owner

log = logging.getLogger(__name__)

AT_ONCE = 200
FLUSH_S = 1.0
#: Where Kafka does not take documents, they are tried again after so long.
AGAIN_S = 1.0


class Relay:
    """Sends what the outbox holds whenever a turn was stored."""

    def __init__(self, owner: Owner, producer: Producer) -> None:
        self._owner, self._producer = owner, producer
        store = owner.store
        self._outbox, self._topic = store.names.incidents("outbox"), store.names.topic("incidents")
        self._changed = asyncio.Event()
        owner.listeners.append(self._changed)

    async def run(self) -> None:
        """Wait for a turn, then send until the outbox is empty."""
        await self._changed.wait()
        self._changed.clear()
        while self._owner.tenure is not None:
            found = await self._owner.patience(self._oldest)
            if not found:
                return
            await self._send(found)

    async def _oldest(self) -> list[tuple[bytes, dict[bytes, bytes]]]:
        found: Any = await self._owner.store.redis.xrange(self._outbox, count=AT_ONCE)
        return list(found)

    async def _send(self, found: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> None:
        passing("before-publish")
        taken = await asyncio.to_thread(self._delivered, found)
        passing("after-publish")
        if taken:
            await self._owner.patience(lambda: self._owner.store.redis.xdel(self._outbox, *taken))
        if len(taken) < len(found):
            log.error("Kafka did not take %d documents of incidents; trying again", len(found) - len(taken))
            await asyncio.sleep(AGAIN_S)

    def _delivered(self, found: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> list[bytes]:
        """Produce and wait; the outbox entries that the broker has, up to the first that it has not: order is kept."""
        taken: set[bytes] = set()

        def noting(entry: bytes) -> Callable[[KafkaError | None, object], None]:
            return lambda error, _: taken.add(entry) if error is None else None

        for entry, fields in found:
            self._producer.produce(
                self._topic, fields[b"document"] or None, fields[b"id"], on_delivery=noting(entry)
            )  # fmt: skip
        while self._producer.flush(FLUSH_S):
            pass
        kept = next((at for at, (entry, _) in enumerate(found) if entry not in taken), len(found))
        return [entry for entry, _ in found[:kept]]


def incident_producer(bootstrap: str) -> Producer:
    """A producer that keeps the order of documents and never sends one twice by itself."""
    return Producer(
        {
            "bootstrap.servers": bootstrap,
            "client.id": "driftline-incidents",
            "enable.idempotence": True,
            "linger.ms": 0,
            "message.timeout.ms": 10_000,
            "log_level": 0,
        }
    )
