"""Builds the worker from its settings: the only place where everything meets.

``run`` is the process: it waits for Kafka and Redis, starts Faust with our transport, and returns an exit code.  A bug ends
the process (70) rather than leave an agent that looks alive and receives nothing: after an exception in an agent's body
Faust 0.15 never delivers to it again.
"""

from __future__ import annotations

import logging
import os
import socket
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import faust
from confluent_kafka.admin import AdminClient
from faust.types import TP
from redis.asyncio import Redis

from schemas.config import Generation
from schemas.errors import DriftlineError
from schemas.names import TOPICS_IN
from schemas.reference import Reference
from schemas.settings import Settings
from stream import transport
from stream.collector import LOOK_EVERY_S, Collector, look_at_all, spare_the_collector
from stream.evaluate.own_topics import ensure_topics
from stream.evaluate.service import Evaluation, evaluation
from stream.evaluator_child import EvaluatorChild
from stream.expose.configured import ConfiguredModels
from stream.expose.metrics import WorkerMetrics
from stream.expose.models import READ_EVERY_S, ModelExporter
from stream.expose.sampling import Sampler
from stream.expose.server import Server
from stream.expose.service_metrics import EvaluationMetrics
from stream.incidents.agent import INPUTS
from stream.incidents.wiring import Incidents, add_agent, incidents_of
from stream.ingest.beside import beside
from stream.ingest.buffer import Rejection
from stream.ingest.checkpoint import Checkpointer
from stream.ingest.counter import Counter
from stream.ingest.dead_letters import DeadLetters
from stream.ingest.decode import VERSIONED
from stream.ingest.follow import Follower, Newer
from stream.ingest.intake import Intake
from stream.ingest.ownership import Claim, Ownership
from stream.ingest.pacing import Pacer
from stream.ingest.plan import no_plan
from stream.ingest.survey import Surveyor
from stream.ingest.unregistered import store_unregistered
from stream.ingest.versions import store_versions
from stream.redis_client import worker_client
from stream.start import wait_for_services
from stream.state.clock import claim
from stream.state.generations import Stamp, read_newer
from stream.state.patience import Patience
from stream.state.store import PaneStore
from stream.tasks import EXIT_BUG, Periodic, add_periodic, before_leaving, ended, leave_within, surviving
from stream.transport import RunConsumer

log = logging.getLogger(__name__)

DAY_MS = 86_400_000
LAST_CHECKPOINT_S = 3.0
LAST_WORDS_S = 1.0
LEAVE_WITHIN_S = 4.0
REDIS_ANSWERS_WITHIN_S = 5.0
VERIFY_S = 2.0
VERSIONS_S = 5.0


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
    metrics: WorkerMetrics
    sampler: Sampler
    surveyor: Surveyor
    evaluation: Evaluation
    incidents: Incidents
    exporter: ModelExporter


