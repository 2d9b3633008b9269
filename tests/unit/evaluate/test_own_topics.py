"""The topics that driftline writes, on a cluster whose brokers learn one after the other of a topic that was made."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from schemas.errors import ConfigError
from schemas.names import Names
from schemas.settings import Settings
from stream.evaluate import own_topics

NAMES = Names("test")


class Cluster:
    """Somebody made ``topics`` a moment ago: they show at the third look, and cannot be made again."""

    def __init__(self, topics: dict[str, int]) -> None:
        self.topics, self.looks, self.made = topics, 0, list[str]()

    def list_topics(self, timeout: float) -> Any:
        self.looks += 1
        shown = self.topics if self.looks > 2 else {}
        topics = {name: SimpleNamespace(partitions=dict.fromkeys(range(count))) for name, count in shown.items()}
        return SimpleNamespace(cluster_id="c", topics=topics)

    def create_topics(self, wanted: list[Any], request_timeout: float) -> dict[str, Future[None]]:
        return {new.topic: self._answer(new.topic) for new in wanted}

    def _answer(self, topic: str) -> Future[None]:
        answer: Future[None] = Future()
        if topic in self.topics:
            answer.set_exception(KafkaException(KafkaError(KafkaError.TOPIC_ALREADY_EXISTS)))
        else:
            self.made.append(topic)
            answer.set_result(None)
        return answer


def ensured(monkeypatch: pytest.MonkeyPatch, topics: dict[str, int]) -> Cluster:
    cluster = Cluster(topics)
    monkeypatch.setattr(own_topics, "AdminClient", lambda _: cluster)
    monkeypatch.setattr(own_topics, "LOOK_EVERY_S", 0.0)
    own_topics.ensure_topics(Settings(kafka="kafka:1", environment=NAMES.environment))
    return cluster


@pytest.mark.parametrize("name", own_topics.SINGLE)
def test_a_topic_of_three_partitions_is_refused_though_no_broker_showed_it_at_first(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with pytest.raises(ConfigError, match="has 3 partitions and must have 1"):
        ensured(monkeypatch, {NAMES.topic(name): 3})


def test_a_topic_that_another_worker_made_at_the_same_time_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = ensured(monkeypatch, {NAMES.topic("actions"): 1})
    assert (cluster.looks, sorted(cluster.made)) == (
        3,
        sorted(map(NAMES.topic, ("findings", "drift-reports", "incidents", "releases", "config"))),
    )
