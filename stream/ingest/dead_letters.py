"""Refused events, kept: each goes to the topic ``dead-letters`` with its coordinates, the reason and a masked payload.

A dead letter's identity (its key) is topic, partition, offset and place in the record, so a replay's repeat is recognised.
At most ``MOST_LETTERS`` are written of one record; the last one says how many more of its events were refused.

They are written before the offset behind them is stored: a kill in between repeats some, and loses none.  A letter that
the broker refuses for good (the topic may not be made, or not be written to) is logged and given up: its event stays counted
by reason, and no worker stops over it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from schemas.settings import Settings
from stream.ingest.buffer import Rejection
from stream.kafka_client import kafka_options

log = logging.getLogger(__name__)

#: Counted by reason and not kept: the stored panes they belong to are gone, and a replay of old data would keep it all.
COUNTED_ONLY: Final = frozenset({"too_late"})
#: Top-level keys whose values say what an event is about and nothing of a person; all other values are masked.
_PLAIN = frozenset({"model", "version", "timestamp", "status", "service", "feature", "source", "control"})
_KINDS = ((bool, "<boolean>"), (int | float, "<number>"), (str, "<string>"))
#: A longer payload is not parsed to be masked: its letters and digits are, up to what is kept.
_MOST_PARSED = 65_536
_LONGEST_DETAIL = 500
_FLUSH_S = 0.25
#: A record of 1 MiB may hold half a million bad events: so many letters of it are kept, the rest is counted only.
MOST_LETTERS: Final = 100
#: Letters that wait for the broker may take so much, and what one block adds; then nothing further is counted until it has them.
MOST_WAITING_BYTES: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Masking:
    """How much of a payload is kept: at most ``most_bytes``, with values masked unless ``unmasked``."""

    most_bytes: int
    unmasked: bool


@dataclass(slots=True, eq=False)
class _Batch:
    """Letters that one ``settle`` waits for; ``full`` are those that the producer's queue had no room for."""

    left: int = 0
    full: list[tuple[bytes, bytes]] = field(default_factory=list)


class DeadLetters:
    """Produces to one topic; ``settle`` returns once the broker has everything added before (``settling``: it waits for that)."""

    def __init__(self, producer: Producer, topic: str, *, masking: Masking) -> None:
        self._producer, self._topic, self._masking = producer, topic, masking
        self._batches = [_Batch()]
        #: Refused events of which no letter was written, for their record has too many.
        self.beyond = 0
        self.settling = False
        self._waiting_bytes, self._said = 0, ""

    @property
    def crowded(self) -> bool:
        """Whether so many letters wait that no event should be counted for now: it might be refused, too."""
        return self._waiting_bytes >= MOST_WAITING_BYTES

    def add(self, rejections: Sequence[Rejection]) -> None:
        """Keep these; returns at once."""
        for of_record in _by_record(rejections):
            self.beyond += max(0, len(of_record) - MOST_LETTERS)
            for key, value in letters_of(of_record, self._masking):
                self._batches[-1].left += 1
                self._waiting_bytes += len(value)
                self._produce(key, value, batch=self._batches[-1])

    async def settle(self) -> None:
        """Wait until the broker has every letter added so far, for as long as it takes; later ones are not waited for."""
        self.settling = True
        try:
            await self._settle()
        finally:
            self.settling = False

    async def _settle(self) -> None:
        waited = list(self._batches)
        self._batches.append(_Batch())
        while any(batch.left for batch in waited):
            for batch in waited:
                full, batch.full = batch.full, []
                for key, value in full:
                    self._produce(key, value, batch=batch)
            await asyncio.to_thread(self._producer.flush, _FLUSH_S)
        # Only what was waited for in full goes: a wait that was interrupted is part of the next one.
        self._batches = [batch for batch in self._batches if batch not in waited]

    def _produce(self, key: bytes, value: bytes, *, batch: _Batch) -> None:
        def delivered(error: KafkaError | None, message: Any) -> None:
            if error is not None and error.retriable():
                batch.full.append((key, value))
                self._say(str(error))
                return
            batch.left -= 1
            self._waiting_bytes -= len(value)
            if error is not None:
                log.error("dead letter %s is given up: %s", key.decode(), error)

        try:
            self._producer.produce(self._topic, value, key, on_delivery=delivered)
        except BufferError:  # the local queue is full: kept here until ``settle`` has emptied it
            batch.full.append((key, value))
        except KafkaException as refused:
            delivered(refused.args[0], None)
        self._producer.poll(0)

    def _say(self, why: str) -> None:
        if why != self._said:
            self._said = why
            log.warning("dead letters wait for Kafka, and counting waits for them: %s", why)


