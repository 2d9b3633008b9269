"""A Kafka broker of the demo's own: librdkafka's mock cluster, which the confluent-kafka wheel carries.

It lives in this process, on a free port of the loopback, and other processes use it over TCP. A topic appears
with four partitions when somebody first asks for it. Three things differ from a real broker, and whoever
uses it must respect them: a partition keeps 5 MiB and then forgets its oldest records without a word; topics
cannot be made, listed with their settings or deleted; a waiting fetch is not woken by a new record.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from confluent_kafka import Producer

PARTITIONS = 4
_START_S = 10.0


@contextlib.contextmanager
def embedded_broker() -> Iterator[str]:
    """The bootstrap address of a running, empty broker; it ends with the block."""
    # The cluster belongs to this client, which sends nothing itself; its address is in its own metadata.
    owner = Producer(
        {"bootstrap.servers": "none", "test.mock.num.brokers": 1, "log_level": 0},
        logger=logging.getLogger(__name__),
    )
    brokers = owner.list_topics(timeout=_START_S).brokers.values()
    yield ",".join(f"{broker.host}:{broker.port}" for broker in brokers)
    owner.flush(0)


def create_topic(bootstrap: str, topic: str) -> int:
    """Have the broker make a topic by asking for it; the number of its partitions."""
    asker = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    return len(asker.list_topics(topic, timeout=_START_S).topics[topic].partitions)
