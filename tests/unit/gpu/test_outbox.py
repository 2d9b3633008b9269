"""Samples on their way to Kafka: in order by GPU, never blocking, the oldest out first, all accounted for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from stream.gpu.outbox import MOST_HANDED_OVER, Outbox, options
from stream.gpu.sample import Readings, Sample, sample
from stream.gpu.series import Posted
from tests.support.gpu import RAW


class Client:
    """A Kafka client with room for so many; ``answers`` are what becomes of each, once polled."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.taken: list[tuple[str, bytes, Any]] = []
        self.told: list[Callable[[Any, Any], None]] = []
        self.error: object = None
        self.refuses: KafkaException | None = None

    def produce(self, topic: str, /, *, value: bytes, key: bytes, on_delivery: Callable[[Any, Any], None]) -> None:
        if self.refuses is not None:
            raise self.refuses
        if len(self.told) >= self.room:
            raise BufferError
        self.taken.append((topic, key, json.loads(value)["timestamp"]))
        self.told.append(on_delivery)

    def poll(self, timeout: float, /) -> int:
        assert timeout == 0, "handing over must not wait"
        return 0

    def flush(self, timeout: float, /) -> int:
        self.deliver()
        return 0

    def deliver(self) -> None:
        for told in self.told:
            told(self.error, None)
        self.told = []


def at(ms: int, uuid: str = "GPU-a") -> Sample:
    return sample(Readings("0", uuid, ms, "ok", answers=RAW))


def test_each_goes_to_the_topic_under_its_gpus_uuid_in_the_order_of_time() -> None:
    client = Client(room=10)
    outbox = Outbox(client, "test.serving")
    for ms, uuid in ((1, "GPU-a"), (1, "GPU-b"), (2, "GPU-a")):
        outbox.offer(at(ms, uuid))
    outbox.hand_over()
    assert client.taken == [("test.serving", b"GPU-a", 1), ("test.serving", b"GPU-b", 1), ("test.serving", b"GPU-a", 2)]
    assert outbox.posted() == Posted(0, 3, {}), "what the client has, Kafka has not yet"
    client.deliver()
    assert outbox.posted() == Posted(3, 0, {})


def test_while_kafka_is_away_the_newest_wait_and_the_oldest_go_counted() -> None:
    client = Client(room=2)
    outbox = Outbox(client, "serving", most=3)
    for ms in range(1, 10):
        outbox.offer(at(ms))
        outbox.hand_over()
    assert [ms for _, _, ms in client.taken] == [1, 2]
    assert outbox.posted() == Posted(0, 5, {"pushed_out": 4}), "9 were offered"
    client.deliver()
    outbox.hand_over()
    client.room = 9
    outbox.hand_over()
    assert [ms for _, _, ms in client.taken] == [1, 2, 7, 8, 9]


def test_a_topic_that_is_not_there_yet_ends_nothing_and_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    client = Client(room=9)
    client.refuses = KafkaException(KafkaError(KafkaError._UNKNOWN_TOPIC))
    outbox = Outbox(client, "serving", most=3)
    for ms in range(1, 6):
        outbox.offer(at(ms))
        outbox.hand_over()
    assert outbox.posted() == Posted(0, 3, {"pushed_out": 2})
    assert [record.message.split(":")[0] for record in caplog.records] == ["samples do not reach Kafka"]
    client.refuses = None
    outbox.hand_over()
    client.deliver()
    assert ([ms for _, _, ms in client.taken], outbox.posted()) == ([3, 4, 5], Posted(3, 0, {"pushed_out": 2}))


def test_samples_wait_for_kafka_however_long_it_is_away_and_no_error_ends_the_client() -> None:
    said = options()
    assert (said["message.timeout.ms"], said["queue.buffering.max.messages"]) == (0, MOST_HANDED_OVER)
    assert "enable.idempotence" not in said, "an idempotent producer can be ended by an error for good"
    assert said["max.in.flight.requests.per.connection"] == 1, "in order all the same"


def test_what_kafka_never_took_is_counted() -> None:
    client = Client(room=5)
    client.error = "timed out"
    outbox = Outbox(client, "serving")
    outbox.offer(at(1))
    outbox.close(0.5)
    assert outbox.posted() == Posted(0, 0, {"undelivered": 1})
