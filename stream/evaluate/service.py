"""Evaluation as a worker runs it: the evaluator, its leases and the relay, put together from the settings."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from functools import partial

from redis.asyncio import Redis

from schemas.settings import Settings
from stream.evaluate.evaluator import Evaluator
from stream.evaluate.gpus.fleet import Fleet
from stream.evaluate.releases.memory import Memory
from stream.evaluate.storing.breath import Asking, Breath
from stream.evaluate.storing.commit import RELEASES, Commits
from stream.evaluate.storing.leases import TTL_MS
from stream.evaluate.storing.post import Post
from stream.evaluate.storing.relay import Relay, relay_producer
from stream.evaluate.storing.sealing import Partitions, Sealing
from stream.evaluate.storing.tally import EvaluationTally
from stream.kafka_client import kafka_options
from stream.state.patience import Patience
from stream.tasks import Periodic

DAY_MS = 86_400_000
#: No page is waited for in a replay: it looks so many times more seldom, and closes so many more panes of a model at once.
REPLAY_INTERVALS = 4
#: By event time what was concluded is gathered for so long before it is sent.
GATHER_S = 1.0
#: GPUs are looked at no more often: they are judged by the minute.
GPUS_S = 1.0


@dataclass(frozen=True, eq=False, slots=True)
class Evaluation:
    """What evaluates, what sends its conclusions, and what both have done."""

    evaluator: Evaluator
    relay: Relay
    tally: EvaluationTally
    fleet: Fleet
    #: Set when this worker has stored a checkpoint: what it completed need not wait for the next look.
    stored: asyncio.Event = field(default_factory=asyncio.Event)

    def tasks(self, settings: Settings) -> list[Periodic]:
        """What the worker does for it again and again; it looks right after a checkpoint, and at least every interval."""
        half_s = settings.evaluate_interval_s / 2
        every_s = half_s if settings.clock == "live" else REPLAY_INTERVALS * settings.evaluate_interval_s - half_s
        return [
            Periodic("leases", TTL_MS / 3000, self.evaluator.tend),
            Periodic("evaluating", every_s, partial(self._look, within_s=half_s)),
            Periodic("judging_gpus", max(settings.evaluate_interval_s, GPUS_S), self.fleet.run_once),
            Periodic("relaying", 0.0, self.relay.run_once),
        ]

    async def _look(self, *, within_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.stored.wait()
        self.stored.clear()
        await self.evaluator.run_once()


def evaluation(
    settings: Settings, redis: Redis, *, worker: str, partitions: Partitions, patience: Patience
) -> Evaluation:
    """Build it; nothing is started."""
    tally = EvaluationTally()
    gather_s = 0.0 if settings.clock == "live" else GATHER_S
    producer = relay_producer(settings)
    relay = Relay(redis, settings.names, producer, patience=patience, tally=tally, gather_s=gather_s)
    evaluator = Evaluator(
        redis,
        settings.names,
        worker=worker,
        partitions=partitions,
        keep_ms=settings.pane_keep_days * DAY_MS,
        event_clock=settings.clock == "event",
        patience=patience,
        sent=relay.wake,
        tally=tally,
        recall=Memory(kafka_options(settings), settings.names.topic(RELEASES)).recall,
    )
    asking, post = Asking(patience, Breath()), Post(redis)
    fleet = Fleet(
        redis,
        settings.names,
        leases=evaluator.leases,
        sealing=Sealing(redis, settings.names, partitions=partitions, asking=asking),
        commits=Commits(redis, settings.names, keep_ms=settings.pane_keep_days * DAY_MS, asking=asking, post=post),
        asking=asking,
        event_clock=settings.clock == "event",
        sent=relay.wake,
        tally=tally,
    )
    return Evaluation(evaluator, relay, tally, fleet)
