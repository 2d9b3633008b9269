"""A driftline deployment under test: worker processes on a given Kafka and Redis, events sent, stored offsets watched."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, cast

import redis
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from schemas.names import TOPICS_IN, Names
from schemas.settings import PREFIX, Settings
from stream.kafka_client import kafka_options
from stream.redis_client import blocking_client
from tests.support.process import Process

PARTITIONS = 4
#: A worker that reads the series of its models from Redis every second, and not every 5 s.
QUICK = "from stream.expose import models; models.REREAD_S = 1.0; from stream.command.main import main; main()"


class Pace:
    """At most so many a second (0: as many as there are), until told to hurry."""

    def __init__(self, rate: int) -> None:
        self._rate, self._started, self._hurries = rate, time.monotonic(), Event()

    def keep(self, number: int) -> None:
        """Return when so many are due."""
        if self._rate:
            self._hurries.wait(max(0.0, number / self._rate - (time.monotonic() - self._started)))

    def hurry(self) -> None:
        """Whatever is left is due."""
        self._hurries.set()


AT_ONCE = Pace(0)


@dataclass(slots=True)
class Deployment:
    """One environment of driftline; ``sent`` counts the records of each topic and partition.

    ``more`` are further variables of its processes, ``program`` is what Python is told to run, before the command.
    """

    kafka: str
    redis_url: str
    environment: str
    folder: Path
    more: dict[str, str] = field(default_factory=dict)
    workers: list[Process] = field(default_factory=list)
    sent: dict[tuple[str, int], int] = field(default_factory=dict)
    program: tuple[str, str] = ("-m", "stream.command.main")

    @property
    def settings(self) -> Settings:
        more: dict[str, Any] = {name.removeprefix(PREFIX).lower(): value for name, value in self.more.items()}
        return Settings(kafka=self.kafka, redis=self.redis_url, environment=self.environment, **more)

    @property
    def names(self) -> Names:
        return Names(self.environment)

    @property
    def variables(self) -> dict[str, str]:
        """The environment of every driftline process of this deployment."""
        return {
            "DRIFTLINE_KAFKA": self.kafka,
            "DRIFTLINE_REDIS": self.redis_url,
            "DRIFTLINE_ENVIRONMENT": self.environment,
            "DRIFTLINE_SESSION_TIMEOUT_S": "6",
            **self.more,
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]),
        }

    def create_topics(self) -> None:
        """Make the topics that workers read; one that appears under a running worker is seen by it within ten seconds only."""
        topics = [NewTopic(self.names.topic(stream), PARTITIONS) for stream in (*TOPICS_IN, "dead-letters")]
        admin = AdminClient(kafka_options(self.settings))
        for made in admin.create_topics(topics).values():
            made.result()

    def start_worker(self, **settings: str) -> Process:
        """Start a worker; its log is ``worker-N.log`` in the folder."""
        return self._start("worker", settings)

    def start_evaluator(self, **settings: str) -> Process:
        """Start a process that only evaluates; its log is one of the workers'."""
        return self._start("evaluate", settings)

    def _start(self, command: str, settings: Mapping[str, str]) -> Process:
        log = self.folder / f"worker-{len(self.workers)}.log"
        environment = {**self.variables, **{f"DRIFTLINE_{name.upper()}": value for name, value in settings.items()}}
        worker = Process([sys.executable, *self.program, command], log=log, env=environment)
        self.workers.append(worker)
        return worker

    def stop(self) -> None:
        """End every worker."""
        for worker in self.workers:
            worker.stop(timeout_s=10)

    def producer(self) -> Producer:
        """A producer for this deployment's broker."""
        how = {
            "linger.ms": 20,
            "queue.buffering.max.messages": 1_000_000,
            "enable.idempotence": True,  # a broker that stalls must not make the generator send twice
        }
        return Producer(kafka_options(self.settings, **how))

    def send(self, records: Iterable[bytes | None], *, stream: str = "predictions", pace: Pace = AT_ONCE) -> None:
        """Produce the records round-robin over the partitions, in this pace, and wait for the broker."""
        producer, topic = self.producer(), self.names.topic(stream)
        for number, value in enumerate(records):
            partition = number % PARTITIONS
            producer.produce(topic, value, partition=partition)
            self.sent[(stream, partition)] = self.sent.get((stream, partition), 0) + 1
            if number % 500 == 499:
                producer.poll(0)
                pace.keep(number + 1)
        assert producer.flush(30) == 0

    @contextmanager
    def sending(self, records: Iterable[bytes | None], *, rate: int) -> Iterator[None]:
        """Send in the background while the block runs; what is left at its end is sent at once."""
        pace = Pace(rate)
        with ThreadPoolExecutor(1) as pool:
            sent = pool.submit(self.send, records, pace=pace)
            try:
                yield
            finally:
                pace.hurry()
            sent.result()

    def redis(self) -> redis.Redis:
        """A client of this deployment's Redis."""
        return blocking_client(self.settings, answers_within_s=10.0)

    def owners(self, *, stream: str = "predictions") -> dict[int, int]:
        """Partition to the process id of the worker that took it last."""
        client = self.redis()
        found = cast("dict[bytes, bytes]", client.hgetall(self.names.partitions(stream)))
        client.close()
        return {int(partition): int(owner.rsplit(b":", 1)[1]) for partition, owner in found.items()}

    def wait_until_shared(self, *workers: Process) -> None:
        """Wait until exactly these workers hold all partitions, each at least one."""
        pids = {worker.pid for worker in workers}
        self.wait_until(lambda: len(self.owners()) == PARTITIONS and set(self.owners().values()) == pids)

    def stored(self) -> dict[tuple[str, int], int]:
        """The stored next offset of every partition that was sent to."""
        client = self.redis()
        keys = {place: self.names.offset(*place) for place in self.sent}
        found = {place: int(client.hget(key, "next") or 0) for place, key in keys.items()}
        client.close()
        return found

    def wait_until_stored(self, *, timeout_s: float = 90.0) -> None:
        """Wait until everything sent is counted and stored."""
        self.wait_until(lambda: self.stored() == self.sent, timeout_s=timeout_s)

    def wait_until(self, reached: Callable[[], bool], *, timeout_s: float = 60.0) -> None:
        """Wait for a condition; a time-out tells what is stored and how the workers' logs end."""
        end = time.monotonic() + timeout_s
        while not reached():
            if time.monotonic() > end:
                raise AssertionError(f"stored {self.stored()} of {self.sent}\n{self.logs()}")
            time.sleep(0.1)

    def logs(self) -> str:
        """The last lines of every worker's log."""
        return "\n".join(f"worker {n}:\n{worker.last_lines()}" for n, worker in enumerate(self.workers))
