"""Rows of Kafka: a broker restarted and gone, a topic made anew, records deleted unread, partitions added."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

from tests.support.chaos import Scene, row
from tests.support.chaos_events import PARTITIONS, Record, watermark
from tests.support.chaos_services import scene_on
from tests.support.generated import PANE_MS, START_MS
from tests.support.kafka import LocalKafka
from tests.support.observed import offset_hash
from tests.support.redis import LocalRedis
from tests.support.worker import Deployment, Pace

pytestmark = [pytest.mark.chaos, pytest.mark.long]

RECORDS, RATE = 6_000, 1_500
END_MS = START_MS + 30 * PANE_MS
EXACT = "every stored count is exact"


@pytest.fixture
def on_own_kafka(own_kafka: LocalKafka, redis_url: str, environment_name: str, tmp_path: Path) -> Iterator[Scene]:
    with scene_on(Deployment(own_kafka.bootstrap, redis_url, environment_name, tmp_path)) as scene:
        yield scene


@pytest.fixture
def on_own_redis(kafka_bootstrap: str, own_redis: LocalRedis, environment_name: str, tmp_path: Path) -> Iterator[Scene]:
    with scene_on(Deployment(kafka_bootstrap, own_redis.url, environment_name, tmp_path)) as scene:
        yield scene


@row("broker restarted", EXACT)
def test_a_broker_that_is_restarted_is_read_on(on_own_kafka: Scene, own_kafka: LocalKafka) -> None:
    _broker_away(on_own_kafka, own_kafka, for_s=0)


@row("broker gone 60 s", EXACT)
def test_a_broker_that_is_gone_for_a_minute_is_waited_for(on_own_kafka: Scene, own_kafka: LocalKafka) -> None:
    _broker_away(on_own_kafka, own_kafka, for_s=60)


def _broker_away(scene: Scene, kafka: LocalKafka, *, for_s: float) -> None:
    records = scene.traffic().records(RECORDS)
    half = len(records) // 2
    [worker] = scene.start()
    with scene.sending(records[:half], rate=RATE):
        scene.wait_for(0.2, records)
    kafka.kill()
    time.sleep(for_s)
    kafka.start()
    scene.send(records[half:])
    scene.close(END_MS)
    scene.assert_exact()
    assert worker.alive


@row("topic made anew", EXACT)
def test_a_topic_that_is_made_anew_is_counted_beside_the_one_before(scene: Scene) -> None:
    traffic = scene.traffic(poison_every=0, odd_every=10**9)  # letters are keyed by offsets, which begin again
    records = traffic.records(RECORDS)
    half = len(records) // 2
    scene.start()
    scene.send(records[:half], pace=Pace(RATE))
    scene.deployment.wait_until_stored()
    topic = scene.deployment.names.topic("predictions")
    admin = AdminClient({"bootstrap.servers": scene.deployment.kafka})
    admin.delete_topics([topic])[topic].result(20)
    _again(admin, topic)
    for partition in range(PARTITIONS):
        scene.deployment.sent[("predictions", partition)] = 0
    scene.send(records[half:], pace=Pace(RATE))
    scene.close(END_MS)
    scene.assert_exact()


def _again(admin: AdminClient, topic: str) -> None:
    """Make the topic; the worker that asked for it may have made it, with as many partitions, before."""
    for _ in range(50):
        try:
            admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result(20)
        except Exception as error:  # it is there, or still going
            if "TOPIC_ALREADY_EXISTS" not in str(error):
                raise
            time.sleep(0.2)
            if len(admin.list_topics(topic, timeout=10).topics[topic].partitions) == PARTITIONS:
                return
        else:
            return


@row("retention passed", "what was lost is said record by record, all else is exact")
def test_what_retention_deleted_unread_is_said_and_all_else_is_counted(
    on_own_redis: Scene, own_redis: LocalRedis
) -> None:
    scene = on_own_redis
    records = scene.traffic(poison_every=0, odd_every=10**9).records(RECORDS)
    half = len(records) // 2
    [worker] = scene.start()
    scene.send(records[:half])
    scene.deployment.wait_until_stored()
    assert worker.stop() == 0
    scene.send(records[half:])
    places = [
        TopicPartition(scene.deployment.names.topic("predictions"), partition, sent - 100)
        for (stream, partition), sent in scene.deployment.sent.items()
        if stream == "predictions"
    ]
    admin = AdminClient({"bootstrap.servers": scene.deployment.kafka})
    for deleted in admin.delete_records(places).values():
        deleted.result(20)
    scene.start()
    scene.close(END_MS)
    scene.deployment.wait_until_stored()
    lost = {place.partition: _lost(scene, place.partition) for place in places}
    assert all(len(of) > 0 and of[-1] == place.offset - 1 for place, of in zip(places, lost.values(), strict=True))
    scene.sent = list(_without(scene.sent, lost))
    scene.assert_exact()


def _lost(scene: Scene, partition: int) -> range:
    """The offsets that the partition's hash says were deleted before they were read."""
    fields = offset_hash(scene.deployment, "predictions", partition)
    [(first, count)] = [(int(name[5:]), int(of)) for name, of in fields.items() if name.startswith("lost:")]
    return range(first, first + count)


def _without(sent: list[Record], lost: dict[int, range]) -> Iterator[Record]:
    """Lost records hold no events; they keep their offsets."""
    offsets = dict.fromkeys(lost, 0)
    for record in sent:
        if record.stream == "predictions":
            at, offsets[record.partition] = offsets[record.partition], offsets[record.partition] + 1
            record = replace(record, events=()) if at in lost[record.partition] else record
        yield record


@row("partitions added", EXACT)
def test_partitions_that_are_added_are_read_from_their_start(scene: Scene) -> None:
    records = scene.traffic(poison_every=0, odd_every=10**9).records(RECORDS)
    half = len(records) // 2
    topic = scene.deployment.names.topic("predictions")
    admin = AdminClient({"bootstrap.servers": scene.deployment.kafka})
    scene.start()
    scene.send(records[:half], pace=Pace(RATE))
    admin.create_partitions([NewPartitions(topic, PARTITIONS + 2)])[topic].result(20)
    scene.deployment.wait_until(lambda: len(admin.list_topics(topic, timeout=10).topics[topic].partitions) == 6)
    scene.send([_moved(record, at) for at, record in enumerate(records[half:])], pace=Pace(RATE))
    closing = watermark(END_MS)
    scene.send([*closing, *(_moved(closing[0], PARTITIONS + at) for at in range(2))])
    scene.assert_exact()


def _moved(record: Record, at: int) -> Record:
    """To one of the six partitions of predictions."""
    return replace(record, partition=at % (PARTITIONS + 2)) if record.stream == "predictions" else record
