"""Evaluation in a process of its own: what a worker told to leave evaluation elsewhere does not do, and nothing else.

It reads nothing from Kafka: what was counted and how far is in Redis, and shards of models are shared out by the same leases, so
such processes and workers that evaluate take over from each other.  Counting then has a core of its own: a replay, in which
many panes close in a second, is not slowed by what they are worth.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from mode import Service
from prometheus_client import CollectorRegistry, ProcessCollector

from schemas.names import Names, Stream
from schemas.settings import Settings
from stream.collector import LOOK_EVERY_S, Collector, spare_the_collector
from stream.evaluate.own_topics import ensure_topics
from stream.evaluate.service import Evaluation, evaluation
from stream.expose.evaluating import Evaluating
from stream.expose.models import READ_EVERY_S, ModelExporter
from stream.expose.server import Server
from stream.kafka_client import asking_client
from stream.redis_client import worker_client
from stream.start import wait_for_services
from stream.state.clock import claim
from stream.state.patience import Patience
from stream.tasks import LeavesInTime, Periodic, before_leaving, ended, every

log = logging.getLogger(__name__)

REDIS_ANSWERS_WITHIN_S = 5.0
KAFKA_ANSWERS_WITHIN_S = 10.0
TOPICS_S = 5.0
LAST_WORDS_S = 1.0


class Counted:
    """How many partitions each topic has, as Kafka last said; None of one that it did not know."""

    def __init__(self, admin: AdminClient, names: Names) -> None:
        self._admin, self._names, self._counts = admin, names, dict[str, int]()

    def __call__(self, stream: Stream) -> int | None:
        return self._counts.get(self._names.topic(stream))

    async def run_once(self) -> None:
        """Ask again; what was known stays where Kafka does not answer."""
        try:
            found = await asyncio.to_thread(self._admin.list_topics, timeout=KAFKA_ANSWERS_WITHIN_S)
        except KafkaException as error:
            log.warning("Kafka does not say how many partitions there are: %s", error)
            return
        self._counts = {name: len(topic.partitions) for name, topic in found.topics.items() if not topic.error}


@dataclass(frozen=True, eq=False, slots=True)
class Apart:
    """Everything that such a process is made of."""

    evaluation: Evaluation
    counted: Counted
    exporter: ModelExporter
    shown: Evaluating
    registry: CollectorRegistry

    def tasks(self, settings: Settings) -> list[Periodic]:
        """What it does again and again."""
        return [
            Periodic("topics", TOPICS_S, self.counted.run_once),
            *self.evaluation.tasks(settings),
            Periodic("exporting", READ_EVERY_S, self.exporter.run_once),
            Periodic("collecting", LOOK_EVERY_S, Collector().run_once),
        ]


class Evaluators(Service):
    """Runs the tasks as long as the process lives, and gives the leases back at its end."""

    def __init__(self, apart: Apart, settings: Settings, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._apart, self._settings = apart, settings

    async def on_started(self) -> None:
        """Begin."""
        await self._apart.counted.run_once()
        for periodic in self._apart.tasks(self._settings):
            self.add_future(every(self, periodic))

    async def on_stop(self) -> None:
        """Others need not wait until the leases run out."""
        await before_leaving(self._apart.evaluation.evaluator.leave(), within_s=LAST_WORDS_S)


def apart(settings: Settings) -> Apart:
    """Build it; nothing is started."""
    redis, patience = worker_client(settings, answers_within_s=REDIS_ANSWERS_WITHIN_S), Patience()
    counted = Counted(asking_client(settings), settings.names)
    who = f"{socket.gethostname()}:{os.getpid()}"
    evaluated = evaluation(settings, redis, worker=who, partitions=counted, patience=patience)
    registry = CollectorRegistry()
    exporter = ModelExporter(redis, settings.names, evaluated.evaluator.held, patience=patience)
    registry.register(exporter)
    # Its series may be shown by a worker beside its own, which are called ``process_…``.
    ProcessCollector(namespace="driftline_evaluator", registry=registry)
    return Apart(evaluated, counted, exporter, Evaluating(registry, evaluated.tally, patience), registry)


def run(settings: Settings) -> int:
    """Evaluate until told to stop; the exit code."""
    wait_for_services(settings, check=lambda redis: claim(redis, settings.names, settings.clock))
    ensure_topics(settings)
    built = apart(settings)
    spare_the_collector()
    server = Server("evaluator", built.registry, settings, sampler=built.shown)
    worker = LeavesInTime(
        Evaluators(built, settings),
        server,
        loglevel=settings.log_level,
        quiet=False,
        daemon=True,
        redirect_stdouts=False,
    )
    return ended(worker)
