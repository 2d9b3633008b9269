"""What only the broker knows of a topic: its id, which changes when the topic is deleted and created anew."""

from __future__ import annotations

import logging

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 10.0


def topic_ids(admin: AdminClient, topics: list[str]) -> dict[str, str | None]:
    """The id of each topic; None where the broker is too old to tell, or the topic is not there."""
    found: dict[str, str | None] = dict.fromkeys(topics)
    try:
        described = admin.describe_topics(TopicCollection(topics), request_timeout=ANSWER_WITHIN_S)
    except (KafkaException, ValueError) as error:
        log.warning("topic ids are unknown: %s", error)
        return found
    for topic, future in described.items():
        try:
            found[topic] = _known(str(future.result().topic_id))
        except KafkaException as error:
            log.info("id of topic %s is unknown: %s", topic, error)
    return found


def _known(topic_id: str) -> str | None:
    """Brokers without topic ids answer the zero id."""
    return topic_id if topic_id.strip("A=") else None
