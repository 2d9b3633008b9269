"""Samples on their way to Kafka: a bounded queue of which the oldest goes first, so that publishing never holds measuring up.

Handing over never blocks: what the client does not take now waits here, and what Kafka does not take in time is counted.  The key
is the UUID, so samples of one GPU keep their order.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Protocol

from stream.gpu.sample import Sample
from stream.gpu.series import Drop, Posted

#: Samples that wait: a day of one GPU at the default period, 2 hours of eight.
MOST_WAITING = 8192
#: Samples that the client holds at once; they wait here rather than there, where the newest would be refused.
MOST_HANDED_OVER = 256
#: A sample that Kafka has not taken by then is of no use any more.
DELIVER_WITHIN_MS = 30_000


class Producer(Protocol):
    """What is used of ``confluent_kafka.Producer``."""

    def produce(self, topic: str, /, *, value: bytes, key: bytes, on_delivery: Callable[[Any, Any], None]) -> None: ...

    def poll(self, timeout: float, /) -> int: ...

    def flush(self, timeout: float, /) -> int: ...


class Outbox:
    """``offer`` a sample at any time; ``hand_over`` now and then."""

    def __init__(self, producer: Producer, topic: str, *, most: int = MOST_WAITING) -> None:
        self._producer, self._topic = producer, topic
        self._waiting: deque[Sample] = deque()
        self._most = most
        self._published = 0
        self._dropped: Counter[Drop] = Counter()

    def offer(self, sample: Sample) -> None:
        """Take a sample; where there is no room, the oldest goes."""
        if len(self._waiting) >= self._most:
            self._waiting.popleft()
            self._dropped["pushed_out"] += 1
        self._waiting.append(sample)

    def hand_over(self) -> None:
        """Give the client what it takes, and hear what became of what it has."""
        while self._waiting and self._produced(self._waiting[0]):
            self._waiting.popleft()
        self._producer.poll(0)

    def posted(self) -> Posted:
        """How it stands."""
        return Posted(self._published, len(self._waiting), dict(self._dropped))

    def close(self, within_s: float) -> None:
        """Send what can be sent in the time."""
        self.hand_over()
        self._producer.flush(within_s)

    def _produced(self, sample: Sample) -> bool:
        value, key = json.dumps(sample.event()).encode(), sample.uuid.encode()
        try:
            self._producer.produce(self._topic, value=value, key=key, on_delivery=self._note)
        except BufferError:  # the client holds as many as it may
            return False
        return True

    def _note(self, error: Any, message: Any) -> None:
        if error is None:
            self._published += 1
        else:
            self._dropped["undelivered"] += 1


def options() -> dict[str, Any]:
    """What the client is made with, beside where Kafka is: in order, none twice, none for long."""
    return {
        "enable.idempotence": True,
        "linger.ms": 50,
        "message.timeout.ms": DELIVER_WITHIN_MS,
        "queue.buffering.max.messages": MOST_HANDED_OVER,
    }
