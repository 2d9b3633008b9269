"""Builds the worker from its settings: the only place where everything meets.

``run`` is the process: it waits for Kafka and Redis, starts Faust with our transport, and returns an exit code.  A bug ends
the process (70) rather than leave an agent that looks alive and receives nothing: after an exception in an agent's body
Faust 0.15 never delivers to it again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import faust
from faust.types import TP
from redis import Redis

from schemas.errors import DriftlineError
from schemas.names import TOPICS_IN
from schemas.settings import Settings
from stream import transport
from stream.collector import LOOK_EVERY_S, Collector, look_at_few, spare_the_collector
from stream.evaluate.own_topics import ensure_topics
from stream.evaluator_child import EvaluatorChild
from stream.expose.models import READ_EVERY_S
from stream.expose.server import Server
from stream.expose.sighting import LogEnds, Sighting
from stream.expose.watchdog import Watchdog
from stream.fetching import FetchThread
from stream.group_errors import to_be_mended
from stream.incidents.agent import INPUTS
from stream.incidents.wiring import add_agent
from stream.ingest.behind import LOOK_S
from stream.ingest.decode import VERSIONED
from stream.ingest.follow import follow_or_restore
from stream.ingest.unregistered import store_unregistered
from stream.ingest.versions import store_versions
from stream.ingest.warm import warm
from stream.kafka_client import asking_client, faust_broker
from stream.parts import Parts, parts
from stream.start import wait_for_services
from stream.state.clock import claim
from stream.state.instance import Instance
from stream.taking import UnhurriedTables
from stream.tasks import EXIT_BUG, LeavesInTime, Periodic, add_periodic, before_leaving, ended, surviving
from stream.transport import RunConsumer

log = logging.getLogger(__name__)

#: Of ``LEAVE_WITHIN_S`` in all; the rest is for good-bye to the group.
LAST_CHECKPOINT_S = 2.5
LAST_WORDS_S = 0.5
VERIFY_S = 2.0
VERSIONS_S = 5.0


def faust_app(built: Parts, instance: Instance) -> faust.App:
    """The Faust application: an agent over the four input topics, and one over findings and actions."""
    settings = built.settings
    transport.install(
        _take(built),
        partial(_group_error, built),
        short_run_pause_s=settings.short_run_pause_s,
        max_run_records=settings.max_run_records,
        urgent=map(settings.names.topic, INPUTS),
    )
    app = faust.App(
        settings.names.group,
        broker=transport.broker_url(settings.kafka),
        **faust_broker(settings),
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / 4,
        broker_request_timeout=settings.request_timeout_s,
        broker_max_poll_records=settings.max_run_records,
        consumer_group_instance_id=settings.instance_id or None,
        consumer_metadata_max_age_ms=10_000,
        stream_buffer_maxsize=16,  # runs: more would only be memory, and a held partition would run on through them
        stream_wait_empty=False,
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        autodiscover=False,
        TableManager=UnhurriedTables,
        datadir=str(Path(tempfile.gettempdir()) / settings.names.group),  # nothing is kept there
    )
    _add_agent(app, built)
    add_agent(app, built.incidents, settings)
    _add_tasks(app, built, instance)
    return app


def _take(built: Parts) -> transport.Take:
    async def take(consumer: RunConsumer, tps: set[TP]) -> Mapping[TP, int]:
        await follow_or_restore(built.follower, lambda: surviving(built.restorer.run_once()))
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
        look_at_few()  # what was held before is gone, and nothing is read yet
        return {**placed, **owned}

    return take


def _group_error(built: Parts, error: BaseException) -> None:
    built.metrics.group_errors.inc()
    if remedy := to_be_mended(error):
        log.critical(
            "group %s cannot be read for: %r; %s, then start this worker again",
            built.settings.names.group,
            error,
            remedy,
        )
        logging.shutdown()
        os._exit(2)


def _add_agent(app: faust.App, built: Parts) -> None:
    names = [built.settings.names.topic(stream) for stream in TOPICS_IN]
    topic = app.topic(*names, schema=transport.RunSchema())

    @app.agent(topic)
    async def ingest(runs: Any) -> None:
        async for run in runs:
            await surviving(built.intake.receive(run))


def _add_tasks(app: faust.App, built: Parts, instance: Instance) -> None:
    add_periodic(app, _periodic(built))
    add_periodic(app, instance.tasks(built.redis, built.intake.patience))

    async def last_checkpoint(app: Any, **kwargs: Any) -> None:
        built.incidents.senders.stop()
        stored = await before_leaving(built.updates.finish(built.checkpointer.run_once()), within_s=LAST_CHECKPOINT_S)
        if not stored or built.checkpointer.tally.cut_short:
            log.warning("stopping without a last checkpoint; its events will be read again")
        await before_leaving(_last_words(built, instance), within_s=LAST_WORDS_S)

    async def redis_answers(app: Any, **kwargs: Any) -> None:
        # Faust awaits this without a time limit before it seeks; the seek itself has one.
        await built.intake.patience(built.redis.ping)

    app.on_rebalance_complete.connect(redis_answers)  # type: ignore[arg-type]
    app.on_before_shutdown.connect(last_checkpoint)  # type: ignore[arg-type]


async def _last_words(built: Parts, instance: Instance) -> None:
    await asyncio.gather(built.evaluation.evaluator.leave(), instance.leave(built.redis))


def _periodic(built: Parts) -> list[Periodic]:
    """What a worker does again and again, beside counting what arrives."""
    settings = built.settings
    return [
        Periodic("checkpoints", settings.flush_interval_s, partial(_checkpoint, built)),
        Periodic("configuration", settings.config_poll_s, built.follower.refresh),
        Periodic("restoring", settings.config_poll_s, built.restorer.run_once),
        # Evaluation waits for what it says of idle partitions.
        Periodic("pacing", min(settings.config_poll_s, settings.evaluate_interval_s), built.pacer.run_once),
        *_queueing(built),
        Periodic("reclaiming", settings.session_timeout_s, built.intake.reclaim),
        Periodic("verifying", VERIFY_S, built.checkpointer.verify),
        Periodic("watching_topics", settings.session_timeout_s, partial(_check_topics, built)),
        *_evaluating(built),
        *built.incidents.tasks(settings),
        Periodic("versions", VERSIONS_S, partial(_store_versions, built)),
        Periodic("collecting", LOOK_EVERY_S, Collector().run_once),
    ]


def _queueing(built: Parts) -> list[Periodic]:
    """Nothing in a replay: quotas go by the clock on the wall."""
    return [] if built.settings.clock == "event" else [Periodic("queueing", LOOK_S, built.queue.run_once)]


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
    await built.checkpointer.run_due()
    await built.updates.settle()  # of thousands of models those that were not stored with it
    built.evaluation.stored.set()


async def _check_topics(built: Parts) -> None:
    topics = {tp.topic for tp in built.intake.ownership.tenures}
    if topics:
        await built.intake.check_topics(await built.surveyor.ids(topics))


class CountingWorker(LeavesInTime, faust.Worker):
    """Faust's own, which stops its application before anything else."""

    # Mode silences the logger of a service's module until a worker runs, and what is said here before would be lost.
    logger = logging.getLogger(f"{__name__}.worker")


