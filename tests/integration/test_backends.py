"""The services the integration tests stand on are real, and come back with their data after a kill."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer
from redis import Redis

from tests.support.kafka import LocalKafka
from tests.support.process import listening
from tests.support.redis import LocalRedis
from tests.support.source import ROOT

pytestmark = pytest.mark.real_kafka


def test_a_record_comes_back_from_kafka(kafka_bootstrap: str, environment_name: str) -> None:
    topic = f"{environment_name}.predictions"
    produce(kafka_bootstrap, topic, b"one")

    assert consume_all(kafka_bootstrap, topic) == [b"one"]


def test_a_topic_that_appears_by_being_written_to_has_four_partitions(
    kafka_bootstrap: str, environment_name: str
) -> None:
    topic = f"{environment_name}.labels"
    producer = produce(kafka_bootstrap, topic, b"one")

    assert len(producer.list_topics(topic, timeout=10).topics[topic].partitions) == 4


def test_redis_answers_and_never_evicts(redis_url: str) -> None:
    with Redis.from_url(redis_url) as redis:
        assert redis.ping() is True
        assert redis.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert int(redis.info("server")["redis_version"].split(".")[0]) >= 7


def test_a_killed_broker_comes_back_on_its_port_with_its_records(own_kafka: LocalKafka) -> None:
    address = own_kafka.bootstrap
    produce(address, "predictions", b"before")
    own_kafka.kill()
    own_kafka.start()
    produce(address, "predictions", b"after")

    assert own_kafka.bootstrap == address
    assert sorted(consume_all(address, "predictions", count=2)) == [b"after", b"before"]


def test_a_killed_redis_comes_back_on_its_port_with_its_keys(own_redis: LocalRedis) -> None:
    with Redis.from_url(own_redis.url) as redis:
        redis.set("kept", "7")
        own_redis.kill()
        own_redis.start()
        assert redis.get("kept") == b"7"
        own_redis.restart()
        assert redis.get("kept") == b"7"


def test_a_service_does_not_outlive_a_test_run_that_is_killed(tmp_path: Path) -> None:
    program = f"""
import time; from pathlib import Path; from tests.support.redis import LocalRedis
redis = LocalRedis(Path({str(tmp_path)!r})); redis.start(); print(redis.port, flush=True); time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=ROOT) as run:
        assert run.stdout is not None
        port = int(run.stdout.readline())
        assert listening(port)
        run.kill()

    gone = time.monotonic() + 5
    while listening(port) and time.monotonic() < gone:
        time.sleep(0.05)
    assert not listening(port)


def produce(bootstrap: str, topic: str, value: bytes) -> Producer:
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    producer.produce(topic, value)
    assert producer.flush(30) == 0
    return producer


def consume_all(bootstrap: str, topic: str, *, count: int = 1) -> list[bytes]:
    """The values of the first ``count`` records of a topic (fewer when they do not come within 20 s)."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": f"{topic}-read", "auto.offset.reset": "earliest"})
    try:
        consumer.subscribe([topic])
        return [record.value() or b"" for record in consumer.consume(count, timeout=20)]
    finally:
        consumer.close()
