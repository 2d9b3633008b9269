"""`driftline backtest` of what Kafka holds: a candidate beside what is in force, and nothing there is changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from redis import Redis

from stream.evaluate.own_topics import ensure_topics
from tests.support.command import driftline
from tests.support.generated import PANE_MS, START_MS, generate, reference_of, write_monitors
from tests.support.worker import Deployment

MODEL, PARTITIONS = "alpha", 4
EVENTS = generate(MODEL, 2_000, seed=5, features=1, span_ms=150 * PANE_MS)
DRIFTED = replace(EVENTS, numbers={"x0": EVENTS.numbers["x0"] + 3.0})


@pytest.mark.long
def test_a_candidate_beside_what_is_in_force(deployment: Deployment) -> None:
    reference = reference_of(generate(MODEL, 2_000, seed=6, features=1))
    present = write_monitors(deployment.folder, {MODEL: reference})
    candidate = deployment.folder / "candidate.yaml"
    candidate.write_text(present.read_text().replace("defaults:\n", "defaults:\n  fixed: {psi: 1000}\n"))
    ensure_topics(deployment.settings)
    assert driftline("apply", str(present), env=deployment.variables).code == 0
    producer = Producer({"bootstrap.servers": deployment.kafka})
    for number, record in enumerate(DRIFTED.records()):
        producer.produce(deployment.names.topic("predictions"), record, partition=number % PARTITIONS)
    assert producer.flush(10) == 0
    before = standing(deployment)

    ended = driftline(
        "backtest", "--monitors", str(candidate), "--topic", "predictions", "--json", env=deployment.variables
    )

    found = ended.json
    assert (found["records"], found["from_ms"] >= START_MS, found["without_events"]) == (2_000, True, [])
    assert (found["new"]["incidents"], found["new"]["monitors"]) == (0, str(candidate))
    assert (found["now"]["incidents"], found["now"]["monitors"]) == (1, "generation 1")
    [incident] = found["now"]["list"]
    assert (incident["severity"], "x0" in incident["title"], incident["pages"]) == ("P2", True, 0)
    assert standing(deployment) == before, "nothing is written where history was read"


def standing(deployment: Deployment) -> Mapping[str, object]:
    """Every key of Redis with its value, and how far each log goes."""
    consumer = Consumer({"bootstrap.servers": deployment.kafka, "group.id": "looks"})
    with Redis.from_url(deployment.redis_url) as redis:
        keys = {key: redis.dump(key) for key in redis.scan_iter(f"driftline:{deployment.environment}:*")}
    topics = consumer.list_topics(timeout=10).topics
    ours = [name for name in topics if name.startswith(deployment.environment)]
    ends = {
        (name, at): consumer.get_watermark_offsets(TopicPartition(name, at), timeout=10)
        for name in ours
        for at in topics[name].partitions
    }
    consumer.close()
    return {"keys": keys, "ends": ends}
