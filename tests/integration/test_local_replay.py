"""A replay never runs further ahead than allowed, closes every partition, and ends when all is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, TopicPartition

import stream.local.replay as subject
from schemas.errors import Unavailable
from schemas.events import Watermark, parse_record
from schemas.names import Names
from stream.local.broker import create_topic, embedded_broker
from stream.local.events import Record
from stream.local.replay import SOURCES, Offsets, Progress, Sender, Source, replay

START_MS = 1357035300000
NAMES = Names("shadow")


@pytest.fixture
def bootstrap() -> Iterator[str]:
    with embedded_broker() as address:
        for stream in subject.STREAMS:
            create_topic(address, NAMES.topic(stream))
        yield address


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MOST_OUTSTANDING", 100)
    monkeypatch.setattr(subject, "_PAUSE_S", 0.001)


class SlowWorker:
    """Stores at most ten records a partition between two looks."""

    def __init__(self, bootstrap: str) -> None:
        self.consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "slow"})
        self.stored: dict[Source, int] = {}

    def __call__(self) -> Offsets:
        for source in SOURCES:
            self.stored[source] = min(self.stored.get(source, 0) + 10, self.end(source))
        return dict(self.stored)

    def end(self, source: Source) -> int:
        place = TopicPartition(NAMES.topic(source[0]), source[1])
        _, high = self.consumer.get_watermark_offsets(place, timeout=10)
        return int(high)


def some_records(count: int) -> list[Record]:
    """Spread over all twelve partitions, a second apart."""
    return [
        Record(*SOURCES[number % 12], b"m#0", json.dumps({"n": number}).encode(), START_MS + 1000 * number)
        for number in range(count)
    ]


def run(bootstrap: str, count: int) -> list[Progress]:
    worker = SlowWorker(bootstrap)
    try:
        sender = Sender(bootstrap, NAMES)
        return list(replay(some_records(count), sender=sender, stored_offsets=worker))
    finally:
        worker.consumer.close()


def test_no_more_than_allowed_is_ever_outstanding(bootstrap: str) -> None:
    reports = run(bootstrap, 1000)
    assert max(report.lag for report in reports) <= 100
    assert len(reports) > 10


def test_it_ends_with_everything_stored_and_the_controls_counted(bootstrap: str) -> None:
    last = run(bootstrap, 1000)[-1]
    assert (last.events, last.lag, last.clock_ms) == (1000, 0, START_MS + 999_000)


def test_every_partition_ends_with_the_watermark_of_the_next_full_hour(bootstrap: str) -> None:
    run(bootstrap, 40)
    last = [last_value(bootstrap, source) for source in SOURCES]
    assert last == [[Watermark(START_MS + 45 * 60_000)]] * 12


def last_value(bootstrap: str, source: Source) -> object:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader"})
    try:
        place = TopicPartition(NAMES.topic(source[0]), source[1])
        _, high = consumer.get_watermark_offsets(place, timeout=10)
        consumer.assign([TopicPartition(place.topic, place.partition, high - 1)])
        message = consumer.poll(10)
        assert message is not None
        return parse_record(source[0], message.value())
    finally:
        consumer.close()


def test_a_broker_that_is_not_there_is_said_to_take_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "_FLUSH_S", 0.1)
    with pytest.raises(Unavailable, match="did not take 12 records"):
        Sender("127.0.0.1:1", NAMES).close(watermark_ms=START_MS)
