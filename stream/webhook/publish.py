"""Sends findings to Kafka and returns once the broker has them; where it does not answer, whoever asked has to ask again.

A message that was given up may still arrive: it is an older word on its alert than the next one, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.alertmanager import ALERTMANAGER
from schemas.errors import ConfigError, Unavailable
from schemas.findings import Finding, Progress, encode
from schemas.settings import Settings
from stream.kafka_client import kafka_options

#: Shorter than what Alertmanager waits for.
ANSWER_WITHIN_S = 8.0
#: One owner reads them, whatever the topic has.
PARTITION = 0


def findings_producer(settings: Settings) -> Producer:
    """A producer that keeps the order over its own retries, and gives up in time."""
    how = {
        "client.id": "driftline-webhook",
        "enable.idempotence": True,
        "linger.ms": 5,
        "compression.type": "gzip",
        "message.timeout.ms": int(ANSWER_WITHIN_S * 1000),
    }
    return Producer(kafka_options(settings, **how))


class Publisher:
    """``publish`` blocks: it belongs on a thread.

    ``ensure`` makes the topic, which the first message would otherwise make with as many partitions as the broker likes: no
    worker would start any more.
    """

    def __init__(self, producer: Producer, topic: str, *, ensure: Callable[[], None]) -> None:
        self._producer, self._topic, self._ensure = producer, topic, ensure
        self._ensured = False

    def publish(self, messages: Sequence[Finding | Progress]) -> None:
        """Return once the broker has all of them.

        :raises Unavailable: it does not, and may have some.
        """
        self._have_topic()
        fates: list[KafkaError | None] = []

        def delivered(error: KafkaError | None, message: Message) -> None:
            fates.append(error)

        try:
            for message in messages:
                self._producer.produce(
                    self._topic, encode(message), ALERTMANAGER.encode(), PARTITION, on_delivery=delivered
                )
        except (BufferError, KafkaException) as error:
            raise Unavailable(f"Kafka takes no findings: {error}") from None
        self._producer.flush(ANSWER_WITHIN_S + 1)
        failed = [error for error in fates if error is not None]
        if failed or len(fates) < len(messages):
            why = failed[0].str() if failed else "no answer"
            raise Unavailable(f"Kafka does not answer ({why}); start it, or set DRIFTLINE_KAFKA to where it is")

    def _have_topic(self) -> None:
        if self._ensured:
            return
        try:
            self._ensure()
        except (KafkaException, ConfigError) as error:
            raise Unavailable(f"the topic {self._topic} cannot be made: {error}") from None
        self._ensured = True
