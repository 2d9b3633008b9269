"""Samples on their way to Kafka: in order by GPU, never blocking, the oldest out first, all accounted for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from stream.gpu.outbox import Outbox
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

    def produce(self, topic: str, /, *, value: bytes, key: bytes, on_delivery: Callable[[Any, Any], None]) -> None:
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
    assert outbox.posted() == Posted(0, 0, {})
    client.deliver()
    assert outbox.posted() == Posted(3, 0, {})


def test_while_kafka_is_away_the_newest_wait_and_the_oldest_go_counted() -> None:
    client = Client(room=2)
    outbox = Outbox(client, "serving", most=3)
    for ms in range(1, 10):
        outbox.offer(at(ms))
        outbox.hand_over()
    assert [ms for _, _, ms in client.taken] == [1, 2]
    assert outbox.posted() == Posted(0, 3, {"pushed_out": 4})
    client.deliver()
    outbox.hand_over()
    client.room = 9
    outbox.hand_over()
    assert [ms for _, _, ms in client.taken] == [1, 2, 7, 8, 9]


def test_what_kafka_never_took_is_counted() -> None:
    client = Client(room=5)
    client.error = "timed out"
    outbox = Outbox(client, "serving")
    outbox.offer(at(1))
    outbox.close(0.5)
    assert outbox.posted() == Posted(0, 0, {"undelivered": 1})
