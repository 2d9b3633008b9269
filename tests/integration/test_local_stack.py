"""The embedded broker and Redis serve other clients, hold what is sent, and are gone afterwards."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from redis import Redis

import stream.local.redis as embedded
from stream.local.broker import PARTITIONS, create_topic, embedded_broker
from stream.local.redis import NoEmbeddedRedis, embedded_redis


def listens(address: str) -> bool:
    place = urlsplit(address if "//" in address else f"//{address}")
    assert place.hostname is not None
    with socket.socket() as probe:
        return probe.connect_ex((place.hostname, place.port or 0)) == 0


def test_a_topic_has_four_partitions_and_keeps_what_is_sent_to_each() -> None:
    with embedded_broker() as bootstrap:
        assert create_topic(bootstrap, "predictions") == PARTITIONS
        producer = Producer({"bootstrap.servers": bootstrap})
        for number in range(1000):
            producer.produce("predictions", str(number).encode(), partition=number % PARTITIONS)
        assert producer.flush(10) == 0
        assert [ends(bootstrap, partition) for partition in range(PARTITIONS)] == [(0, 250)] * PARTITIONS


def ends(bootstrap: str, partition: int) -> tuple[int, int]:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader"})
    try:
        low, high = consumer.get_watermark_offsets(TopicPartition("predictions", partition), timeout=10)
    finally:
        consumer.close()
    return low, high


def test_the_broker_ends_with_its_block() -> None:
    with embedded_broker() as bootstrap:
        assert listens(bootstrap)
    assert not listens(bootstrap)


def test_redis_is_empty_keeps_nothing_on_disk_and_never_evicts(tmp_path: Path) -> None:
    with embedded_redis(tmp_path) as url, Redis.from_url(url) as client:
        assert client.dbsize() == 0
        settings = {**client.config_get("save"), **client.config_get("appendonly")}
        assert settings == {b"save": b"", b"appendonly": b"no"} or settings == {
            "save": "",
            "appendonly": "no",
        }
        assert "noeviction" in str(client.config_get("maxmemory-policy"))
    assert [path.name for path in tmp_path.iterdir()] == ["redis.log"]


def test_redis_ends_with_its_block_also_when_that_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), embedded_redis(tmp_path) as url:
        raise RuntimeError
    assert not listens(url)


def test_elsewhere_the_error_says_to_bring_a_redis(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(embedded, "find_spec", lambda name: None)
    with pytest.raises(NoEmbeddedRedis, match="DRIFTLINE_REDIS"), embedded_redis(tmp_path):
        pass
