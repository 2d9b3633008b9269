"""The relay: documents of incidents from the outbox in Redis to Kafka's compacted topic, each confirmed before it is removed.

A crash between the two sends a document again; the topic is compacted by incident and a document carries its revision, so
that does no harm.  An incident that is forgotten after its time leaves an empty record, which compaction removes.  A document
that Kafka will never take is given up, counted and said once: it stays in Redis, and those after it go out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from stream.incidents.kill_points import passing
from stream.incidents.owner import Owner

log = logging.getLogger(__name__)

Entry = tuple[bytes, dict[bytes, bytes]]

AT_ONCE = 200
FLUSH_S = 1.0
#: Where Kafka does not take documents, they are tried again after so long.
AGAIN_S = 1.0
#: What no second try will change.
_HOPELESS = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE})


class Relay:
    """Sends what the outbox holds whenever a turn was stored."""

    def __init__(self, owner: Owner, producer: Producer) -> None:
        self._owner, self._producer = owner, producer
        store = owner.store
        self._outbox, self._topic = store.names.incidents("outbox"), store.names.topic("incidents")
        self._given_up: set[bytes] = set()
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

    async def _oldest(self) -> list[Entry]:
        found: Any = await self._owner.store.redis.xrange(self._outbox, count=AT_ONCE)
        return list(found)

    async def _send(self, found: Sequence[Entry]) -> None:
        passing("before-publish")
        taken = await asyncio.to_thread(self._delivered, found)
        passing("after-publish")
        if taken:
            await self._owner.patience(lambda: self._owner.store.redis.xdel(self._outbox, *taken))
        if len(taken) < len(found):
            log.error("Kafka did not take %d documents of incidents; trying again", len(found) - len(taken))
            await asyncio.sleep(AGAIN_S)

    def _delivered(self, found: Sequence[Entry]) -> list[bytes]:
        """Produce and wait; the outbox entries that are done with, up to the first that is not: order is kept."""
        done: set[bytes] = set()
        for entry, fields in found:
            if not self._produced(entry, fields, done=done):
                break
        while self._producer.flush(FLUSH_S):
            pass
        kept = next((at for at, (entry, _) in enumerate(found) if entry not in done), len(found))
        return [entry for entry, _ in found[:kept]]

    def _produced(self, entry: bytes, fields: dict[bytes, bytes], *, done: set[bytes]) -> bool:
        """Hand over a document; False where the ones after it have to wait."""

        def answered(error: KafkaError | None, _: object) -> None:
            if error is None:
                done.add(entry)
            elif error.code() in _HOPELESS:
                self._give_up(fields[b"id"], size=len(fields[b"document"]))
                done.add(entry)

        try:
            self._producer.produce(self._topic, fields[b"document"] or None, fields[b"id"], on_delivery=answered)
        except BufferError:
            return False
        except KafkaException as refused:
            answered(refused.args[0], None)
            return entry in done
        return True

    def _give_up(self, incident: bytes, *, size: int) -> None:
        self._owner.tally.unpublished += 1
        if incident not in self._given_up:
            self._given_up.add(incident)
            log.error(
                "Kafka takes no document of %d bytes; its topic goes on without that of incident %s",
                size,
                incident.decode(),
            )


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
