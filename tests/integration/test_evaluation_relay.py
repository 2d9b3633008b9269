"""The way to Kafka: a broker that is away loses nothing, our own topics are right or a clear word says what to do."""

from __future__ import annotations

import asyncio
import gzip
import random
import time

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ConfigResource,
    ConfigSource,
    NewTopic,
)
from redis.asyncio import Redis

from schemas.errors import ConfigError
from schemas.names import Names
from schemas.reports import Column, Measure, Report, decode, encode
from schemas.settings import Settings
from stream.evaluate.own_topics import ensure_topics
from stream.evaluate.storing.relay import Relay, relay_producer
from stream.evaluate.storing.tally import EvaluationTally
from stream.state.patience import Patience
from tests.support.command import driftline
from tests.support.kafka import LocalKafka


def test_what_is_told_while_the_broker_is_away_arrives_in_order_once_it_is_back(
    own_kafka: LocalKafka, redis_url: str, environment_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    names = Names(environment_name)
    ensure_topics(Settings(kafka=own_kafka.bootstrap, environment=environment_name))
    tally = EvaluationTally()

    async def story(redis: Redis) -> None:
        producer = Producer(
            {
                "bootstrap.servers": own_kafka.bootstrap,
                "enable.idempotence": True,
                "message.timeout.ms": 2_000,
                "log_level": 0,
            }
        )
        relay = Relay(redis, names, producer, patience=Patience(), tally=tally)
        await _tell(redis, names, range(3))
        relay.wake(["m"])
        await relay.run_once()
        assert (tally.relayed, await redis.xlen(names.outbox("m"))) == (3, 0)

        own_kafka.kill()
        await _tell(redis, names, range(3, 250))
        relay.wake(["m"])
        await relay.run_once()
        assert (tally.relayed, await redis.xlen(names.outbox("m"))) == (3, 247)
        assert sum("findings and reports wait in Redis" in record.message for record in caplog.records) == 1

        own_kafka.start()
        while await redis.xlen(names.outbox("m")):
            await relay.run_once()
        assert tally.relayed == 250

    async def run() -> None:
        async with Redis.from_url(redis_url) as redis:
            await asyncio.wait_for(story(redis), 90)

    asyncio.run(run())
    found = _read(own_kafka.bootstrap, names.topic("findings"), 250)
    assert list(dict.fromkeys(found)) == [str(number).encode() for number in range(250)]


@pytest.mark.parametrize("name", ["findings", "actions"])
def test_a_topic_that_must_have_one_partition_and_has_three_is_refused(
    kafka_bootstrap: str, environment_name: str, name: str
) -> None:
    names = Names(environment_name)
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    for made in admin.create_topics([NewTopic(names.topic(name), num_partitions=3)]).values():
        made.result()
    with pytest.raises(ConfigError) as refused:
        ensure_topics(Settings(kafka=kafka_bootstrap, environment=environment_name))
    assert f"topic '{names.topic(name)}' has 3 partitions and must have 1" in str(refused.value)
    assert "Delete it while no worker runs" in str(refused.value)


def test_our_topics_are_made_once_and_as_they_must_be(kafka_bootstrap: str, environment_name: str) -> None:
    names = Names(environment_name)
    for _ in range(2):
        ensure_topics(Settings(kafka=kafka_bootstrap, environment=environment_name))
    found = AdminClient({"bootstrap.servers": kafka_bootstrap}).list_topics(timeout=10).topics
    assert {name: len(found[names.topic(name)].partitions) for name in ("findings", "actions", "incidents")} == {
        "findings": 1, "actions": 1, "incidents": 1,
    }  # fmt: skip
    assert {name: _own(kafka_bootstrap, names.topic(name)) for name in ("findings", "drift-reports", "incidents")} == {
        "findings": {}, "drift-reports": {"max.message.bytes": "8388608"}, "incidents": {"cleanup.policy": "compact"},
    }  # fmt: skip


def _own(bootstrap: str, topic: str) -> dict[str, str | None]:
    """What a topic has settings of its own for: the tests' broker takes 8 MiB anywhere, another one takes 1."""
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    admin = AdminClient({"bootstrap.servers": bootstrap})
    [described] = admin.describe_configs([resource]).values()
    own = ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    return {name: entry.value for name, entry in described.result().items() if entry.source == own}


def test_the_report_of_ten_thousand_features_arrives_whole(
    kafka_bootstrap: str, redis_url: str, environment_name: str
) -> None:
    names, rng, tally = Names(environment_name), random.Random(3), EvaluationTally()
    ensure_topics(Settings(kafka=kafka_bootstrap, environment=environment_name))
    measures = ("psi", "ks", "ks_p", "wasserstein")
    report = Report(
        model="m", stream="predictions", window="day", start=0, end=1, seen=2, state="drift", events=7,
        features={
            f"feature_{rng.getrandbits(64):x}": Column(
                "ok", rng.getrandbits(30), mean=rng.random(),
                measures={name: Measure(rng.random(), p_value=rng.random(), expected=rng.random()) for name in measures},
            )
            for _ in range(10_000)
        },
    )  # fmt: skip
    value = encode(report)
    assert len(gzip.compress(value)) > 1_500_000, "a topic takes a million unless it is told otherwise"

    async def run() -> None:
        async with Redis.from_url(redis_url) as redis:
            relay = Relay(
                redis, names, relay_producer(Settings(kafka=kafka_bootstrap)), patience=Patience(), tally=tally
            )
            await redis.xadd(names.outbox("m"), {"topic": "drift-reports", "key": "m", "value": value})
            relay.wake(["m"])
            await relay.run_once()

    asyncio.run(run())
    assert (tally.relayed, tally.given_up) == (1, 0)
    env = {"DRIFTLINE_KAFKA": kafka_bootstrap, "DRIFTLINE_REDIS": redis_url, "DRIFTLINE_ENVIRONMENT": environment_name}
    [printed] = driftline("tail", "reports", "--once", "--json", env=env).out.splitlines()
    assert decode(printed.encode()) == report


async def _tell(redis: Redis, names: Names, numbers: range) -> None:
    for number in numbers:
        await redis.xadd(names.outbox("m"), {"topic": "findings", "key": "findings", "value": str(number)})


def _read(bootstrap: str, topic: str, count: int) -> list[bytes]:
    """Everything on partition 0, ``count`` different values of it at least."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    found: list[bytes] = []
    until = time.monotonic() + 30
    while len(set(found)) < count and time.monotonic() < until:
        found += [message.value() or b"" for message in consumer.consume(500, timeout=0.5) if message.error() is None]
    consumer.close()
    return found
