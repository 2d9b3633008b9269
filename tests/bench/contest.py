"""One contender after another on one Kafka and Redis: fill a topic, start the worker on it, watch it to the end.

Every contender has an environment and a topic of its own, filled before it starts, so that it is never short of events.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from redis.asyncio import Redis

from schemas.names import Names
from stream.state.applying import apply_monitors
from stream.state.reading import read_counts
from tests.bench.events import SPAN_MS, START_MS, Flow
from tests.bench.sampling import Figures, Watched
from tests.bench.tally import COUNT_BYTES, COUNT_FILE
from tests.support.process import Process

ROOT = Path(__file__).parents[2]
DRIFTLINE = ("stream.command.main", "worker")

#: What is under way (contender, activity), how many events of it are done, how many there are.
Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Contender:
    """A worker (the module that is run, and its arguments) and the events it is given."""

    name: str
    worker: tuple[str, ...]
    flow: Flow


def contenders(*, stock: int, transport: int, driftline: int) -> tuple[Contender, ...]:
    """The five, each with so many events: their speeds differ by ten, and each should run for some seconds."""
    return (
        Contender("stock_faust_counting", ("tests.bench.stock_faust",), Flow(20, 8, stock)),
        Contender("transport_counting", ("tests.bench.transport_only",), Flow(20, 8, transport)),
        Contender("driftline_1", DRIFTLINE, Flow(1, 8, driftline)),
        Contender("driftline_20", DRIFTLINE, Flow(20, 8, driftline)),
        Contender("driftline_200", DRIFTLINE, Flow(200, 64, driftline)),
    )


@dataclass(frozen=True, slots=True)
class Stage:
    """The services, a folder for logs, and whom to tell of progress."""

    kafka: str
    redis_url: str
    folder: Path
    tell: Told

    def measure(self, contender: Contender) -> Figures:
        """Run one contender over all of its events."""
        run = Run(self, contender, Names(f"bench-{uuid.uuid4().hex[:8]}"))
        with run.filled_topic():
            return run.storing() if contender.worker == DRIFTLINE else run.counting()


@dataclass(frozen=True, slots=True)
class Run:
    """One contender in an environment of its own."""

    stage: Stage
    contender: Contender
    names: Names

    def counting(self) -> Figures:
        """Run a worker that leaves its count in a file."""
        file = self.stage.folder / f"{self.names.environment}.count"
        file.write_bytes(bytes(COUNT_BYTES))
        return self._watch(lambda: int.from_bytes(file.read_bytes(), "little"), **{COUNT_FILE: str(file)})

    def storing(self) -> Figures:
        """Put the models into force and run a worker; its progress is what it has stored."""
        asyncio.run(self._apply())
        with redis.Redis.from_url(self.stage.redis_url) as client:
            found = self._watch(lambda: self._stored(client))
        counted = asyncio.run(self._counted())
        assert counted == found.events, f"{counted} events in the panes, {found.events} by the offsets"
        return found

    def _watch(self, processed: Callable[[], int], **variables: str) -> Figures:
        process = self._start(variables)
        try:
            return Watched(process, processed).until(self.contender.flow.events, told=self._told("processed"))
        finally:
            process.stop(timeout_s=10)

    def _start(self, variables: dict[str, str]) -> Process:
        log = self.stage.folder / f"{self.contender.name}.log"
        found = {
            "DRIFTLINE_KAFKA": self.stage.kafka,
            "DRIFTLINE_REDIS": self.stage.redis_url,
            "DRIFTLINE_ENVIRONMENT": self.names.environment,
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        }
        command = [sys.executable, "-m", *self.contender.worker]
        return Process(command, log=log, env=found | variables)

    def _told(self, activity: str) -> Callable[[int], None]:
        flow, what = self.contender.flow, f"{self.contender.name}: {activity}"
        return lambda done: self.stage.tell(what, done, flow.events)

    # -- Kafka

    @contextmanager
    def filled_topic(self) -> Iterator[None]:
        """The topic with all events in it; deleted in the end, because a bench writes gigabytes."""
        topic, admin = self.names.topic("predictions"), AdminClient({"bootstrap.servers": self.stage.kafka})
        admin.create_topics([NewTopic(topic, self.contender.flow.partitions, 1)])[topic].result(30)
        try:
            self._fill(topic)
            yield
        finally:
            admin.delete_topics([topic])[topic].result(30)

    def _fill(self, topic: str) -> None:
        producer, told = _producer(self.stage.kafka), self._told("sent")
        for at, (partition, key, value) in enumerate(self.contender.flow.records(), start=1):
            _produce(producer, topic, value, key=key, partition=partition)
            if at % 1_000 == 0:
                producer.poll(0)
                told(at)
        left = producer.flush(120)
        assert left == 0, f"{left} events did not reach Kafka"

    # -- Redis

    async def _apply(self) -> None:
        flow = self.contender.flow
        async with Redis.from_url(self.stage.redis_url) as client:
            await apply_monitors(
                client, self.names, flow.monitors(), references=flow.references(), now_ms=int(time.time() * 1000)
            )

    def _stored(self, client: redis.Redis) -> int:
        """Stored offsets begin at 0 and every record is one event, so their sum is the number of events."""
        pipe = client.pipeline(transaction=False)
        for partition in range(self.contender.flow.partitions):
            pipe.hget(self.names.offset("predictions", partition), "next")
        return sum(int(found or 0) for found in pipe.execute())

    async def _counted(self) -> int:
        """Events in the stored panes of all models."""
        async with Redis.from_url(self.stage.redis_url) as client:
            found = [
                await read_counts(client, self.names, model=model, from_ms=START_MS, to_ms=START_MS + SPAN_MS)
                for model in self.contender.flow.names()
            ]
        return sum(int(one["events"]) for one in found)


def _producer(kafka: str) -> Producer:
    """Idempotent: on a busy machine the broker answers late, and a batch sent again would be events too many."""
    settings = {"linger.ms": 20, "queue.buffering.max.messages": 200_000, "enable.idempotence": True}
    return Producer({"bootstrap.servers": kafka, **settings})


def _produce(producer: Producer, topic: str, value: bytes, *, key: bytes, partition: int) -> None:
    while True:
        try:
            producer.produce(topic, value, key=key, partition=partition)
        except BufferError:
            producer.poll(0.05)
        else:
            return
