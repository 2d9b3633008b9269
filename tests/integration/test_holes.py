"""What happens to logs and stores behind a worker's back, each on a real Kafka and Redis: noticed, said, counted exactly."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from schemas.names import TOPICS_IN
from tests.support.generated import Events, assert_counts, expected, generate, reference_of, write_monitors
from tests.support.observed import apply, counts, offset_hash, printed
from tests.support.redis import LocalRedis
from tests.support.worker import PARTITIONS, Deployment

MODEL = "alpha"
REFERENCE = reference_of(generate(MODEL, 2_000, seed=1, features=2))
FIRST = generate(MODEL, 2_000, seed=2, features=2)
SECOND = generate(MODEL, 1_000, seed=3, features=2)
BOTH = [FIRST, SECOND]


@pytest.fixture
def deployment(kafka_bootstrap: str, redis_url: str, environment_name: str, tmp_path: Path) -> Iterator[Deployment]:
    yield from _deployed(Deployment(kafka_bootstrap, redis_url, environment_name, tmp_path))


@pytest.fixture
def on_own_redis(
    kafka_bootstrap: str, own_redis: LocalRedis, environment_name: str, tmp_path: Path
) -> Iterator[Deployment]:
    yield from _deployed(Deployment(kafka_bootstrap, own_redis.url, environment_name, tmp_path))


def _deployed(made: Deployment) -> Iterator[Deployment]:
    apply(made, write_monitors(made.folder, {MODEL: REFERENCE}))
    yield made
    made.stop()


@contextmanager
def admin(deployment: Deployment) -> Iterator[AdminClient]:
    """A client to ask things of; one that is forgotten takes the answers with it."""
    client = AdminClient({"bootstrap.servers": deployment.kafka})
    yield client
    client.poll(0)


def done(futures: Mapping[Any, Any]) -> None:
    """Wait for what an admin client was asked."""
    for future in futures.values():
        future.result(timeout=20)


def joined(parts: list[Events]) -> Events:
    """All these events, in one."""
    numbers = {name: np.concatenate([part.numbers[name] for part in parts]) for name in parts[0].numbers}
    times, cities, scores = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("times", "cities", "scores")
    )
    return Events(MODEL, times, numbers, cities, scores)


def without(events: Events, dropped: np.ndarray[Any, Any]) -> Events:
    """The events whose places are not among ``dropped``."""
    numbers = {name: np.delete(values, dropped) for name, values in events.numbers.items()}
    return Events(
        MODEL, np.delete(events.times, dropped), numbers, np.delete(events.cities, dropped),
        np.delete(events.scores, dropped),
    )  # fmt: skip


def committed(deployment: Deployment) -> dict[tuple[str, int], int]:
    """What the group has committed to Kafka of the partitions that were sent to."""
    topic = deployment.names.topic("predictions")
    consumer = Consumer({"bootstrap.servers": deployment.kafka, "group.id": deployment.names.group})
    try:
        found = consumer.committed([TopicPartition(topic, partition) for _, partition in deployment.sent], timeout=10)
    finally:
        consumer.close()
    return {("predictions", place.partition): place.offset for place in found}


def assert_counted(deployment: Deployment, events: list[Events]) -> None:
    """Everything stored is what numpy counts of these events."""
    assert_counts(counts(deployment, MODEL), expected(joined(events), REFERENCE))


def test_what_retention_deleted_is_said_to_be_lost_and_the_rest_is_counted(deployment: Deployment) -> None:
    deployment.send(FIRST.records())
    deployment.start_worker()
    deployment.wait_until_stored()
    assert deployment.workers[0].stop() == 0
    deployment.send(SECOND.records())
    topic = deployment.names.topic("predictions")
    with admin(deployment) as asked:
        done(asked.delete_records([TopicPartition(topic, 1, 600)]))  # 500 were counted before

    worker = deployment.start_worker()
    deployment.wait_until_stored()
    found = offset_hash(deployment, partition=1)
    assert (found["lost:500"], found["happened"], found["state"]) == ("100", "retention", "warming")
    assert printed(worker, "100 records were deleted before they were read") == 1
    dropped = np.arange(1, 400, PARTITIONS)
    assert_counted(deployment, [FIRST, without(SECOND, dropped)])


def test_a_topic_created_anew_is_counted_beside_the_one_before(deployment: Deployment) -> None:
    deployment.send(FIRST.records())
    deployment.start_worker()
    deployment.wait_until_stored()
    assert deployment.workers[0].stop() == 0
    _create_anew(deployment)
    deployment.send(SECOND.records())

    worker = deployment.start_worker()
    deployment.wait_until_stored()
    assert offset_hash(deployment)["incarnation"] == "1"
    assert printed(worker, "the topic was created anew") == PARTITIONS
    assert_counted(deployment, BOTH)


def test_a_topic_created_anew_under_a_running_worker_is_read_from_its_start(deployment: Deployment) -> None:
    deployment.send(FIRST.records())
    deployment.start_worker()
    deployment.wait_until_stored()
    _create_anew(deployment)
    deployment.send(SECOND.records())

    deployment.wait_until_stored()
    assert_counted(deployment, BOTH)


def _create_anew(deployment: Deployment) -> None:
    topic = deployment.names.topic("predictions")
    with admin(deployment) as asked:
        done(asked.delete_topics([topic]))
        # A worker that runs may ask for the topic, and so make it, before we do: with four partitions too.
        with contextlib.suppress(KafkaException):
            done(asked.create_topics([NewTopic(topic, PARTITIONS, 1)]))
    deployment.sent.clear()


@pytest.mark.long
@pytest.mark.parametrize("running", [True, False], ids=["under a running worker", "between two workers"])
def test_an_emptied_redis_is_filled_again_from_kafka_and_nobody_applies_anything(
    on_own_redis: Deployment, running: bool
) -> None:
    deployment = on_own_redis
    deployment.send(FIRST.records())
    worker = deployment.start_worker()
    deployment.wait_until_stored()
    deployment.wait_until(lambda: committed(deployment) == deployment.sent)
    deployment.wait_until(lambda: printed(worker, "generation 1 is on the topic") > 0)  # by itself: not by this `apply`
    if not running:
        assert worker.stop() == 0
    with redis.Redis.from_url(deployment.redis_url) as client:
        client.flushdb()
    worker = worker if running else deployment.start_worker()
    deployment.wait_until_stored()
    assert printed(worker, "Redis lost its data; counting from the log's start") == PARTITIONS
    assert printed(worker, "Redis held nothing; generation 1 is in force again") == 1
    assert offset_hash(deployment)["happened"] == "emptied"
    deployment.send(SECOND.records())
    deployment.wait_until_stored()
    assert_counted(deployment, BOTH)


def test_a_redis_emptied_of_its_events_takes_another_configuration(on_own_redis: Deployment) -> None:
    """An emptied Redis numbers its generations from 1 again: the worker follows what it holds now, not the number."""
    deployment = on_own_redis
    deployment.send(FIRST.records())
    worker = deployment.start_worker()
    deployment.wait_until_stored()
    other = reference_of(generate(MODEL, 2_000, seed=9, features=2))
    # Held, else it may count all again by the old configuration before the new one is there.
    os.kill(worker.pid, signal.SIGSTOP)
    with redis.Redis.from_url(deployment.redis_url) as client:
        client.flushdb()
    assert apply(deployment, write_monitors(deployment.folder, {MODEL: other})) == 1
    os.kill(worker.pid, signal.SIGCONT)

    deployment.wait_until(lambda: printed(worker, "following generation 1") == 2)
    deployment.wait_until_stored()
    assert_counts(counts(deployment, MODEL), expected(FIRST, other))


def test_another_group_on_the_same_keys_is_refused_unless_told(deployment: Deployment) -> None:
    deployment.send(FIRST.records())
    deployment.start_worker()
    deployment.wait_until_stored()
    assert deployment.workers[0].stop() == 0
    with redis.Redis.from_url(deployment.redis_url) as client:
        for partition in range(PARTITIONS):
            client.hset(deployment.names.offset("predictions", partition), "group", "another")
    before = offset_hash(deployment)

    refused = deployment.start_worker()
    deployment.wait_until(lambda: not refused.alive)
    assert refused.stop() == 2
    assert printed(refused, "is counted by the consumer group 'another'") > 0
    assert printed(refused, "DRIFTLINE_TAKE_OVER_GROUP=true") > 0
    assert offset_hash(deployment) == before

    deployment.start_worker(take_over_group="true")
    deployment.send(SECOND.records())
    deployment.wait_until_stored()
    assert offset_hash(deployment)["group"] == deployment.names.group
    assert_counted(deployment, BOTH)


@pytest.mark.parametrize("quiet", [True, False], ids=["quiet", "under load"])
def test_a_worker_whose_epoch_is_gone_writes_nothing_and_joins_again(deployment: Deployment, quiet: bool) -> None:
    deployment.send(FIRST.records())
    worker = deployment.start_worker()
    deployment.wait_until_stored()
    with redis.Redis.from_url(deployment.redis_url) as client:
        for partition in range(PARTITIONS):
            key = deployment.names.offset("predictions", partition)
            client.hset(key, mapping={"epoch": "7", "token": "of somebody else"})
    if not quiet:
        deployment.send(SECOND.records())

    deployment.wait_until(lambda: printed(worker, "not stored (fenced)") == PARTITIONS)
    deployment.wait_until(lambda: int(offset_hash(deployment)["epoch"]) > 7)
    if quiet:
        deployment.send(SECOND.records())
    deployment.wait_until_stored()
    assert_counted(deployment, BOTH)


def test_a_redis_that_went_back_in_time_is_counted_on_from_there(deployment: Deployment) -> None:
    with admin(deployment) as asked:  # a topic that appears later brings an assignment, which would notice first
        done(asked.create_topics([NewTopic(deployment.names.topic(stream), PARTITIONS, 1) for stream in TOPICS_IN]))
    deployment.send(FIRST.records())
    worker = deployment.start_worker()
    deployment.wait_until_stored()
    restore = _saved(deployment)
    deployment.send(SECOND.records())
    deployment.wait_until_stored()
    restore()

    deployment.wait_until(lambda: printed(worker, "not stored (elsewhere)") == PARTITIONS)
    deployment.wait_until_stored()
    assert_counted(deployment, BOTH)


def _saved(deployment: Deployment) -> Callable[[], None]:
    """Copies of all keys of partitions; what it returns puts them back, and removes keys made since."""
    client = redis.Redis.from_url(deployment.redis_url)
    pattern = deployment.names.key("{predictions*")  # the incident owner notices too, and brings an assignment
    copies = {key: client.dump(key) or b"" for key in client.scan_iter(pattern)}

    def restore() -> None:
        for key in client.scan_iter(pattern):
            if key not in copies:
                client.delete(key)
        for key, copy in copies.items():
            client.restore(key, 0, copy, replace=True)
        client.close()

    return restore


def test_a_redis_that_may_evict_is_refused_at_start(on_own_redis: Deployment) -> None:
    with redis.Redis.from_url(on_own_redis.redis_url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    worker = on_own_redis.start_worker()

    on_own_redis.wait_until(lambda: not worker.alive)
    assert worker.stop() == 2
    assert printed(worker, "DRIFTLINE_REDIS") == 1
    assert printed(worker, "Set maxmemory-policy noeviction there") == 1
