"""Sends what evaluation concluded from the outboxes in Redis to Kafka, in order, and removes what the broker has.

At least once: a worker that ends in between sends again, and the readers recognise repeats by id.  Findings go to partition 0
whatever the topic has, for one owner reads them, and before the reports that were concluded with them.  Each model has one batch
a round, so one that has much to say keeps no other waiting.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException, Producer
from redis.asyncio import Redis

from schemas.names import Names
from schemas.settings import Settings
from stream.evaluate.storing.commit import FINDINGS
from stream.evaluate.storing.lanes import LANES
from stream.evaluate.storing.tally import EvaluationTally
from stream.kafka_client import kafka_options
from stream.state.patience import Patience

log = logging.getLogger(__name__)

#: Id and fields.
Entry = tuple[bytes, Mapping[bytes, bytes]]
AT_ONCE = 200
WAKE_S = 0.5
_FLUSH_S = 0.25
ANY_PARTITION = -1
#: Of one message, before it is compressed.
LARGEST_BYTES = 64 * 1024 * 1024
#: What no second try will change: such a message is dropped, and said so.
_HOPELESS = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE})


@dataclass(slots=True, eq=False)
class _Sent:
    """Messages under way; ``failed`` is set where one must be sent again, ``hopeless`` says why one never will be."""

    left: int = 0
    failed: set[str] = field(default_factory=set)
    hopeless: list[str] = field(default_factory=list)


class Relay:
    """``wake`` says that models have something to send; ``run_once`` sends it, at most once in ``gather_s``."""

    def __init__(
        self,
        redis: Redis,
        names: Names,
        producer: Producer,
        *,
        patience: Patience,
        tally: EvaluationTally,
        gather_s: float = 0.0,
    ) -> None:
        self._redis, self._names, self._producer, self._patiently = redis, names, producer, patience
        self._tally, self._gather_s, self._next_at = tally, gather_s, 0.0
        self._waiting: dict[str, None] = {}
        self._woken = asyncio.Event()
        self._said = ""
        self._given_up: set[str] = set()

    def wake(self, models: Iterable[str]) -> None:
        """These models' outboxes may hold something."""
        self._waiting |= dict.fromkeys(models)
        if self._waiting:
            self._woken.set()

    def forget(self, models: Iterable[str]) -> None:
        """These models' outboxes are another worker's now."""
        for model in models:
            self._waiting.pop(model, None)

    async def run_once(self) -> None:
        """Send a batch of each model that waits, or wait a while for something."""
        try:
            await asyncio.wait_for(self._woken.wait(), WAKE_S)
        except TimeoutError:
            return
        await asyncio.sleep(max(0.0, self._next_at - time.monotonic()))
        self._next_at = time.monotonic() + self._gather_s
        self._woken.clear()
        waiting, self._waiting = list(self._waiting), {}
        taken = True
        for first in range(0, len(waiting), LANES):
            taken &= all(await asyncio.gather(*map(self._send_some, waiting[first : first + LANES])))
        if self._waiting:
            self._woken.set()
        if not taken:
            await asyncio.sleep(WAKE_S)

    async def _send_some(self, model: str) -> bool:
        """Send one batch; False where the broker did not take it.  What is left waits for the next round.

        It waits no more before it is looked at: what is stored after its outbox was read wakes it again.
        """
        key = self._names.outbox(model)
        entries = cast("list[Entry]", await self._patiently(partial(self._redis.xrange, key, count=AT_ONCE)))
        if not entries:
            return True
        sent = await self._send(entries)
        if sent.failed or len(entries) == AT_ONCE:
            self._waiting[model], self._next_at = None, 0.0
        if not sent.failed:
            await self._patiently(partial(self._redis.xdel, key, *(entry for entry, _ in entries)))
            self._count(model, sent, messages=len(entries))
        return not sent.failed

    def _count(self, model: str, sent: _Sent, *, messages: int) -> None:
        """The broker has a batch, but for what it will never take: that is said once a model."""
        self._tally.relayed += messages - len(sent.hopeless)
        self._tally.given_up += len(sent.hopeless)
        if sent.hopeless and model not in self._given_up:
            self._given_up.add(model)
            log.error("messages of model %r are given up, further ones are only counted: %s", model, sent.hopeless[0])

    async def _send(self, entries: Sequence[Entry]) -> _Sent:
        """What became of them."""
        sent = _Sent()
        for _, fields in sorted(entries, key=_is_report):
            self._produce(fields, sent)
        while sent.left:
            await asyncio.to_thread(self._producer.flush, _FLUSH_S)
        for why in sent.failed - {self._said}:
            log.error("findings and reports wait in Redis: %s", why)
            self._said = why
        return sent

    def _produce(self, fields: Mapping[bytes, bytes], sent: _Sent) -> None:
        topic = fields[b"topic"].decode()

        def delivered(error: KafkaError | None, message: Any) -> None:
            sent.left -= 1
            if error is None:
                return
            if error.code() in _HOPELESS:
                sent.hopeless.append(f"one for {topic}: {error}")
            else:
                sent.failed.add(str(error))

        partition = 0 if topic == FINDINGS else ANY_PARTITION
        sent.left += 1
        try:
            self._producer.produce(
                self._names.topic(topic), fields[b"value"], fields[b"key"], partition, on_delivery=delivered
            )  # fmt: skip
        except BufferError:
            sent.left -= 1
            sent.failed.add("the local queue is full")
        except KafkaException as refused:
            delivered(refused.args[0], None)


def _is_report(entry: Entry) -> bool:
    return entry[1][b"topic"] != FINDINGS.encode()


def relay_producer(settings: Settings) -> Producer:
    """A producer that keeps the order, also over its own retries.

    A report has some 300 to 500 bytes a feature, and no end: it is whole or it is worth nothing, so it is sent compressed and
    its topic takes large records (:mod:`stream.evaluate.own_topics`).  gzip is what every client of Kafka can read.
    """
    how = {
        "client.id": "driftline-findings",
        "enable.idempotence": True,
        "linger.ms": 5,
        "compression.type": "gzip",
        "message.max.bytes": LARGEST_BYTES,
        "message.timeout.ms": 30_000,
    }
    return Producer(kafka_options(settings, **how))