def run(settings: Settings) -> int:
    """Run a worker until it is told to stop; the exit code."""
    instance = Instance(settings)

    def check(redis: Redis) -> None:
        claim(redis, settings.names, settings.clock)
        instance.claim(redis)

    wait_for_services(settings, check=check)
    ensure_topics(settings)
    warm()
    if settings.evaluate == "elsewhere":
        log.warning("this worker counts and does not evaluate: `driftline evaluate` is to run elsewhere")
    built = parts(settings)
    spare_the_collector()
    beside = [EvaluatorChild()] if settings.evaluate == "beside" else []
    further = beside[0].series if beside else None
    server = Server("worker", built.metrics.registry, settings, sampler=built.sampler, further=further)
    app = faust_app(built, instance)
    worker = CountingWorker(
        app,
        server,
        *beside,
        _watchdog(app, built),
        loglevel=settings.log_level,
        quiet=False,
        daemon=True,
        redirect_stdouts=False,
    )
    return ended(worker)


def _watchdog(app: faust.App, built: Parts) -> Watchdog:
    def ended() -> str:
        if FetchThread.has_ended():
            return "the thread that reads from Kafka has ended"
        return f"Faust has crashed ({app.crash_reason!r})" if app.crashed else ""

    settings = built.settings
    look = Sighting(built.intake, built.follower, built.sampler, ended=ended).look
    ends = LogEnds(asking_client(settings))
    # What is counted is stored no sooner than the next checkpoint.
    return Watchdog(look, ends, patience_s=settings.stuck_after_s + settings.flush_at_latest_s)
