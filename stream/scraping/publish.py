"""Sends records to Kafka and says when the broker has them: each once, in order, however long the broker is away.

A record is not given up: the producer is idempotent and its messages do not time out, so there is never a doubt whether to send one
again.  One that Kafka refuses outright is sent again after a pause.  (Only after an error that ends the producer itself may the few
records under way come twice.)  How much is under way is bounded; what more there is to say waits as sums, which take no
room (:mod:`stream.scraping.waiting`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from schemas.settings import Settings
from stream.kafka_client import kafka_options
from stream.scraping.batches import Record

log = logging.getLogger(__name__)

Hear = Callable[[KafkaError], None]

AGAIN_AFTER_S = 1.0
MOST_UNDER_WAY = 64
_POLL_S = 0.1


def scrape_producer(settings: Settings, hear: Hear) -> Producer:
    """A producer that never sends twice and never gives up; ``hear`` is told of what concerns no single record."""
    how: dict[str, Any] = {
        "client.id": "driftline-scrape",
        "enable.idempotence": True,
        "linger.ms": 20,
        "compression.type": "gzip",
        "message.max.bytes": 1_100_000,
        "message.timeout.ms": 0,
        "reconnect.backoff.max.ms": 2_000,
        "error_cb": hear,
    }
    return Producer(kafka_options(settings, **how))


class Publisher:
    """``run`` beside it hears what became of the records."""

    def __init__(self, topic: str, made: Callable[[Hear], Producer]) -> None:
        self._topic, self._made, self._producer = topic, made, made(self.hear)
        self._room = asyncio.Semaphore(MOST_UNDER_WAY)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kafka")
        self._said = ""
        self.under_way = 0

    async def run(self) -> None:
        """Hear of deliveries until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await loop.run_in_executor(self._thread, self._producer.poll, _POLL_S)

    def hear(self, error: KafkaError) -> None:
        """What Kafka's client says of no single record: only that no broker answers is worth a word."""
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._say("no broker answers")

    async def publish(self, records: Iterable[Record]) -> None:
        """Return once the broker has all of them."""
        await asyncio.gather(*map(self._send, records))

    def close(self) -> None:
        """Give up what is still under way."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._producer.purge()
        self._producer.flush(0)

    async def _send(self, record: Record) -> None:
        async with self._room:
            self.under_way += 1
            try:
                while (error := await self._tried(record)) is not None:
                    self._note(error)
                    await asyncio.sleep(AGAIN_AFTER_S)
                self._said = ""
            finally:
                self.under_way -= 1

    async def _tried(self, record: Record) -> KafkaError | str | None:
        loop = asyncio.get_running_loop()
        fate: asyncio.Future[KafkaError | None] = loop.create_future()

        def delivered(error: KafkaError | None, message: Any) -> None:
            loop.call_soon_threadsafe(_settle, fate, error)

        try:
            self._producer.produce(self._topic, record.value, record.key, on_delivery=delivered)
        except BufferError:
            return "the local queue is full"
        except KafkaException as refused:
            return refused.args[0]  # type: ignore[no-any-return]
        return await fate

    def _note(self, error: KafkaError | str) -> None:
        if isinstance(error, KafkaError) and error.fatal():
            self._renew()
        self._say(error.str() if isinstance(error, KafkaError) else error)

    def _say(self, why: str) -> None:
        """Once, until a record was taken."""
        if why != self._said:
            log.error("requests wait to be published: %s", why)
            self._said = why

    def _renew(self) -> None:
        """A producer that lost its place can send nothing more; what it had is heard of as failed."""
        log.warning("a new producer: records under way are sent again, and those that Kafka has already come twice")
        lost, self._producer = self._producer, self._made(self.hear)
        lost.purge()
        lost.flush(_POLL_S)


def _settle(fate: asyncio.Future[KafkaError | None], error: KafkaError | None) -> None:
    if not fate.done():
        fate.set_result(error)
