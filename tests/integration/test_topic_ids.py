"""Topic ids: a broker that has them tells them, the embedded one is never asked what it lets run into a time limit."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from stream.local.broker import create_topic
from stream.state.topics import TopicIds


def admin(bootstrap: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})


def test_the_embedded_broker_is_not_asked_for_ids(embedded_bootstrap: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def describe_topics(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("it would answer after ten seconds that it has no controller")

    create_topic(embedded_bootstrap, "events")
    asked = admin(embedded_bootstrap)
    monkeypatch.setattr(asked, "describe_topics", describe_topics, raising=False)
    assert TopicIds(asked).of(["events", "other"]) == {"events": None, "other": None}


def test_a_broker_tells_ids_and_none_of_a_topic_that_is_not_there(kafka_bootstrap: str, environment_name: str) -> None:
    topics = [f"{environment_name}.{name}" for name in ("a", "b", "missing")]
    for topic in topics[:2]:
        create_topic(kafka_bootstrap, topic)
    found = told(kafka_bootstrap, topics, known=2)
    assert found[topics[2]] is None
    assert len({found[topic] for topic in topics}) == 3
    assert TopicIds(admin(kafka_bootstrap)).of(topics) == found


def test_a_broker_that_is_away_is_asked_again(kafka_bootstrap: str, environment_name: str) -> None:
    topic = f"{environment_name}.a"
    create_topic(kafka_bootstrap, topic)
    assert told(kafka_bootstrap, [topic], known=1)[topic] is not None
    asked = _AwayAtFirst(kafka_bootstrap)
    ids = TopicIds(asked)
    assert ids.of([topic]) == {topic: None}
    assert ids.of([topic])[topic] is not None


def told(bootstrap: str, topics: list[str], *, known: int) -> Mapping[str, str | None]:
    """The ids once the broker tells so many: a topic that was made is not known to all of it at once."""
    until = time.monotonic() + 30.0
    while True:
        found = TopicIds(admin(bootstrap)).of(topics)
        if sum(one is not None for one in found.values()) >= known or time.monotonic() > until:
            return found
        time.sleep(0.1)


class _AwayAtFirst(AdminClient):
    """Its first question is not answered."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__({"bootstrap.servers": bootstrap, "log_level": 0})
        self.asked = 0

    def list_topics(self, *args: Any, **kwargs: Any) -> Any:
        self.asked += 1
        if self.asked == 1:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return super().list_topics(*args, **kwargs)
