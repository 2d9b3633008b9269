"""Refused events, kept: each goes to the topic ``dead-letters`` with its coordinates, the reason and a masked payload.

A dead letter's identity (its key) is topic, partition, offset and place in the record, so a replay's repeat is recognised.
They are written before the offset behind them is stored: a kill in between repeats some, and loses none.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import Producer

from stream.ingest.buffer import Rejection

#: Counted by reason and not kept: the stored panes they belong to are gone, and a replay of old data would keep it all.
COUNTED_ONLY: Final = frozenset({"too_late"})
#: Keys whose values say what an event is about and nothing of a person; all other values are masked.
_PLAIN = frozenset({"model", "version", "timestamp", "status", "service", "feature", "source", "control"})
_KINDS = ((bool, "<boolean>"), (int | float, "<number>"), (str, "<string>"))
_FLUSH_S = 5.0


@dataclass(frozen=True, slots=True)
class Masking:
    """How much of a payload is kept: at most ``most_bytes``, with values masked unless ``unmasked``."""

    most_bytes: int
    unmasked: bool


class DeadLetters:
    """Produces to one topic; ``settle`` returns once the broker has everything produced so far."""

    def __init__(self, producer: Producer, topic: str, *, masking: Masking) -> None:
        self._producer, self._topic, self._masking = producer, topic, masking
        self._failed: list[tuple[bytes, bytes]] = []

    def add(self, rejections: Sequence[Rejection]) -> None:
        """Keep these; returns at once."""
        for rejection in rejections:
            if rejection.reason not in COUNTED_ONLY:
                self._produce(key_of(rejection), letter(rejection, self._masking))

    async def settle(self) -> None:
        """Wait until the broker has every letter; tried again for as long as it takes."""
        while len(self._producer) or self._failed:
            failed, self._failed = self._failed, []
            for key, value in failed:
                self._produce(key, value)
            await asyncio.to_thread(self._producer.flush, _FLUSH_S)

    def _produce(self, key: bytes, value: bytes) -> None:
        def delivered(error: Any, message: Any) -> None:
            if error is not None:
                self._failed.append((key, value))

        try:
            self._producer.produce(self._topic, value, key, on_delivery=delivered)
        except BufferError:  # the local queue is full: kept here until ``settle`` has emptied it
            self._failed.append((key, value))
        self._producer.poll(0)


def dead_letter_producer(bootstrap: str) -> Producer:
    """A producer that never gives up on a letter."""
    settings = {
        "bootstrap.servers": bootstrap,
        "client.id": "driftline-dead-letters",
        "linger.ms": 50,
        "message.timeout.ms": 0,
    }
    return Producer(settings)


def key_of(rejection: Rejection) -> bytes:
    """Identity of a dead letter: coordinates of the record, and the event's place in a record of several."""
    record = rejection.record
    place = "" if rejection.index is None else f":{rejection.index}"
    return f"{record.topic}:{record.partition}:{record.offset}{place}".encode()


def letter(rejection: Rejection, masking: Masking) -> bytes:
    """The dead letter as JSON."""
    record, value = rejection.record, rejection.record.value or b""
    kept = value[: masking.most_bytes].decode("utf-8", "replace") if masking.unmasked else masked(value)
    found: Mapping[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "index": rejection.index,
        "reason": rejection.reason,
        "field": rejection.field,
        "detail": rejection.detail,
        "at_ms": record.timestamp,
        "payload": kept[: masking.most_bytes],
        "payload_bytes": len(value),
        "masked": not masking.unmasked,
    }
    return json.dumps(found).encode()


def masked(value: bytes) -> str:
    """A payload without its values: their kinds where it is JSON, else letters as x and digits as 0.

    >>> masked(b'{"model": "m", "features": {"age": 41}}')
    '{"model": "m", "features": {"age": "<number>"}}'
    >>> masked(b'{"age": 41')
    '{"xxx": 00'
    """
    text = value.decode("utf-8", "replace")
    try:
        return json.dumps(_masked(json.loads(text), key=""))
    except (ValueError, RecursionError):
        return re.sub(r"\d", "0", re.sub(r"[^\W\d_]", "x", text))


def _masked(value: Any, *, key: str) -> Any:
    if isinstance(value, dict):
        return {name: _masked(inner, key=name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner, key=key) for inner in value]
    if value is None or key in _PLAIN:
        return value
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "<value>")
