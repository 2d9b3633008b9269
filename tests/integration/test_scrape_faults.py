"""``driftline scrape`` while the broker is killed and while it is begun anew: each request of the counters is a row, once."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from stream.local.broker import create_topic
from tests.support.exporter import LLAMA
from tests.support.kafka import LocalKafka
from tests.support.scraped import exporter, scraping
from tests.support.worker import PARTITIONS, Deployment


def page(requests: int) -> bytes:
    return f'vllm:request_success_total{{model_name="{LLAMA}",finished_reason="stop"}} {requests}.0\n'.encode()


@pytest.fixture
def alone(own_kafka: LocalKafka, environment_name: str, tmp_path: Path) -> Deployment:
    """A deployment of topics only."""
    made = Deployment(own_kafka.bootstrap, "redis://127.0.0.1:1", environment_name, tmp_path)
    made.create_topics()
    return made


@pytest.fixture
def embedded(embedded_bootstrap: str, environment_name: str, tmp_path: Path) -> Deployment:
    """The same on the demo's broker."""
    made = Deployment(embedded_bootstrap, "redis://127.0.0.1:1", environment_name, tmp_path)
    create_topic(embedded_bootstrap, made.names.topic("serving"))
    return made


def test_a_broker_that_is_killed(alone: Deployment, own_kafka: LocalKafka, tmp_path: Path) -> None:
    with exporter(page(1_000)) as served, scraping(alone, tmp_path, url=served.url):
        alone.wait_until(lambda: served.asked > 0)
        for requests, fault in ((9_500, own_kafka.kill), (12_001, own_kafka.start)):
            served.show(page(requests))
            alone.wait_until(lambda: served.asked > 0)
            fault()
        alone.wait_until(lambda: rows(alone) >= 11_001)
    assert rows(alone) == 11_001


def test_a_process_that_left_its_state(embedded: Deployment, tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "state.json"))
    with exporter(page(1_000)) as served:
        with scraping(embedded, tmp_path, url=served.url, options=state):
            embedded.wait_until(lambda: served.asked > 1)
        served.show(page(1_500))
        with scraping(embedded, tmp_path, url=served.url, options=state):
            embedded.wait_until(lambda: rows(embedded) >= 500)
    assert rows(embedded) == 500


def rows(deployment: Deployment) -> int:
    """How many events the topic holds."""
    consumer = Consumer({"bootstrap.servers": deployment.kafka, "group.id": "none", "enable.partition.eof": True})
    topic = deployment.names.topic("serving")
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(PARTITIONS)])
    found, ended = 0, 0
    while ended < PARTITIONS:
        message = consumer.poll(10.0)
        assert message is not None
        if message.error():
            ended += 1
        else:
            found += len(msgspec.json.decode(message.value() or b"")["timestamp"])
    consumer.close()
    return found
