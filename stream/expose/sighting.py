"""What the watchdog is shown of a worker: where its partitions stand, what excuses it from moving, and what has ended in it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]
from faust.types import TP

from stream.expose.liveness import Place, Sight
from stream.expose.sampling import Sampler
from stream.ingest.follow import Follower
from stream.ingest.intake import Intake
from stream.ingest.tenure import Tenure

log = logging.getLogger(__name__)

KAFKA_ANSWERS_WITHIN_S = 5.0
_LATEST = OffsetSpec.latest()  # type: ignore[no-untyped-call]


class Sighting:
    """``look`` is asked on the event loop; ``ended`` says what has ended that only ends with the worker, empty: nothing.

    Each look also tells the sampler of progress, so that ``/health`` is right however seldom it is asked.
    """

    def __init__(self, intake: Intake, follower: Follower, sampler: Sampler, *, ended: Callable[[], str]) -> None:
        self._intake, self._follower, self._sampler, self._ended = intake, follower, sampler, ended

    def look(self) -> Sight:
        """The worker as it is now."""
        self._sampler.health()
        return Sight(
            {tenure.tp: self._place(tenure) for tenure in self._intake.free()},
            excused=not self._follower.number
            or not self._intake.patience.answers.is_set()
            or self._waits_for_letters(),
            ended=self._ended(),
        )

    def _waits_for_letters(self) -> bool:
        """Of the topic of dead letters alone Kafka may take nothing, for as long as its leader is away."""
        return self._intake.letters is not None and self._intake.letters.settling

    def _place(self, tenure: Tenure) -> Place:
        """What ends a transaction is no record: where reading has reached the end, nothing before it is left to read."""
        consumer = self._intake.consumer
        end = consumer.log_end(tenure.tp) if consumer is not None else None
        nothing_left = end is not None and self._intake.unread(tenure) == 0
        return Place(max(tenure.read, end or 0) if nothing_left else tenure.read, tenure.read, tenure.stored)


class LogEnds:
    """Asks the leader of each partition where its log ends, on a connection of its own and not on the event loop."""

    def __init__(self, admin: AdminClient) -> None:
        self._admin = admin

    def __call__(self, tps: Iterable[TP]) -> dict[TP, int]:
        """The end of each log; one whose leader does not answer is left out."""
        wanted = {TopicPartition(tp.topic, tp.partition): _LATEST for tp in tps}
        try:
            asked = self._admin.list_offsets(
                wanted, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=KAFKA_ANSWERS_WITHIN_S
            )
        except (KafkaException, ValueError) as error:
            log.warning("Kafka does not say where its logs end: %s", error)
            return {}
        found = {TP(at.topic, at.partition): _offset(answer) for at, answer in asked.items()}
        return {tp: offset for tp, offset in found.items() if offset is not None}


def _offset(answer: Future[Any]) -> int | None:
    try:
        return int(answer.result(timeout=2 * KAFKA_ANSWERS_WITHIN_S).offset)
    except (KafkaException, TimeoutError):
        return None
