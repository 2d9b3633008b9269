"""What only the broker knows of a topic: its id, which changes when the topic is deleted and created anew."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, ClusterMetadata  # type: ignore[attr-defined]

log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 10.0
#: How the demo's embedded broker names its cluster.
EMBEDDED = "mockCluster"


def is_embedded(found: ClusterMetadata) -> bool:
    """Whether the broker is the demo's own: it knows no topic ids, no topic settings and no controller."""
    return str(found.cluster_id).startswith(EMBEDDED)


class TopicIds:
    """Asks for ids.  The embedded broker, which would let every question run into its time limit, is not asked."""

    def __init__(self, admin: AdminClient) -> None:
        self._admin = admin
        self._tells: bool | None = None

    def of(self, topics: Iterable[str]) -> dict[str, str | None]:
        """The id of each topic; None where the broker cannot tell, does not answer, or the topic is not there."""
        found: dict[str, str | None] = dict.fromkeys(topics)
        try:
            if not self._is_asked():
                return found
            described = self._admin.describe_topics(TopicCollection(list(found)), request_timeout=ANSWER_WITHIN_S)
        except (KafkaException, ValueError) as error:
            log.warning("topic ids are unknown: %s", error)
            return found
        for topic, future in described.items():
            try:
                found[topic] = _known(str(future.result().topic_id))
            except KafkaException as error:
                log.info("id of topic %s is unknown: %s", topic, error)
        return found

    def _is_asked(self) -> bool:
        if self._tells is None:
            self._tells = not is_embedded(self._admin.list_topics(timeout=ANSWER_WITHIN_S))
        return self._tells


def _known(topic_id: str) -> str | None:
    """Brokers without topic ids answer the zero id."""
    return topic_id if topic_id.strip("A=") else None
