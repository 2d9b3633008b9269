"""A topic is read whatever its producer packs with, as librdkafka writes it and Kafka keeps it."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer import fetcher
from confluent_kafka import Producer

from stream import unpacking
from stream.records import Records

VALUES = [f'{{"event": {number}, "of": "many that are alike"}}'.encode() for number in range(500)]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_what_was_packed_is_read(
    kafka_bootstrap: str, environment_name: str, codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MemoryRecords", "PartitionRecords", "FetchResult"):
        monkeypatch.setattr(fetcher, name, getattr(fetcher, name))  # put back afterwards
    unpacking.install()
    topic = f"{environment_name}-{codec}"
    producer = Producer({"bootstrap.servers": kafka_bootstrap, "compression.type": codec, "linger.ms": 50})
    for value in VALUES:
        producer.produce(topic, value, partition=0)
    assert producer.flush(20) == 0
    assert asyncio.run(_read(kafka_bootstrap, TopicPartition(topic, 0))) == VALUES


async def _read(kafka: str, place: TopicPartition) -> list[bytes | None]:
    found: list[bytes | None] = []
    async with AIOKafkaConsumer(bootstrap_servers=kafka, isolation_level="read_committed") as consumer:
        consumer.assign([place])
        consumer.seek(place, 0)
        while len(found) < len(VALUES):
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                assert isinstance(records, Records)
                found += [one.value for one in records]
    return found
