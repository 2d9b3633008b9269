"""Dead letters as readers find them: the newest of the topic ``dead-letters``, read without leaving a trace.

No consumer group is joined and nothing is committed: partitions are assigned near their ends and read up to what was the end
at the start, so a topic that keeps growing does not hold the reader.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.settings import Settings
from stream.command.connect import ANSWER_WITHIN_S, command_options, kafka_unavailable, partitions_in

#: Read at once from the consumer's queue.
AT_ONCE = 500
#: librdkafka waits for all of ``AT_ONCE``, however few there are: not longer than this.
GATHER_S = 0.1
#: Longest wait for records that are known to be there.
SILENCE_S = 10.0


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
    """The last ``most`` dead letters of each partition, newest first; records that are none are left out.

    :raises Unavailable: Kafka does not answer.
    """
    options = {"group.id": "driftline-dlq-reader", "enable.auto.commit": False, "enable.partition.eof": True}
    consumer = Consumer(command_options(settings, **options))
    try:
        found = [letter for message in _tail(consumer, settings, most=most) if (letter := letter_of(message))]
    except KafkaException as error:
        raise kafka_unavailable(settings, error) from None
    finally:
        consumer.close()
    unique = {(letter.place, letter.index): letter for letter in found}
    return sorted(unique.values(), key=lambda letter: letter.at_ms, reverse=True)


def letter_of(value: bytes | None) -> DeadLetter | None:
    """The dead letter that a record holds; None where it holds something else."""
    try:
        found: Any = json.loads(value or b"")
        return DeadLetter(**{name: found[name] for name in DeadLetter.__dataclass_fields__})
    except (ValueError, TypeError, KeyError):
        return None


def _tail(consumer: Consumer, settings: Settings, *, most: int) -> Iterator[bytes | None]:
    topic = settings.names.topic("dead-letters")
    ends: dict[int, int] = {}
    places: list[TopicPartition] = []
    for partition in range(partitions_in(consumer, settings).get(topic, 0)):
        start, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=ANSWER_WITHIN_S)
        if end > start:
            ends[partition] = end
            places.append(TopicPartition(topic, partition, max(start, end - most)))
    consumer.assign(places)
    yield from _up_to(consumer, ends)


def _up_to(consumer: Consumer, ends: dict[int, int]) -> Iterator[bytes | None]:
    """The values of all records below these ends."""
    left = dict(ends)
    heard = time.monotonic()
    while left:
        messages = consumer.consume(AT_ONCE, timeout=GATHER_S)
        if messages:
            heard = time.monotonic()
        elif time.monotonic() - heard > SILENCE_S:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"nothing came for {SILENCE_S:g} s"))
        for message in messages:
            partition, offset = cast(int, message.partition()), cast(int, message.offset())
            is_record = _is_record(message)
            if is_record and offset < ends[partition]:
                yield message.value()
            # The last offsets of a log may be no records; then only its end says that all were read.
            if not is_record or offset + 1 >= ends[partition]:
                left.pop(partition, None)


def _is_record(message: Message) -> bool:
    error = message.error()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:
        raise KafkaException(error)
    return error is None
