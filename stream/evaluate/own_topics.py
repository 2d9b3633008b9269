"""The topics that driftline itself writes: made when a worker starts, where they are missing.

``findings`` and ``actions`` have one partition, so that one owner decides about pages.  The demo's embedded broker can make no
topic with settings: it makes each with four partitions when asked for, and only the first is ever written.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata, NewTopic  # type: ignore[attr-defined]

from schemas.errors import ConfigError, Problem
from schemas.names import Names
from schemas.settings import Settings
from stream.kafka_client import kafka_options
from stream.state.config_topic import RECORD_BYTES
from stream.state.topics import is_embedded

log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 10.0
LOOK_EVERY_S = 0.05
#: The broker's own default.
DEFAULT = -1
SINGLE = ("findings", "actions")
#: Of a compressed report: enough for 10 000 features, of which an event cannot hold more, several times over.
REPORT_BYTES = 8 * 1024 * 1024
_COMPACTED = {"cleanup.policy": "compact"}
_TOPICS: Mapping[str, tuple[int, dict[str, str]]] = {
    "findings": (1, {}),
    "actions": (1, {}),
    "drift-reports": (DEFAULT, {"max.message.bytes": str(REPORT_BYTES)}),
    "incidents": (1, _COMPACTED),
    "config": (1, {**_COMPACTED, "max.message.bytes": str(RECORD_BYTES)}),
    # A router that starts reads how things stand, however long ago that was decided.
    "releases": (DEFAULT, {"retention.ms": "-1"}),
}


def partitions_of() -> dict[str, int]:
    """The topics of ours and how many partitions each has; -1: as the broker likes."""
    return {name: partitions for name, (partitions, _) in _TOPICS.items()}


def cleanup_of(name: str) -> str:
    """How a topic of ours is cleaned up."""
    return _TOPICS[name][1].get("cleanup.policy", "delete")


def ensure_topics(settings: Settings) -> None:
    """Make what is missing.

    :raises ConfigError: ``findings`` or ``actions`` has several partitions.
    """
    admin, names = AdminClient(kafka_options(settings)), settings.names
    found = admin.list_topics(timeout=ANSWER_WITHIN_S)
    missing = [name for name in _TOPICS if names.topic(name) not in found.topics]
    if is_embedded(found):
        for name in missing:
            admin.list_topics(names.topic(name), timeout=ANSWER_WITHIN_S)
        return
    check_single(found, names)
    theirs = _make(admin, names, missing)
    if theirs:
        check_single(_shown(admin, theirs), names)


def check_single(found: ClusterMetadata, names: Names) -> None:
    """:raises ConfigError: a topic that must have one partition has several."""
    for name in SINGLE:
        topic = found.topics.get(names.topic(name))
        if topic is not None and len(topic.partitions) > 1:
            message = (
                f"topic {names.topic(name)!r} has {len(topic.partitions)} partitions and must have 1: its one reader decides "
                "about pages. Delete it while no worker runs; the next worker makes it anew"
            )
            raise ConfigError([Problem("Kafka", 0, names.topic(name), message)])


def _make(admin: AdminClient, names: Names, missing: list[str]) -> list[str]:
    """Make what is missing; returns what somebody else made first: two workers start at once, or a person makes topics here."""
    theirs: list[str] = []
    if not missing:
        return theirs
    wanted = [_new(names.topic(name), name) for name in missing]
    for topic, made in admin.create_topics(wanted, request_timeout=ANSWER_WITHIN_S).items():
        try:
            made.result()
            log.info("made topic %s", topic)
        except KafkaException as error:
            if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
                theirs.append(topic)
            else:  # The first message will tell.
                log.error("topic %s could not be made: %s", topic, error)
    return theirs


def _shown(admin: AdminClient, topics: list[str]) -> ClusterMetadata:
    """The cluster once it shows these topics: one that was just made is not known to every broker at once."""
    until = time.monotonic() + ANSWER_WITHIN_S
    found = admin.list_topics(timeout=ANSWER_WITHIN_S)
    while not all(topic in found.topics for topic in topics) and time.monotonic() < until:
        time.sleep(LOOK_EVERY_S)
        found = admin.list_topics(timeout=ANSWER_WITHIN_S)
    return found


def _new(topic: str, name: str) -> NewTopic:
    partitions, config = _TOPICS[name]
    return NewTopic(topic, num_partitions=partitions, replication_factor=DEFAULT, config=config)
