"""A topic from its beginning to its end, without a group: what a process that has lost its memory reads.

A Kafka of which no broker listens is known within a second, and need not be waited for.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

_AT_ONCE = 500
_ASK_S, _GATHER_S = 0.5, 0.02
#: Its key and its value.
Record = tuple[bytes | None, bytes | None]


def whole_topic(options: Mapping[str, Any], topic: str, *, within_s: float) -> Iterator[Record] | None:
    """Every record, those of a partition in order; None where there is no such topic, and asking does not make one.

    :param options: what clients of Kafka are made with; ``within_s``: how long Kafka may say nothing.
    :raises KafkaException: it says nothing, or refuses.
    """
    down: list[KafkaError] = []
    how: dict[str, Any] = {
        "group.id": "driftline-memory", "enable.auto.commit": False, "enable.partition.eof": True,
        "auto.offset.reset": "earliest", "fetch.wait.max.ms": 50,
        "error_cb": lambda error: down.append(error) if error.code() == KafkaError._ALL_BROKERS_DOWN else None,
    }  # fmt: skip
    consumer = Consumer({**options, **how})
    try:
        found = _topics(consumer, down, within_s=within_s).get(topic)
    except BaseException:
        consumer.close()
        raise
    if found is not None:
        places = [TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in found.partitions]
        return _to_the_end(consumer, places, within_s=within_s)
    consumer.close()
    return None


def _topics(consumer: Consumer, down: list[KafkaError], *, within_s: float) -> Mapping[str, Any]:
    """Asked in short turns, between which the client tells what it knows."""
    until = time.monotonic() + within_s
    while True:
        try:
            found: Mapping[str, Any] = consumer.list_topics(timeout=_ASK_S).topics
            return found
        except KafkaException:
            consumer.poll(0)
            if down or time.monotonic() > until:
                raise


def _to_the_end(consumer: Consumer, places: list[TopicPartition], *, within_s: float) -> Iterator[Record]:
    left = {place.partition for place in places}
    try:
        consumer.assign(places)
        heard = time.monotonic()
        while left and time.monotonic() - heard < within_s:
            for message in consumer.consume(_AT_ONCE, _GATHER_S):
                heard = time.monotonic()
                if _is_end(message):
                    left.discard(message.partition())
                    continue
                yield _bytes(message.key()), _bytes(message.value())
        if left:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
    finally:
        consumer.close()


def _is_end(message: Message) -> bool:
    error = message.error()
    if error is None:
        return False
    if error.code() != KafkaError._PARTITION_EOF:
        raise KafkaException(error)
    return True


def _bytes(found: Any) -> bytes | None:
    return found.encode() if isinstance(found, str) else found
