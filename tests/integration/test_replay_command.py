"""``replay``: a shadow environment counts what the live one counted, late and future events included."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from confluent_kafka import Consumer, Message, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from schemas.timestamps import end_of_day
from stream.command import claim, replay
from stream.command.stretches import Place, Stretch, records_of
from tests.support.command import Ended, driftline
from tests.support.generated import PANE_MS, START_MS, generate, reference_of, write_monitors
from tests.support.observed import counts, offset_hash, rejected
from tests.support.worker import PARTITIONS, Deployment

EVENTS = generate("m", 1_200, seed=9, features=2)
REFERENCE = reference_of(EVENTS)


def command(site: Deployment, *arguments: str) -> Ended:
    return driftline(*arguments, env=site.variables)


@pytest.fixture
def shadow(deployment: Deployment) -> Deployment:
    """Another environment on the same Kafka and Redis, of which nothing is there."""
    folder = deployment.folder / "shadow"
    folder.mkdir()
    return Deployment(deployment.kafka, deployment.redis_url, f"{deployment.environment}-s", folder)


@pytest.fixture(autouse=True)
def kept(deployment: Deployment) -> None:
    """The events are older than what Kafka keeps of a topic that is not told otherwise."""
    admin = AdminClient({"bootstrap.servers": deployment.kafka})
    entry = ConfigEntry("retention.ms", "-1", incremental_operation=AlterConfigOpType.SET)
    topic = ConfigResource(ResourceType.TOPIC, deployment.names.topic("predictions"), incremental_configs=[entry])
    for altered in admin.incremental_alter_configs([topic]).values():
        altered.result()


def produce(site: Deployment) -> None:
    """Events with Kafka's time a second behind them, in each partition one that is late, and one of the future."""
    producer = site.producer()
    topic = site.names.topic("predictions")

    def send(number: int, value: bytes, at_ms: int) -> None:
        partition = number % PARTITIONS
        producer.produce(topic, value, b"m", partition, timestamp=at_ms + 1_000, headers=[("n", str(number).encode())])
        site.sent["predictions", partition] = site.sent.get(("predictions", partition), 0) + 1

    values = list(EVENTS.records())
    order = [*range(300, 1_200), *range(300)]  # the first quarter comes last: it is late
    for number, at in enumerate(order):
        send(number, values[at], int(EVENTS.times[at]))
    for number in range(PARTITIONS):
        send(number, json.dumps({"model": "m", "timestamp": START_MS + 20 * PANE_MS}).encode(), START_MS)
    send(0, b"not JSON", START_MS)
    assert producer.flush(30) == 0


def test_a_shadow_counts_what_the_live_environment_counted(deployment: Deployment, shadow: Deployment) -> None:
    file = write_monitors(deployment.folder, {"m": REFERENCE})
    assert command(deployment, "apply", str(file)).code == 0
    produce(deployment)
    worker = deployment.start_worker()
    deployment.wait_until_stored()
    worker.stop(timeout_s=10)

    found = command(deployment, "replay", "--into", shadow.environment, "--json").json
    assert found["records"] == {"predictions": 1_205, "labels": 0, "features": 0, "serving": 0}
    assert (found["generation"], found["gone"]) == (1, 0)
    for place, sent in deployment.sent.items():
        shadow.sent[place] = sent + 1  # the watermark
    started = shadow.start_worker(clock="event")
    shadow.wait_until_stored()
    live, replayed = (counts(site, "m") for site in (deployment, shadow))
    assert live | {"revisions": 0} == replayed | {"revisions": 0}  # how often evaluation saw a pane before it was whole
    assert (live["events"], live["late"] > 100) == (1_200, True)
    assert rejected(deployment) == rejected(shadow) == {"future": 4, "not_json": 1}
    for partition in range(PARTITIONS):
        assert int(offset_hash(shadow, partition=partition)["closed"]) == found["watermark_ms"]
    started.stop(timeout_s=10)

    again = command(deployment, "replay", "--into", shadow.environment)
    assert again.code == 1
    assert f"topic {shadow.names.topic('predictions')} holds 1209 records: name another environment" in again.err


@pytest.mark.parametrize(
    ("into", "said"),
    [
        ("", "is empty; name an environment of its own"),
        ("{here}", "is the environment that is replayed"),
        ("No Name", "is no name of an environment"),
        ("{here}-live", "goes by the clock on the wall, and rings people"),
    ],
)
def test_an_environment_that_is_no_shadow_is_refused(deployment: Deployment, into: str, said: str) -> None:
    live = Deployment(deployment.kafka, deployment.redis_url, f"{deployment.environment}-live", deployment.folder)
    with redis.Redis.from_url(deployment.redis_url) as client:
        client.hset(live.names.incidents("owner"), "clock", "live")
    ended = command(deployment, "replay", "--into", into.format(here=deployment.environment))
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err


