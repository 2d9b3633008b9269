"""Samples on their way to Kafka: a bounded queue of which the oldest goes first, so that publishing never holds measuring up.

Handing over never blocks: what the client does not take now waits here, and what Kafka refuses is counted.  So each sample that was
offered is published, waits or was dropped.  The key is the UUID, so samples of one GPU keep their order.
"""

from __future__ import annotations

import json
import logging
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Protocol

from confluent_kafka import KafkaException

from stream.gpu.sample import Sample
from stream.gpu.series import Drop, Posted

log = logging.getLogger(__name__)

#: Samples that wait: most of a day of one GPU at the default period, nearly 3 hours of eight.
MOST_WAITING = 8192
#: Samples that the client holds at once; they wait here rather than there, where the newest would be refused.
MOST_HANDED_OVER = 256


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
        self._handed_over = 0
        self._published = 0
        self._dropped: Counter[Drop] = Counter()
        self._said = ""

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
        return Posted(self._published, len(self._waiting) + self._handed_over, dict(self._dropped))

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
        except KafkaException as refused:  # there is no such topic, or we may not write to it: it may be so later
            self._say(refused.args[0])
            return False
        self._handed_over += 1
        return True

    def _note(self, error: Any, message: Any) -> None:
        self._handed_over -= 1
        if error is None:
            self._published += 1
            self._said = ""
        else:
            self._dropped["undelivered"] += 1
            self._say(error)

    def _say(self, why: object) -> None:
        """Once, until a sample was taken."""
        if str(why) != self._said:
            self._said = str(why)
            log.warning("samples do not reach Kafka: %s", why)


def options() -> dict[str, Any]:
    """What the client is made with, beside where Kafka is: in order, and for as long as it takes.

    A sample that comes twice changes nothing; a producer that sends none twice needs more rights, and an error may end it for good.
    """
    return {
        "max.in.flight.requests.per.connection": 1,
        "linger.ms": 50,
        "message.timeout.ms": 0,
        "queue.buffering.max.messages": MOST_HANDED_OVER,
    }
