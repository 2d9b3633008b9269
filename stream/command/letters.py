"""Dead letters as readers find them: the newest of the topic ``dead-letters``, read without leaving a trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from confluent_kafka import Consumer, KafkaException

from schemas.settings import Settings
from stream.command.connect import kafka_unavailable
from stream.command.stretches import logs_in, records_of, trackless_consumer


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refused event: where it stands in Kafka, why it was refused, and its (masked, cut) payload.

    ``index`` is its place in a record of several events, None where the record is one or cannot be read.
    """

    topic: str
    partition: int
    offset: int
    index: int | None
    reason: str
    field: str
    detail: str
    at_ms: int
    payload: str
    payload_bytes: int
    masked: bool

    @property
    def place(self) -> str:
        """``TOPIC:PARTITION:OFFSET`` of the record that was refused."""
        return f"{self.topic}:{self.partition}:{self.offset}"


def newest_letters(settings: Settings, *, most: int) -> list[DeadLetter]:
    """The last ``most`` dead letters of each partition, newest first, each once.

    :raises Unavailable: Kafka does not answer.
    """
    unique = {(letter.place, letter.index): letter for letter in all_letters(settings, most=most)}
    return sorted(unique.values(), key=lambda letter: letter.at_ms, reverse=True)


def all_letters(settings: Settings, *, most: int) -> list[DeadLetter]:
    """The last ``most`` dead letters of each partition as they stand there; records that are none are left out.

    :raises Unavailable: Kafka does not answer.
    """
    consumer = trackless_consumer(settings)
    try:
        return [letter for value in _tail(consumer, settings, most=most) if (letter := letter_of(value))]
    except KafkaException as error:
        raise kafka_unavailable(settings, error) from None
    finally:
        consumer.close()


def letter_of(value: bytes | None) -> DeadLetter | None:
    """The dead letter that a record holds; None where it holds something else."""
    try:
        return msgspec.convert(json.loads(value or b""), DeadLetter)
    except (ValueError, RecursionError, msgspec.ValidationError):
        return None


def _tail(consumer: Consumer, settings: Settings, *, most: int) -> Iterator[bytes | None]:
    topic = settings.names.topic("dead-letters")
    logs = logs_in(consumer, settings, topic)
    stretches = {(topic, at): (max(start, end - most), end) for at, (start, end) in logs.items()}
    yield from (message.value() for message in records_of(consumer, stretches))