def test_a_range_and_a_partition_under_other_monitors(deployment: Deployment, shadow: Deployment) -> None:
    """Nothing is in force here: the file given is what is judged by there."""
    produce(deployment)
    assert command(deployment, "replay", "--into", shadow.environment).code == 2
    file = str(write_monitors(shadow.folder, {"m": REFERENCE}))
    asked = ["replay", "--topic", "predictions", "--partition", "2", "--monitors", file]
    found: dict[str, Any] = {}
    for name, more in {"a": ["--from", "offset:10", "--to", "offset:25"], "b": ["--to", "2090-01-01"]}.items():
        found[name] = command(deployment, *asked, *more, "--into", f"{shadow.environment}{name}", "--json").json
    assert found["a"]["records"] == {"predictions": 15}
    assert found["b"]["records"] == {"predictions": 301}
    nowhere = f"{shadow.environment}c"
    untouched: dict[tuple[str, ...], tuple[int, str]] = {
        ("--from", "offset:5000"): (
            1,
            f"there is nothing between --from and --to: {deployment.names.topic('predictions')}",
        ),
        ("--from", "offset:9", "--to", "offset:9"): (2, "offset:9 is not behind --from offset:9"),
        ("--from", "offset:-1"): (2, "'offset:-1' is no offset; one is offset:1200"),
        ("--from", "2026-01-02", "--to", "2026-01-01"): (2, "2026-01-01T00:00:00Z is not after --from 2026-01-02"),
        ("--monitors", str(shadow.folder / "none.yaml")): (2, "none.yaml"),
    }
    for more_, (code, said) in untouched.items():
        ended = command(deployment, *asked, *more_, "--into", nowhere)
        assert (ended.code, said in " ".join(ended.err.replace("│", " ").split())) == (code, True), ended
    with redis.Redis.from_url(deployment.redis_url) as client:
        assert not list(client.scan_iter(f"driftline:{nowhere}:*")), "what is asked for wrongly claims no environment"
    topics = AdminClient({"bootstrap.servers": deployment.kafka}).list_topics(timeout=10).topics
    assert not [name for name in topics if name.startswith(nowhere)]
    with redis.Redis.from_url(deployment.redis_url) as client:
        second = shadow.names.replaying
        client.set(second, "1", px=60_000)
        ended = command(deployment, *asked, "--into", shadow.environment)
        assert (ended.code, "another replay into" in ended.err, client.pttl(second) > 0) == (1, True, True)
    wrong = command(deployment, *asked, "--partition", "9", "--into", shadow.environment)
    assert (wrong.code, "has the partitions 0 to 3" in " ".join(wrong.err.split())) == (2, True)


@pytest.mark.parametrize("taken", [False, True], ids=["it runs", "its claim was lost"])
def test_of_two_replays_into_one_environment_one_sends(
    deployment: Deployment, shadow: Deployment, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    """However long the first takes for its first stream: the second's is still empty there."""
    produce(deployment)
    monkeypatch.setattr(claim, "HELD_MS", 150)
    asked = ["replay", "--into", shadow.environment, "--monitors", str(write_monitors(shadow.folder, {"m": REFERENCE}))]
    begun, seconds = list[int](), list[Ended]()

    with redis.Redis.from_url(deployment.redis_url) as client:

        def held(consumer: Consumer, stretches: dict[Place, Stretch]) -> Iterator[Message]:
            begun.append(1)
            if len(begun) == 1:
                time.sleep(0.5)
                seconds.append(command(deployment, *asked, "--topic", "labels"))
                if taken:
                    client.set(shadow.names.replaying, "another")
                    time.sleep(0.5)
            return records_of(consumer, stretches)

        monkeypatch.setattr(replay, "records_of", held)
        first = command(deployment, *asked)
        left = client.get(shadow.names.replaying)
    said = f"another replay into '{shadow.environment}' runs"
    assert [(one.code, said in one.err) for one in seconds] == [(1, True)]
    assert (first.code, said in first.err, left) == ((1, True, b"another") if taken else (0, False, None))


def test_a_claim_that_is_lost_behind_the_last_record_closes_nothing(
    deployment: Deployment, shadow: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watermark in the midst of what another replay sends there makes all of that late."""
    produce(deployment)
    asked = ["replay", "--into", shadow.environment, "--monitors", str(write_monitors(shadow.folder, {"m": REFERENCE}))]

    with redis.Redis.from_url(deployment.redis_url) as client:

        def lost(clock_ms: int) -> int:
            client.set(shadow.names.replaying, "another")
            return end_of_day(clock_ms)

        monkeypatch.setattr(replay, "end_of_day", lost)
        ended = command(deployment, *asked, "--topic", "predictions")
    assert (ended.code, "another replay into" in ended.err) == (1, True)
    consumer = Consumer({"bootstrap.servers": deployment.kafka, "group.id": "ends"})
    topic = shadow.names.topic("predictions")
    ends = [consumer.get_watermark_offsets(TopicPartition(topic, at), timeout=10)[1] for at in range(PARTITIONS)]
    consumer.close()
    assert ends == [deployment.sent["predictions", at] for at in range(PARTITIONS)]