def parts(settings: Settings) -> Parts:
    """Build the worker's parts; nothing is started."""
    redis, patience = worker_client(settings.redis, answers_within_s=REDIS_ANSWERS_WITHIN_S), Patience()
    store = PaneStore(redis, settings.names, keep_ms=settings.pane_keep_days * DAY_MS)
    metrics, kept = WorkerMetrics(), beside(settings, redis, patience=patience)
    counter = Counter(
        no_plan(), load=_loader(store, patience), refuse=_refuser(kept.letters, metrics), keep=kept.gpus.add,
        skew_ms=int(settings.future_skew_s * 1000),
    )  # fmt: skip
    worker = f"{socket.gethostname()}:{os.getpid()}"
    claim = Claim(settings.names.group, settings.take_over_group, owner=worker)
    surveyor = Surveyor(AdminClient({"bootstrap.servers": settings.kafka, "log_level": 0}))
    ownership = Ownership(store, counter, claim=claim, survey=surveyor.survey, patience=patience)
    follower = Follower(counter, _newer(redis, settings, patience))
    intake = Intake(counter, ownership, patience=patience, configured=follower.followed)
    surveyor.intake = intake
    checkpointer = Checkpointer(
        store, counter, ownership, settle=kept.settle, followers=intake.followers(), patience=patience
    )  # fmt: skip
    intake.checkpointer = checkpointer
    sampler = Sampler(metrics, intake, follower)
    evaluated = evaluation(settings, redis, worker=worker, partitions=intake.partitions, patience=patience)
    owned = incidents_of(
        settings, redis, patience=patience, survey=surveyor.survey, who=worker, letters=kept.letters
    )  # fmt: skip
    sampler.also.append(lambda: metrics.gpus.sample(kept.gpus.tally))
    sampler.also.append(lambda: metrics.incidents.sample(owned.tally))
    exporter = ModelExporter(redis, settings.names, evaluated.evaluator.held, patience=patience)
    metrics.registry.register(ConfiguredModels(lambda: follower.models if owned.tally.owning else ()))
    if settings.evaluate == "here":
        metrics.registry.register(exporter)
        judged = EvaluationMetrics(metrics.registry)
        sampler.also.append(lambda: judged.sample(evaluated.tally))
    return Parts(
        settings, redis, counter, intake, checkpointer, follower,
        Pacer(store, intake, settings, patience=patience), metrics, sampler, surveyor, evaluated,
        owned, exporter,
    )  # fmt: skip


def _refuser(letters: DeadLetters, metrics: WorkerMetrics) -> Callable[[Sequence[Rejection]], None]:
    def refuse(rejections: Sequence[Rejection]) -> None:
        letters.add(rejections)
        for rejection in rejections:
            metrics.rejected.labels(rejection.tenure.stream, rejection.reason).inc()

    return refuse


def _loader(store: PaneStore, patience: Patience) -> Any:
    async def load(keys: Any) -> Any:
        return await patience(lambda: store.load(keys))

    return load


def _newer(redis: Redis, settings: Settings, patience: Patience) -> Newer:
    async def newer(held: Stamp | None) -> tuple[Generation, Mapping[str, Reference]] | None:
        return await patience(lambda: read_newer(redis, settings.names, held))

    return newer


def faust_app(built: Parts) -> faust.App:
    """The Faust application: an agent over the four input topics, and one over findings and actions."""
    settings = built.settings
    transport.install(
        _take(built),
        lambda error: built.metrics.group_errors.inc(),
        short_run_pause_s=settings.short_run_pause_s,
        max_run_records=settings.max_run_records,
        urgent=map(settings.names.topic, INPUTS),
    )
    app = faust.App(
        settings.names.group,
        broker=transport.broker_url(settings.kafka),
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / 4,
        broker_request_timeout=settings.request_timeout_s,
        broker_max_poll_records=settings.max_run_records,
        consumer_metadata_max_age_ms=10_000,
        stream_buffer_maxsize=16,  # runs: more would only be memory, and a held partition would run on through them
        stream_wait_empty=False,
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        autodiscover=False,
        datadir=str(Path(tempfile.gettempdir()) / settings.names.group),  # nothing is kept there
    )
    _add_agent(app, built)
    add_agent(app, built.incidents, settings)
    _add_tasks(app, built)
    return app


def _take(built: Parts) -> transport.Take:
    async def take(consumer: RunConsumer, tps: set[TP]) -> Mapping[TP, int]:
        await built.follower.refresh()
        if not built.follower.number:
            log.warning("nothing is in force yet; reading waits for `driftline apply FILE`")
        try:
            placed = await built.intake.take(consumer, built.incidents.others(tps))
            owned = await built.incidents.take(consumer, tps)
        except DriftlineError as error:
            log.critical("%s", error)
            os._exit(2)
        except Exception:
            log.critical("partitions could not be taken; this worker ends", exc_info=True)
            os._exit(EXIT_BUG)
        look_at_all()  # what was held before is gone, and nothing is read yet
        return {**placed, **owned}

    return take


