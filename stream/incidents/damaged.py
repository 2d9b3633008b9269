"""Findings and actions that cannot be read, or that the core raised at: kept as dead letters with their place, and passed.

They are ours, so each is a bug or another program's record: it must not be lost in a log, and must not stop the owner.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from faust.types import TP

from schemas import actions, findings
from schemas.errors import Reason
from schemas.findings import Finding, Progress
from stream.incidents.feeding import Broken
from stream.incidents.inbox import Arrival, Message
from stream.ingest.buffer import Rejection
from stream.ingest.tenure import Tenure
from stream.state.epochs import Epoch
from stream.transport import Record, Run


def read(run: Run, topic: str, *, epoch: Epoch) -> tuple[list[Arrival], list[Rejection]]:
    """A run's records, decoded; what is damaged goes on as None, so that its offset is passed, and is refused besides."""
    held = Tenure(run.tp, topic, epoch, run.placement, run.records[0].offset if run.records else 0)
    arrivals: list[Arrival] = []
    refused: list[Rejection] = []
    for record in run.records:
        message: Message | None = None
        try:
            message = _decoded(topic, record.value)
        except msgspec.DecodeError as error:
            refused.append(Rejection(held, record, _reason(record, error), "", _detail(topic, error)))
        arrivals.append(Arrival(topic, run.tp.partition, record.offset, message))
    return arrivals, refused


@dataclass(slots=True)
class _Written:
    """An input's record, written again: what was read is kept only as what it says."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def undecided(tp: TP, broken: Broken, *, epoch: Epoch) -> Rejection:
    """The dead letter of an input that the core raised at; its detail is the last line of the traceback."""
    arrival, message = broken.arrival, broken.message
    value = findings.encode(message) if isinstance(message, Finding | Progress) else actions.encode(message)
    record = _Written(arrival.offset, message.at, None, value)
    held = Tenure(tp, arrival.topic, epoch, 0, arrival.offset)
    return Rejection(held, record, "not_an_event", "", f"a bug, nothing is decided by it: {broken.why}")


def places(refused: Iterable[Rejection]) -> str:
    """Where they stand, as ``driftline dlq show`` takes it."""
    return ", ".join(f"{one.tenure.tp.topic}:{one.tenure.partition}:{one.record.offset}" for one in refused)


def _decoded(topic: str, value: bytes | None) -> Message:
    return findings.decode(value or b"") if topic == "findings" else actions.decode(value or b"")


def _reason(record: Record, error: msgspec.DecodeError) -> Reason:
    if not record.value:
        return "tombstone"
    return "not_an_event" if isinstance(error, msgspec.ValidationError) else "not_json"


def _detail(topic: str, error: msgspec.DecodeError) -> str:
    return f"no record of the topic {topic}: {error}"