def dead_letter_producer(settings: Settings) -> Producer:
    """A producer that never gives up on a letter."""
    how = {"client.id": "driftline-dead-letters", "linger.ms": 50, "message.timeout.ms": 0}
    return Producer(kafka_options(settings, **how))


def key_of(rejection: Rejection) -> bytes:
    """Identity of a dead letter: coordinates of the record, and the event's place in a record of several."""
    tp = rejection.tenure.tp
    place = "" if rejection.index is None else f":{rejection.index}"
    return f"{tp.topic}:{tp.partition}:{rejection.record.offset}{place}".encode()


def _by_record(rejections: Iterable[Rejection]) -> Iterable[list[Rejection]]:
    """What is kept, record by record: one record's rejections for what it says and for its time come apart."""
    found: dict[int, list[Rejection]] = {}
    for rejection in rejections:
        if rejection.reason not in COUNTED_ONLY:
            found.setdefault(id(rejection.record), []).append(rejection)
    return found.values()


def letters_of(rejections: Sequence[Rejection], masking: Masking) -> Iterator[tuple[bytes, bytes]]:
    """Key and value of each letter of one record, whose payload is parsed and masked once."""
    payload, more = _kept(rejections[0].record.value or b"", masking), len(rejections) - MOST_LETTERS
    for number, rejection in enumerate(rejections[:MOST_LETTERS], start=1):
        rest = f" ({more} more refused events of this record are counted only)" if more > 0 else ""
        detail = _detail(rejection.detail, rest if number == MOST_LETTERS else "")
        yield key_of(rejection), _letter(rejection, detail=detail, payload=payload, masked=not masking.unmasked)


def _detail(said: str, rest: str) -> str:
    return said[: _LONGEST_DETAIL - len(rest)] + rest


def _letter(rejection: Rejection, *, detail: str, payload: str, masked: bool) -> bytes:
    record, tp = rejection.record, rejection.tenure.tp
    found: Mapping[str, Any] = {
        "topic": tp.topic,
        "partition": tp.partition,
        "offset": record.offset,
        "index": rejection.index,
        "reason": rejection.reason,
        "field": rejection.field,
        "detail": detail,
        "at_ms": record.timestamp,
        "payload": payload,
        "payload_bytes": len(record.value or b""),
        "masked": masked,
    }
    return json.dumps(found).encode()


def _kept(value: bytes, masking: Masking) -> str:
    if masking.unmasked:
        return value[: masking.most_bytes].decode("utf-8", "replace")
    readable = value if len(value) <= _MOST_PARSED else value[: masking.most_bytes]
    return masked(readable)[: masking.most_bytes]


def masked(value: bytes) -> str:
    """A payload without its values: their kinds where it is JSON, else letters as x and digits as 0.

    >>> masked(b'{"model": "m", "features": {"age": 41}}')
    '{"model": "m", "features": {"age": "<number>"}}'
    >>> masked(b'{"age": 41')
    '{"xxx": 00'
    """
    text = value.decode("utf-8", "replace")
    try:
        return json.dumps(_masked(json.loads(text)))
    except (ValueError, RecursionError):
        return re.sub(r"\d", "0", re.sub(r"[^\W\d_]", "x", text))


def _masked(found: Any) -> Any:
    """An event, or an array of them, with every value masked but the plain ones of its top level."""
    if isinstance(found, list):
        return [_masked(item) for item in found]
    if not isinstance(found, dict):
        return _kind(found)
    return {name: value if name in _PLAIN and _is_plain(value) else _kind(value) for name, value in found.items()}


def _is_plain(value: Any) -> bool:
    return not isinstance(value, dict | list)


def _kind(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _kind(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_kind(inner) for inner in value]
    return None if value is None else next(name for kind, name in _KINDS if isinstance(value, kind))
