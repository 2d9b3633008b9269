"""A stretch of a topic produced into another environment, record by record as it was: what ``driftline replay`` sends.

Partition numbers, keys, headers and Kafka's timestamps stay, so that everything that is decided about an event (late, from the
future, which partition's watermark) comes out the same.  At the end every partition gets a watermark, behind which windows close.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from schemas.errors import Unavailable
from schemas.settings import Settings
from stream.command.connect import ANSWER_WITHIN_S, command_options, kafka_unavailable
from stream.command.event_file import clock_of
from stream.command.stretches import Place, Stretch, logs_in, trackless_consumer
from stream.state.topics import is_embedded

DELIVER_WITHIN_S = 60.0
#: A record of 1 MiB, and what Kafka adds to it; what is larger was refused, and is refused again.
MOST_BYTES = 8 * 1024 * 1024
#: Whatever the broker's defaults are: records stay, as large as they were and with the times that they had.
_LIKE_THE_FIRST = {
    "cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1", "max.message.bytes": str(MOST_BYTES),
    "message.timestamp.type": "CreateTime",
}  # fmt: skip
#: Records between two reports of how far it is.
REPORT_EVERY = 1_000


@dataclass(frozen=True, slots=True)
class Bound:
    """Where a stretch begins or ends: an offset of each partition, or a time of Kafka's, ms; neither: the log's own."""

    offset: int | None = None
    at_ms: int | None = None


def stretches_between(
    consumer: Consumer, settings: Settings, topic: str, *, first: Bound, last: Bound, partitions: tuple[int, ...]
) -> dict[Place, Stretch]:
    """What is to be read of each partition, cut to what its log holds; ``partitions`` empty: all of them.

    :raises Unavailable: Kafka does not answer.
    """
    logs = logs_in(consumer, settings, topic)
    chosen = {at: log for at, log in logs.items() if not partitions or at in partitions}
    starts, ends = (_offsets(consumer, topic, chosen, bound=bound) for bound in (first, last))
    return {
        (topic, at): (max(start, starts.get(at, start)), min(end, ends.get(at, end)))
        for at, (start, end) in chosen.items()
    }


def _offsets(consumer: Consumer, topic: str, logs: Mapping[int, Stretch], *, bound: Bound) -> dict[int, int]:
    """The offset that a bound means in each partition; a time behind the last record is the log's end."""
    if bound.offset is not None:
        return dict.fromkeys(logs, bound.offset)
    if bound.at_ms is None:
        return {}
    asked = [TopicPartition(topic, at, bound.at_ms) for at in logs]
    found = consumer.offsets_for_times(asked, timeout=ANSWER_WITHIN_S) if asked else []
    return {one.partition: one.offset if one.offset >= 0 else logs[one.partition][1] for one in found}


def make_topic(settings: Settings, topic: str, partitions: int) -> None:
    """Make the shadow's topic with as many partitions, that keeps records however old they are.

    :raises Unavailable: it is there with other partitions or with records, or cannot be made.
    """
    consumer = trackless_consumer(settings)
    try:
        logs = logs_in(consumer, settings, topic)
    finally:
        consumer.close()
    held = sum(end - start for start, end in logs.values())
    if held or (logs and len(logs) != partitions):
        said = f"holds {held} records" if held else f"has {len(logs)} partitions, not {partitions}"
        raise Unavailable(
            f"topic {topic} {said}: name another environment, or empty that one (docs/operations.md, Replays)"
        )
    if not logs:
        _create(settings, topic, partitions)


def _create(settings: Settings, topic: str, partitions: int) -> None:
    admin = AdminClient(command_options(settings))
    if is_embedded(admin.list_topics(timeout=ANSWER_WITHIN_S)):
        admin.list_topics(topic, timeout=ANSWER_WITHIN_S)
        return
    for made in admin.create_topics([NewTopic(topic, partitions, -1, config=_LIKE_THE_FIRST)]).values():
        try:
            made.result()
        except KafkaException as error:
            raise kafka_unavailable(settings, error) from None


class Shadow:
    """Sends into one topic; ``failures`` are records that did not arrive."""

    def __init__(self, settings: Settings, topic: str) -> None:
        self.topic, self._settings = topic, settings
        self.sent, self.failures = 0, list[str]()
        # Idempotent: a record that is sent again after a lost answer would be counted twice.
        how = {"enable.idempotence": True, "linger.ms": 20, "message.max.bytes": MOST_BYTES}
        self._producer = Producer(
            command_options(settings, **how, **{"message.timeout.ms": int(DELIVER_WITHIN_S * 1000)})
        )

    def copy(self, messages: Iterator[Message], *, told: Callable[[int], None], skew_ms: int) -> int | None:
        """Send every record as it is, and wait for all of them; the latest event time in them that is no future."""
        clock_ms: int | None = None
        for message in messages:
            kind, at_ms = message.timestamp()
            said = clock_of(message.value())
            if said is not None and (at_ms < 0 or said <= at_ms + skew_ms):
                clock_ms = max(clock_ms or said, said)
            self._send(
                message.value(), message.partition() or 0, key=message.key(), headers=message.headers(),
                at_ms=at_ms if kind else None,
            )  # fmt: skip
            self.sent += 1
            if self.sent % REPORT_EVERY == 0:
                told(self.sent)
        self._wait()
        return clock_ms

    def close(self, partitions: int, watermark_ms: int) -> None:
        """Tell every partition that nothing older follows."""
        control = json.dumps({"control": "watermark", "timestamp": watermark_ms}).encode()
        for partition in range(partitions):
            self._send(control, partition)
        self._wait()

    def _wait(self) -> None:
        left = self._producer.flush(DELIVER_WITHIN_S)
        if left or self.failures:
            said = "; ".join(self.failures[:5]) or "Kafka did not take them in time"
            raise Unavailable(f"{left + len(self.failures)} records did not reach {self.topic}: {said}")

    def _send(
        self,
        value: bytes | None,
        partition: int,
        *,
        key: bytes | None = None,
        headers: object = None,
        at_ms: int | None = None,
    ) -> None:
        def delivered(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                self.failures.append(error.str())

        more: dict[str, Any] = {"headers": headers} if headers else {}
        more |= {"timestamp": at_ms} if at_ms is not None and at_ms >= 0 else {}
        while True:
            try:
                self._producer.produce(self.topic, value, key, partition, on_delivery=delivered, **more)
            except BufferError:  # the local queue is full: wait until some were delivered
                self._producer.poll(0.1)
            except KafkaException as error:  # larger than what any topic takes
                self.failures.append(error.args[0].str())
                return
            else:
                self._producer.poll(0)
                return
