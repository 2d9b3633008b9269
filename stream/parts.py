"""The parts of a worker, built from its settings and joined; nothing is started here."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from schemas.config import Generation
from schemas.reference import Reference
from schemas.settings import Settings
from stream.evaluate.service import Evaluation, evaluation
from stream.expose.configured import ConfiguredModels
from stream.expose.metrics import WorkerMetrics
from stream.expose.models import ModelExporter
from stream.expose.sampling import Sampler
from stream.expose.service_metrics import EvaluationMetrics
from stream.incidents.wiring import Incidents, incidents_of
from stream.ingest.behind import Queue
from stream.ingest.beside import Beside, beside
from stream.ingest.buffer import Rejection
from stream.ingest.capped import Cap, of_plans
from stream.ingest.ceiling import Ceiling
from stream.ingest.checkpoint import Checkpointer
from stream.ingest.counter import Counter
from stream.ingest.dead_letters import DeadLetters
from stream.ingest.follow import Follower, Newer
from stream.ingest.intake import Intake
from stream.ingest.newest import FeatureUpdates
from stream.ingest.ownership import Claim, Ownership
from stream.ingest.pacing import Pacer
from stream.ingest.plan import no_plan
from stream.ingest.restore import Restorer
from stream.ingest.survey import Surveyor
from stream.kafka_client import asking_client, kafka_options
from stream.redis_client import worker_client
from stream.state.config_topic import ConfigTopic
from stream.state.generations import Stamp, read_newer
from stream.state.patience import Patience
from stream.state.store import PaneStore

DAY_MS = 86_400_000
REDIS_ANSWERS_WITHIN_S = 5.0


@dataclass(frozen=True, eq=False, slots=True)
class Parts:
    """Everything a worker is made of."""

    settings: Settings
    redis: Redis
    counter: Counter
    intake: Intake
    checkpointer: Checkpointer
    follower: Follower
    pacer: Pacer
    queue: Queue
    metrics: WorkerMetrics
    sampler: Sampler
    surveyor: Surveyor
    evaluation: Evaluation
    incidents: Incidents
    exporter: ModelExporter
    updates: FeatureUpdates
    restorer: Restorer


def parts(settings: Settings) -> Parts:
    """Build the worker's parts; nothing is started."""
    redis, patience = worker_client(settings, answers_within_s=REDIS_ANSWERS_WITHIN_S), Patience()
    store = PaneStore(redis, settings.names, keep_ms=settings.pane_keep_days * DAY_MS)
    metrics, kept = WorkerMetrics(), beside(settings, redis, patience=patience)
    counter = Counter(
        no_plan(), load=_loader(store, patience), refuse=_refuser(kept.letters, metrics), keep=kept.gpus.add,
        newest=kept.newest, skew_ms=int(settings.future_skew_s * 1000),
        ceiling=Ceiling(settings.pane_memory_mib << 20),
    )  # fmt: skip
    worker = f"{socket.gethostname()}:{os.getpid()}"
    claim = Claim(settings.names.group, settings.take_over_group, owner=worker)
    surveyor = Surveyor(asking_client(settings))
    ownership = Ownership(store, counter, claim=claim, survey=surveyor.survey, patience=patience)
    follower = Follower(counter, _newer(redis, settings, patience))
    intake = Intake(counter, ownership, patience=patience, configured=follower.followed)
    surveyor.intake = intake
    checkpointer = Checkpointer(
        store, counter, ownership, settle=kept.settle, followers=intake.followers(), patience=patience,
        at_latest_s=settings.flush_at_latest_s,
    )  # fmt: skip
    intake.checkpointer, intake.letters = checkpointer, kept.letters
    sampler, queue = Sampler(metrics, intake, follower), Queue(store, intake, follower, patience=patience)
    sampler.also.append(lambda: metrics.sample_held(intake, queue.order))
    evaluated = evaluation(settings, redis, worker=worker, partitions=intake.partitions, patience=patience)
    owned = incidents_of(
        settings, redis, patience=patience, survey=surveyor.survey, who=worker, letters=kept.letters
    )  # fmt: skip
    sampler.also.append(lambda: metrics.gpus.sample(kept.gpus.tally))
    sampler.also.append(lambda: metrics.incidents.sample(owned.tally))
    sampler.also.append(lambda: metrics.caps.sample(_capped(counter, follower, kept)))
    exporter = ModelExporter(redis, settings.names, evaluated.evaluator.held, patience=patience)
    metrics.registry.register(ConfiguredModels(lambda: follower.models if owned.tally.owning else ()))
    if settings.evaluate == "here":
        metrics.registry.register(exporter)
        judged = EvaluationMetrics(metrics.registry)
        sampler.also.append(lambda: judged.sample(evaluated.tally))
    return Parts(
        settings, redis, counter, intake, checkpointer, follower,
        Pacer(store, intake, settings, patience=patience), queue, metrics, sampler, surveyor, evaluated,
        owned, exporter, kept.updates, _restorer(settings, redis, patience),
    )  # fmt: skip


def _capped(counter: Counter, follower: Follower, kept: Beside) -> Mapping[Cap, int]:
    """What was beyond a cap so far, wherever that is counted."""
    others: Mapping[Cap, int] = {"letters": kept.letters.beyond, "gpus": kept.gpus.tally.dropped}
    return {**follower.capped + of_plans(counter.plans.values()), **others}


def _refuser(letters: DeadLetters, metrics: WorkerMetrics) -> Callable[[Sequence[Rejection]], None]:
    def refuse(rejections: Sequence[Rejection]) -> None:
        letters.add(rejections)
        for rejection in rejections:
            metrics.rejected.labels(rejection.tenure.stream, rejection.reason).inc()

    return refuse


def _restorer(settings: Settings, redis: Redis, patience: Patience) -> Restorer:
    topic = ConfigTopic(kafka_options(settings), settings.names.topic("config"))
    return Restorer(redis, settings.names, topic, patience=patience)


def _loader(store: PaneStore, patience: Patience) -> Any:
    async def load(keys: Any) -> Any:
        return await patience(lambda: store.load(keys))

    return load


def _newer(redis: Redis, settings: Settings, patience: Patience) -> Newer:
    async def newer(held: Stamp | None) -> tuple[Generation, Mapping[str, Reference]] | None:
        return await patience(lambda: read_newer(redis, settings.names, held))

    return newer
