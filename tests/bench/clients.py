"""One client of Kafka reads a topic to its end and prints what that took: CPU of all threads of this process, per record.

``aiokafka`` makes its own records, ``batches`` finds them as the worker does (``stream/unpacking.py``), ``librdkafka`` is
confluent-kafka's batch consumer; all three check the checksums.  Of each record the value, the offset and the
time are at hand in the end; two thousand at once, as the worker asks for them.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, TopicPartition
from confluent_kafka import Consumer
from confluent_kafka import TopicPartition as Place

from stream import unpacking
from stream.compiled import batches as compiled

RUN = 2_000
PARTITIONS = 8
#: Runs that are alive at once: a block and what waits behind it.
ALIVE = 4


class Tally:
    """CPU from the first records to the last."""

    def __init__(self, events: int) -> None:
        self.left, self._alive = events, list[object]()
        self._began, self._counted = 0.0, 0

    def take(self, found: object, count: int) -> None:
        self.left -= count
        if self._began:
            self._counted += count
        self._began = self._began or time.process_time()
        self._alive = [*self._alive[-ALIVE:], found]

    def __str__(self) -> str:
        return f"{(time.process_time() - self._began) / self._counted * 1e6:.2f}"


async def aiokafka(kafka: str, topic: str, tally: Tally) -> None:
    """What it makes by itself, or what stands in its place."""
    places = [TopicPartition(topic, at) for at in range(PARTITIONS)]
    how = {"enable_auto_commit": False, "isolation_level": "read_committed", "fetch_max_wait_ms": 100}
    async with AIOKafkaConsumer(bootstrap_servers=kafka, **how) as consumer:
        consumer.assign(places)
        for place in places:
            consumer.seek(place, 0)
        while tally.left > 0:
            found = await consumer.getmany(timeout_ms=1_000, max_records=RUN)
            tally.take(found, sum(map(len, found.values())))


async def batches(kafka: str, topic: str, tally: Tally) -> None:
    """As the worker reads."""
    unpacking.install()
    compiled.example()
    await aiokafka(kafka, topic, tally)


async def librdkafka(kafka: str, topic: str, tally: Tally) -> None:
    """The batch consumer."""
    how = {"group.id": "bench", "enable.auto.commit": False, "isolation.level": "read_committed", "check.crcs": True}
    consumer = Consumer({"bootstrap.servers": kafka, "queued.max.messages.kbytes": 8_192, **how})
    consumer.assign([Place(topic, at, 0) for at in range(PARTITIONS)])
    while tally.left > 0:
        found = consumer.consume(RUN, timeout=1.0)
        taken = [(one.partition(), one.offset(), one.timestamp()[1], one.value()) for one in found]
        tally.take(taken, len(taken))
    consumer.close()


CLIENTS: tuple[Callable[..., object], ...] = (aiokafka, batches, librdkafka)


def main(client: str, kafka: str, topic: str, events: str) -> None:
    """Read, and print µs a record."""
    gc.disable()  # as in a worker
    tally = Tally(int(events))
    asyncio.run({one.__name__: one for one in CLIENTS}[client](kafka, topic, tally))  # type: ignore[arg-type]
    print(tally)


if __name__ == "__main__":
    main(*sys.argv[1:])
