"""Stretches of Kafka's logs as a command reads them: without leaving a trace, and never beyond what was asked.

No consumer group is joined and nothing is committed: partitions are assigned where a stretch begins and read up to its end,
so a topic that keeps growing does not hold the reader.  Records of aborted transactions are left out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.settings import Settings
from stream.command.connect import ANSWER_WITHIN_S, command_options, partitions_in

Place = tuple[str, int]
#: The first offset of a stretch, and the one behind its last.
Stretch = tuple[int, int]
#: Read at once from the consumer's queue.
AT_ONCE = 500
#: librdkafka waits for all of ``AT_ONCE``, however few there are: not longer than this.
GATHER_S = 0.1
_LEADERLESS = frozenset(
    {KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, KafkaError.UNKNOWN_TOPIC_OR_PART}
)
#: Longest wait for records that are known to be there.
SILENCE_S = 10.0


def trackless_consumer(settings: Settings) -> Consumer:
    """A consumer for ``records_of``; it is the caller's to close."""
    options = {"group.id": "driftline-command", "enable.auto.commit": False, "enable.partition.eof": True}
    # Should retention pass a stretch while it is read, what is left of it is read.
    return Consumer(command_options(settings, **options, **{"auto.offset.reset": "earliest"}))


def logs_in(consumer: Consumer, settings: Settings, topic: str) -> dict[int, Stretch]:
    """Start and end of every partition's log; empty where there is no such topic.

    :raises Unavailable: Kafka does not answer.
    """
    partitions = range(partitions_in(consumer, settings).get(topic, 0))
    return {at: _log(consumer, TopicPartition(topic, at)) for at in partitions}


def _log(consumer: Consumer, place: TopicPartition) -> Stretch:
    """Asked again for a while where a partition has no leader yet: a topic that was just made."""
    until = time.monotonic() + ANSWER_WITHIN_S
    while True:
        try:
            found = consumer.get_watermark_offsets(place, timeout=ANSWER_WITHIN_S)
        except KafkaException as error:
            if time.monotonic() > until or error.args[0].code() not in _LEADERLESS:
                raise
            time.sleep(GATHER_S)
        else:
            if found is None:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
            return found


def records_of(consumer: Consumer, stretches: Mapping[Place, Stretch]) -> Iterator[Message]:
    """The records of these stretches, each partition's in order.

    :raises KafkaException: nothing comes although something is there.
    """
    left = {place: end for place, (start, end) in stretches.items() if end > start}
    consumer.assign([TopicPartition(*place, stretches[place][0]) for place in left])
    heard = time.monotonic()
    while left:
        messages = consumer.consume(AT_ONCE, timeout=GATHER_S)
        if messages:
            heard = time.monotonic()
        elif time.monotonic() - heard > SILENCE_S:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"nothing came for {SILENCE_S:g} s"))
        for message in messages:
            place = cast(Place, (message.topic(), message.partition()))
            offset, is_record = cast(int, message.offset()), _is_record(message)
            if place in left and is_record and offset < left[place]:
                yield message
            # The last offsets of a log may be no records; then only its end says that all were read.
            if place in left and (not is_record or offset + 1 >= left[place]):
                del left[place]
                consumer.pause([TopicPartition(*place)])


class Holes:
    """Offsets of stretches at which no record came: where a log was cut meanwhile, or where a transaction ends."""

    def __init__(self, stretches: Mapping[Place, Stretch]) -> None:
        self._ends = {place: end for place, (_, end) in stretches.items()}
        self._next = {place: start for place, (start, end) in stretches.items() if end > start}
        self._holes: list[tuple[int, Stretch]] = []

    def seen(self, messages: Iterator[Message]) -> Iterator[Message]:
        """The messages as they come."""
        for message in messages:
            place, offset = cast(Place, (message.topic(), message.partition())), cast(int, message.offset())
            self._note(place, offset)
            self._next[place] = offset + 1
            yield message

    def deleted(self, logs: Mapping[int, Stretch]) -> int:
        """How many offsets were deleted before they were read: those that the logs do not begin with any more."""
        for place, end in self._ends.items():
            if place in self._next:
                self._note(place, end)
        return sum(max(0, min(end, logs.get(at, (0, 0))[0]) - start) for at, (start, end) in self._holes)

    def _note(self, place: Place, offset: int) -> None:
        if offset > self._next[place]:
            self._holes.append((place[1], (self._next[place], offset)))


def _is_record(message: Message) -> bool:
    error = message.error()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:
        raise KafkaException(error)
    return error is None
