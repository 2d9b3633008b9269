"""Rows of Kafka's network and of its copies: a worker that cannot reach the broker, and one of three brokers killed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from faust.types import TP

from stream.expose.sighting import LogEnds
from stream.kafka_client import asking_client
from stream.state.topics import TopicIds
from tests.support.chaos import row
from tests.support.chaos_services import scene_on
from tests.support.generated import PANE_MS, START_MS
from tests.support.kafka_nodes import NODES, BehindNetwork, ThreeBrokers
from tests.support.worker import PARTITIONS, Deployment

pytestmark = [pytest.mark.chaos, pytest.mark.long]

RECORDS, RATE = 6_000, 1_500
END_MS = START_MS + 30 * PANE_MS
EXACT = "every stored count is exact"


@row("one of three brokers killed", f"{EXACT}; the workers stay, all copies come back")
def test_a_broker_of_three_that_is_killed_costs_nothing(redis_url: str, environment_name: str, tmp_path: Path) -> None:
    with ThreeBrokers.running(tmp_path) as kafka:
        deployment = Deployment(kafka.bootstrap, redis_url, environment_name, tmp_path)
        with scene_on(deployment) as scene:
            records = scene.traffic().records(RECORDS)
            workers = scene.start(2)
            topic = deployment.names.topic("predictions")
            assert kafka.copies(topic) == {NODES}
            asks = asking_client(deployment.settings)
            assert_answers(asks, topic)
            killed = kafka.leader(topic)
            with scene.sending(records, rate=RATE):
                scene.wait_for(0.3, records)
                killed.kill()
            scene.close(END_MS)
            scene.assert_exact()  # while it is gone
            assert_answers(asks, topic)
            killed.start()
            deployment.wait_until(lambda: kafka.copies(topic) == {NODES})
            assert [worker.alive for worker in workers] == [True, True]


def assert_answers(asks: AdminClient, topic: str) -> None:
    """Kafka says what a worker asks it, who does not try a broker that is gone again and again for it: a core for seconds."""
    used = time.process_time()
    places = [TP(topic, partition) for partition in range(PARTITIONS)]
    assert (len(LogEnds(asks)(places)), TopicIds(asks).of([topic])[topic] is None) == (PARTITIONS, False)
    assert time.process_time() - used < 0.5


@pytest.mark.parametrize(
    "how",
    [
        pytest.param("cut", marks=row("network cut between worker and Kafka", EXACT)),
        pytest.param("hold", marks=row("network between worker and Kafka that drops all", EXACT)),
    ],
)
def test_a_worker_that_cannot_reach_kafka_loses_and_doubles_nothing(
    redis_url: str, environment_name: str, tmp_path: Path, how: str
) -> None:
    with BehindNetwork.running(tmp_path) as kafka:
        deployment = Deployment(kafka.open, redis_url, environment_name, tmp_path)
        with scene_on(deployment) as scene:
            records = scene.traffic().records(2 * RECORDS)
            [behind] = scene.start(kafka=kafka.far)
            [beside] = scene.start()
            with scene.sending(records, rate=RATE):
                scene.wait_for(0.2, records)
                getattr(kafka.network, how)()
                deployment.wait_until(lambda: set(deployment.owners().values()) == {beside.pid})
                kafka.network.through()
                deployment.wait_until_shared(behind, beside)
            scene.close(END_MS)
            scene.assert_exact()
            assert (behind.alive, beside.alive) == (True, True)
