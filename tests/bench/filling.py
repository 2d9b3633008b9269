"""Filling a topic of one contender; and a sender at a steady rate, as a process of its own."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from schemas.names import TOPICS_IN, Names
from tests.bench.columnar import Columnar
from tests.bench.events import DISTINCT, Flow, table

TICK_S = 0.01


@contextmanager
def topics_of(kafka: str, names: Names, *, partitions: int) -> Iterator[None]:
    """All that a worker reads, deleted in the end: a bench writes gigabytes.

    Those that stay empty, too: one that appears while the worker runs has it take all of its partitions anew.
    """
    admin, topics = AdminClient({"bootstrap.servers": kafka}), [names.topic(stream) for stream in TOPICS_IN]
    for made in admin.create_topics([NewTopic(topic, partitions, 1) for topic in topics]).values():
        made.result(30)
    try:
        yield
    finally:
        for deleted in admin.delete_topics(topics).values():
            deleted.result(30)


def fill(kafka: str, topic: str, flow: Flow | Columnar, *, told: Callable[[int], None]) -> None:
    """Send all of a flow's records, and wait for the broker."""
    producer = producer_of(kafka)
    for at, (partition, key, value) in enumerate(flow.records(), start=1):
        produce(producer, topic, value, key=key, partition=partition)
        if at % 1_000 == 0:
            producer.poll(0)
            told(at * flow.rows_a_record)
    left = producer.flush(120)
    assert left == 0, f"{left} records did not reach Kafka"


def producer_of(kafka: str) -> Producer:
    """Idempotent: on a busy machine the broker answers late, and a batch sent again would be events too many."""
    settings = {"linger.ms": 20, "queue.buffering.max.messages": 200_000, "enable.idempotence": True}
    return Producer({"bootstrap.servers": kafka, **settings})


def produce(producer: Producer, topic: str, value: bytes, *, key: bytes, partition: int) -> None:
    """Hand a record over, waiting where the producer's queue is full."""
    while True:
        try:
            producer.produce(topic, value, key=key, partition=partition)
        except BufferError:
            producer.poll(0.05)
        else:
            return


@dataclass(frozen=True, slots=True)
class Steady:
    """The events of a flow, ``rate`` a second from the start on, each stamped with the time at which it is sent."""

    kafka: str
    topic: str
    rate: int
    models: int
    partitions: int
    events: int

    def send(self) -> None:
        """Send them all; what falls behind is made up for."""
        bodies, producer, flow = table(DISTINCT, seed=2).bodies(), producer_of(self.kafka), self.flow()
        sent, began = 0, time.time()
        while sent < self.events:
            now = time.time()
            for at in range(sent, min(self.events, int((now - began) * self.rate))):
                partition, key, value = flow.record(at, int(now * 1000), bodies)
                produce(producer, self.topic, value, key=key, partition=partition)
                sent = at + 1
            producer.poll(0)
            time.sleep(TICK_S)
        assert producer.flush(60) == 0

    def flow(self) -> Flow:
        return Flow(self.models, self.partitions, self.events)

    def written(self, file: Path) -> Path:
        """As a file for the process."""
        file.write_text(json.dumps(asdict(self)))
        return file


if __name__ == "__main__":
    Steady(**json.loads(Path(sys.argv[1]).read_text())).send()
