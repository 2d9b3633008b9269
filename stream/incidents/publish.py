"""The relay: documents of incidents from Redis to Kafka's compacted topic, each confirmed before its outbox entry is removed.

The outbox names incidents, and what is sent is the document as it is then: of several changes only the last may be.  A crash
sends a document again; the topic is compacted by incident and a document carries its revision, so that does no harm.  An
incident that is forgotten after its time leaves an empty record, which compaction removes.  A document that Kafka will never
take is given up, counted and said once: it stays in Redis, and those after it go out.

An owner that stood still between reading a document and sending it may send it after its successor sent a newer one.  So each
asks once more, after Kafka has what it sent, whether it is still the owner; if not, what is stored by then and differs is sent
again, until what was sent last is what is stored.  Whoever comes last so leaves the newest.

Kafka is what an emptied Redis is filled from, so that Redis lost something is never taken for its being forgotten: a document
and what is kept with it are read together with the epoch under which they stand, and only the owner itself leaves an empty
record.  And the group's offsets follow what is on the topic, not what is stored (``published``): of what was read, and was not
told to Kafka before Redis was emptied, the next owner decides again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import cast

from confluent_kafka import KafkaError, KafkaException, Producer

from schemas.incidents import with_kept
from schemas.settings import Settings
from stream.incidents.owner import Owner
from stream.incidents.store import held_by
from stream.incidents.tenure import Tenure
from stream.kafka_client import kafka_options
from stream.kill_points import passing

log = logging.getLogger(__name__)

#: Its id, and the incident's.
Entry = tuple[bytes, bytes]
#: The epoch and its token.
Held = list[bytes | None]
#: By incident; None: it is forgotten.
Documents = dict[bytes, bytes | None]

AT_ONCE = 200
#: So many documents are read at once: one may have a hundred kilobytes.
DOCUMENTS = 10
#: By event time changes are gathered for so long.
GATHER_S = 0.25
FLUSH_S = 1.0
#: Of a record of Kafka: a broker's default is a megabyte.
MOST_BYTES = 950_000
#: Where Kafka does not take documents, they are tried again after so long.
AGAIN_S = 1.0
#: What no second try will change.
_HOPELESS = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE})


class Relay:
    """Sends what the outbox holds whenever a turn was stored.

    ``published`` is called with each input's offset up to which everything decided is on the topic.
    """

    def __init__(self, owner: Owner, producer: Producer) -> None:
        self._owner, self._producer = owner, producer
        self.published: Callable[[str, int], None] | None = None
        store = owner.store
        self._outbox, self._topic = store.names.incidents("outbox"), store.names.topic("incidents")
        self._documents, self._parts = store.names.incidents("documents"), store.names.incidents("kept")
        self._owned = store.names.incidents("owner")
        self._given_up: set[bytes] = set()
        self._changed = asyncio.Event()
        owner.listeners.append(self._changed)

    async def run(self) -> None:
        """Wait for a turn, then send until the outbox is empty."""
        await self._changed.wait()
        if self._owner.lock_step:  # nobody waits for a year that is replayed: what changes again meanwhile is sent once
            await asyncio.sleep(GATHER_S)
        self._changed.clear()
        while (tenure := self._owner.tenure) is not None:
            decided = dict(
                tenure.stored
            )  # as it is now: a turn that is stored from here on may have entries of its own
            found, epoch = await self._owner.patience(self._oldest)
            if not held_by(tenure.epoch, epoch):  # an outbox that is empty because Redis was emptied says nothing
                return
            if not found:
                self._follow(decided)
                return
            if not await self._send(tenure, found):
                return

    def _follow(self, decided: Mapping[str, int]) -> None:
        for topic, offset in decided.items():
            if self.published is not None:
                self.published(topic, offset)

    async def _oldest(self) -> tuple[list[Entry], Held]:
        """The first entries, and under which epoch they stand."""
        async with self._owner.store.redis.pipeline(transaction=True) as pipe:
            pipe.xrange(self._outbox, count=AT_ONCE)
            pipe.hmget(self._owned, "epoch", "token")
            found, epoch = await pipe.execute()
        return [(entry, fields[b"id"]) for entry, fields in found], epoch

    async def _send(self, tenure: Tenure, found: Sequence[Entry]) -> bool:
        """Send the documents of the first incidents; each is as it is now, so all that was to be sent of it is done.

        False where this owner has none any more: what is stored is another's to send, or is gone.
        """
        incidents = list(dict.fromkeys(incident for _, incident in found))[:DOCUMENTS]
        documents, epoch = await self._stored(incidents)
        if not held_by(tenure.epoch, epoch):
            return False
        passing("before-publish")
        taken = await asyncio.to_thread(self._delivered, documents)
        passing("after-publish")
        if not await self._owner.patience(lambda: self._owner.store.holds(tenure.epoch)):
            await self._overtaken(documents)
        done = [entry for entry, incident in found if incident in taken]
        if done:
            await self._owner.patience(lambda: self._owner.store.redis.xdel(self._outbox, *done))
        if len(taken) < len(documents):
            log.error("Kafka did not take %d documents of incidents; trying again", len(documents) - len(taken))
            await asyncio.sleep(AGAIN_S)
        return True

    async def _overtaken(self, sent: Documents) -> None:
        """Another owner may have sent newer ones before these arrived: send what is stored until it was sent last.

        What is not stored may be lost and not forgotten; a document too many of what is long over does no harm.
        """
        while behind := await self._newer(sent):
            taken = await asyncio.to_thread(self._delivered, behind)
            sent |= {one: behind[one] for one in taken}
            if len(taken) < len(behind):
                await asyncio.sleep(AGAIN_S)

    async def _newer(self, sent: Documents) -> Documents:
        found, _ = await self._stored(list(sent))
        return {one: now for one, now in found.items() if now is not None and now != sent[one]}

    async def _stored(self, incidents: list[bytes]) -> tuple[Documents, Held]:
        """What is stored of them, and under which epoch: all of one moment."""
        documents, parts, epoch = await self._owner.patience(partial(self._read, incidents))
        found = zip(incidents, documents, parts, strict=True)
        return {one: _whole(document, part) for one, document, part in found}, epoch

    async def _read(self, incidents: list[bytes]) -> list[Held]:
        async with self._owner.store.redis.pipeline(transaction=True) as pipe:
            pipe.hmget(self._documents, incidents)
            pipe.hmget(self._parts, incidents)
            pipe.hmget(self._owned, "epoch", "token")
            return cast("list[Held]", await pipe.execute())

    def _delivered(self, documents: Mapping[bytes, bytes | None]) -> set[bytes]:
        """Produce and wait; the incidents that are done with."""
        done: set[bytes] = set()
        for incident, document in documents.items():
            if not self._produced(incident, document, done=done):
                break
        while self._producer.flush(FLUSH_S):
            pass
        return done

    def _produced(self, incident: bytes, document: bytes | None, *, done: set[bytes]) -> bool:
        """Hand over a document; False where the ones after it have to wait."""

        def answered(error: KafkaError | None, _: object) -> None:
            if error is None:
                done.add(incident)
            elif error.code() in _HOPELESS:
                self._give_up(incident, size=len(document or b""))
                done.add(incident)

        try:
            self._producer.produce(self._topic, document, incident, on_delivery=answered)
        except BufferError:
            return False
        except KafkaException as refused:
            answered(refused.args[0], None)
            return incident in done
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


def _whole(document: bytes | None, part: bytes | None) -> bytes | None:
    """With what is kept besides, unless Kafka would take neither."""
    room = document is not None and part is not None and len(document) + len(part) < MOST_BYTES
    return with_kept(document, part) if room and document is not None and part is not None else document


def incident_producer(settings: Settings) -> Producer:
    """A producer that keeps the order of documents and never sends one twice by itself."""
    how = {
        "client.id": "driftline-incidents",
        "enable.idempotence": True,
        "linger.ms": 0,
        "message.timeout.ms": 10_000,
    }
    return Producer(kafka_options(settings, **how))
