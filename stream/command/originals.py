"""The records that dead letters are about, read at their coordinates, and what is refused of each.

Letters are masked and cut, so nothing can be sent again from them.  That the record found is the one that was refused is
told by its time and its length: offsets of a topic that was made anew begin at 0 again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import cast

from confluent_kafka import Consumer, Message

from schemas.names import Stream
from schemas.settings import Settings
from stream.command.letters import DeadLetter
from stream.command.refused import Original, Untold, record_of, refused_events
from stream.command.stretches import Place, Stretch, logs_in, records_of

#: Records of a partition that are so near are read in one go.
NEAR = 1_000
Letters = Sequence[DeadLetter]
Logs = Mapping[Place, Stretch]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one record: ``events`` are places in it (None: all of it), ``why`` it was not sent again."""

    record: str
    state: str
    events: tuple[int, ...] | None = None
    sent_to: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A record that is there, and the places of what is refused of it; None: all of it."""

    record: str
    stream: Stream
    message: Message
    events: tuple[int, ...] | None

    @property
    def identities(self) -> dict[str, int]:
        """What is noted of each event when it is sent again, with the record's timestamp."""
        at_ms = timestamp_of(self.message)
        return {self.record: at_ms} if self.events is None else {f"{self.record}:{at}": at_ms for at in self.events}

    def only(self, identities: set[str]) -> Found | None:
        """What is left of it with these alone; None where nothing is."""
        if self.events is None:
            return self if self.record in identities else None
        events = tuple(at for at in self.events if f"{self.record}:{at}" in identities)
        return Found(self.record, self.stream, self.message, events) if events else None

    def value(self) -> bytes | None:
        """What is to be sent."""
        value = self.message.value()
        return value if self.events is None or value is None else record_of(value, self.events)


def timestamp_of(message: Message) -> int:
    """Kafka's timestamp of a record in ms, -1 for none."""
    return int(message.timestamp()[1])


def logs_of_letters(consumer: Consumer, settings: Settings, letters: Mapping[str, Letters]) -> dict[Place, Stretch]:
    """Start and end of the logs that these letters are about, those that producers write to.

    :raises Unavailable: Kafka does not answer.
    """
    topics = {of_record[0].topic for of_record in letters.values()}
    return {
        (topic, partition): log
        for topic in sorted(topics)
        if _stream(settings, topic) is not None
        for partition, log in logs_in(consumer, settings, topic).items()
    }


def originals(
    settings: Settings, consumer: Consumer, letters: Mapping[str, Letters], *, logs: Logs
) -> Iterator[Found | Outcome]:
    """The record of each group of letters, and an outcome for each that is not there."""
    readable: dict[str, Letters] = {}
    for record, of_record in letters.items():
        why = _unreadable(settings, of_record[0], logs)
        if why is None:
            readable[record] = of_record
        else:
            yield Outcome(record, "failed", why=why)
    seen: set[str] = set()
    for message in _wanted_messages(consumer, readable):
        record = f"{message.topic()}:{message.partition()}:{message.offset()}"
        if record in readable and record not in seen:
            seen.add(record)
            yield _judged(settings, message, readable[record], record=record)
    for record in readable.keys() - seen:
        yield Outcome(record, "failed", why="the record is gone: the log holds none at its place any more")


def _stream(settings: Settings, topic: str) -> Stream | None:
    try:
        return settings.names.stream_of(topic)
    except ValueError:
        return None


def _unreadable(settings: Settings, letter: DeadLetter, logs: Logs) -> str | None:
    """Why a letter's record cannot be read; None where it may be."""
    if _stream(settings, letter.topic) is None:
        return f"{letter.topic!r} is no topic that producers write to in this environment"
    start, end = logs.get((letter.topic, letter.partition), (0, 0))
    if letter.offset >= end:
        return f"the record is gone: its log ends at {end}, so the topic was made anew"
    if letter.offset < start:
        return f"the record is gone: retention took it, the log begins at {start}; send it from the source"
    return None


def _judged(settings: Settings, message: Message, letters: Letters, *, record: str) -> Found | Outcome:
    value = message.value()
    if any(one.at_ms != timestamp_of(message) or one.payload_bytes != len(value or b"") for one in letters):
        return Outcome(record, "failed", why="another record stands there now: the topic was made anew")
    stream = settings.names.stream_of(letters[0].topic)
    original = Original(stream, value, timestamp_of(message))
    try:
        events = refused_events(original, letters, skew_ms=int(settings.future_skew_s * 1000))
    except Untold as untold:
        return Outcome(record, "failed", why=str(untold))
    return Found(record, stream, message, events)


def _wanted_messages(consumer: Consumer, letters: Mapping[str, Letters]) -> Iterator[Message]:
    """What stands at and between the wanted places, one stretch of each partition after the other."""
    offsets: dict[Place, set[int]] = {}
    for of_record in letters.values():
        first = of_record[0]
        offsets.setdefault((first.topic, first.partition), set()).add(first.offset)
    stretches = {place: stretches_of(sorted(wanted)) for place, wanted in offsets.items()}
    for together in zip_longest(*stretches.values()):
        chosen = {place: stretch for place, stretch in zip(stretches, together, strict=True) if stretch is not None}
        yield from records_of(consumer, cast("dict[Place, Stretch]", chosen))


def stretches_of(offsets: Sequence[int]) -> list[Stretch]:
    """Ascending offsets as stretches to read: what lies near each other is read in one go.

    >>> stretches_of([3, 4, 900, 5_000])
    [(3, 901), (5000, 5001)]
    """
    found: list[Stretch] = []
    for offset in offsets:
        if found and offset - found[-1][1] < NEAR:
            found[-1] = (found[-1][0], offset + 1)
        else:
            found.append((offset, offset + 1))
    return found