def _add_agent(app: faust.App, built: Parts) -> None:
    names = [built.settings.names.topic(stream) for stream in TOPICS_IN]
    topic = app.topic(*names, schema=transport.RunSchema())

    @app.agent(topic)
    async def ingest(runs: Any) -> None:
        async for run in runs:
            await surviving(built.intake.receive(run))


def _add_tasks(app: faust.App, built: Parts) -> None:
    add_periodic(app, _periodic(built))

    async def last_checkpoint(app: Any, **kwargs: Any) -> None:
        built.incidents.senders.stop()
        stored = await before_leaving(built.checkpointer.run_once(), within_s=LAST_CHECKPOINT_S)
        if not stored or built.checkpointer.tally.cut_short:
            log.warning("stopping without a last checkpoint; its events will be read again")
        await before_leaving(built.evaluation.evaluator.leave(), within_s=LAST_WORDS_S)
        leave_within(LEAVE_WITHIN_S)

    async def redis_answers(app: Any, **kwargs: Any) -> None:
        # Faust awaits this without a time limit before it seeks; the seek itself has one.
        await built.intake.patience(built.redis.ping)

    app.on_rebalance_complete.connect(redis_answers)  # type: ignore[arg-type]
    app.on_before_shutdown.connect(last_checkpoint)  # type: ignore[arg-type]


def _periodic(built: Parts) -> list[Periodic]:
    """What a worker does again and again, beside counting what arrives."""
    settings = built.settings
    return [
        Periodic("checkpoints", settings.flush_interval_s, partial(_checkpoint, built)),
        Periodic("configuration", settings.config_poll_s, built.follower.refresh),
        Periodic("pacing", settings.config_poll_s, built.pacer.run_once),
        Periodic("reclaiming", settings.session_timeout_s, built.intake.reclaim),
        Periodic("verifying", VERIFY_S, built.checkpointer.verify),
        Periodic("watching_topics", settings.session_timeout_s, partial(_check_topics, built)),
        *_evaluating(built),
        *built.incidents.tasks(settings),
        Periodic("versions", VERSIONS_S, partial(_store_versions, built)),
        Periodic("collecting", LOOK_EVERY_S, Collector().run_once),
    ]


def _evaluating(built: Parts) -> list[Periodic]:
    """Nothing where another process evaluates: it exports the series of its models, too."""
    if built.settings.evaluate != "here":
        return []
    return [*built.evaluation.tasks(built.settings), Periodic("exporting", READ_EVERY_S, built.exporter.run_once)]


async def _store_versions(built: Parts) -> None:
    decoders = [built.counter.plans[stream].decoder for stream in VERSIONED]
    seen, strange = [one.versions for one in decoders], [one.unregistered for one in decoders]
    await built.intake.patience(lambda: store_versions(built.redis, built.settings.names, seen))
    await built.intake.patience(lambda: store_unregistered(built.redis, built.settings.names, strange))


async def _checkpoint(built: Parts) -> None:
    await built.checkpointer.run_once()
    built.evaluation.stored.set()


async def _check_topics(built: Parts) -> None:
    topics = {tp.topic for tp in built.intake.ownership.tenures}
    if topics:
        await built.intake.check_topics(await built.surveyor.ids(topics))


def run(settings: Settings) -> int:
    """Run a worker until it is told to stop; the exit code."""
    wait_for_services(settings, check=lambda redis: claim(redis, settings.names, settings.clock))
    ensure_topics(settings.kafka, settings.names)
    if settings.evaluate == "elsewhere":
        log.warning("this worker counts and does not evaluate: `driftline evaluate` is to run elsewhere")
    built = parts(settings)
    spare_the_collector()
    beside = [EvaluatorChild()] if settings.evaluate == "beside" else []
    further = beside[0].series if beside else None
    server = Server("worker", built.metrics.registry, settings, sampler=built.sampler, further=further)
    worker = faust.Worker(
        faust_app(built), server, *beside, loglevel=settings.log_level, quiet=False, daemon=True, redirect_stdouts=False
    )
    return ended(worker)
