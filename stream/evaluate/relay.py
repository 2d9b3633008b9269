"""Sends what evaluation concluded from the outboxes in Redis to Kafka, in order, and removes what the broker has.

At least once: a worker that ends in between sends again, and the readers recognise repeats by id.  Findings go to partition 0
whatever the topic has, for one owner reads them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException, Producer
from redis.asyncio import Redis

from schemas.names import Names
from stream.evaluate.commit import FINDINGS
from stream.evaluate.lanes import LANES
from stream.evaluate.tally import EvaluationTally
from stream.state.patience import Patience

log = logging.getLogger(__name__)

#: Id and fields.
Entry = tuple[bytes, Mapping[bytes, bytes]]
AT_ONCE = 200
WAKE_S = 0.5
_FLUSH_S = 0.25
ANY_PARTITION = -1
#: What no second try will change: such a message is dropped, and said so.
_HOPELESS = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE})


@dataclass(slots=True, eq=False)
class _Sent:
    """Messages under way; ``failed`` is set where one must be sent again."""

    left: int = 0
    failed: set[str] = field(default_factory=set)


class Relay:
    """``wake`` says that models have something to send; ``run_once`` sends it."""

    def __init__(
        self, redis: Redis, names: Names, producer: Producer, *, patience: Patience, tally: EvaluationTally
    ) -> None:
        self._redis, self._names, self._producer, self._patiently = redis, names, producer, patience
        self._tally = tally
        self._waiting: dict[str, None] = {}
        self._woken = asyncio.Event()
        self._said = ""

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
        """Send what is waiting, or wait a while for something."""
        try:
            await asyncio.wait_for(self._woken.wait(), WAKE_S)
        except TimeoutError:
            return
        self._woken.clear()
        waiting, self._waiting = list(self._waiting), {}
        for first in range(0, len(waiting), LANES):
            await asyncio.gather(*map(self._empty, waiting[first : first + LANES]))
        if self._waiting:
            self._woken.set()
            await asyncio.sleep(WAKE_S)

    async def _empty(self, model: str) -> None:
        # It waits no more before it is looked at: what is stored while its outbox is found empty wakes it again.
        if not await self._send_all(model):
            self._waiting[model] = None

    async def _send_all(self, model: str) -> bool:
        """Whether the outbox was emptied."""
        key = self._names.outbox(model)
        while True:
            entries = cast("list[Entry]", await self._patiently(partial(self._redis.xrange, key, count=AT_ONCE)))
            if not entries:
                return True
            if not await self._send(entries):
                return False
            ids = [entry for entry, _ in entries]
            await self._patiently(partial(self._redis.xdel, key, *ids))
            self._tally.relayed += len(entries)

    async def _send(self, entries: list[Entry]) -> bool:
        """Whether the broker has all of them."""
        sent = _Sent()
        for _, fields in entries:
            self._produce(fields, sent)
        while sent.left:
            await asyncio.to_thread(self._producer.flush, _FLUSH_S)
        for why in sent.failed - {self._said}:
            log.error("findings and reports wait in Redis: %s", why)
            self._said = why
        return not sent.failed

    def _produce(self, fields: Mapping[bytes, bytes], sent: _Sent) -> None:
        topic = fields[b"topic"].decode()

        def delivered(error: KafkaError | None, message: Any) -> None:
            sent.left -= 1
            if error is None:
                return
            if error.code() in _HOPELESS:
                log.error("a message for %s is given up: %s", topic, error)
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


def relay_producer(bootstrap: str) -> Producer:
    """A producer that keeps the order, also over its own retries."""
    settings = {
        "bootstrap.servers": bootstrap,
        "client.id": "driftline-findings",
        "enable.idempotence": True,
        "linger.ms": 5,
        "message.timeout.ms": 30_000,
        "log_level": 0,
    }
    return Producer(settings)
