"""A person's order of a release, its whole way: command, topic `actions`, a worker process, topic `releases`, command; and once."""

from __future__ import annotations

import json

import pytest
import redis
import yaml
from confluent_kafka import Consumer, TopicPartition

from schemas import releases
from schemas.releases import Decision
from schemas.settings import Settings
from stream.command import actions, release_orders
from stream.evaluate.own_topics import ensure_topics
from tests.support.command import driftline
from tests.support.generated import PANE_MS, START_MS
from tests.support.models import reference as temperatures
from tests.support.observed import apply
from tests.support.worker import PARTITIONS, Deployment

MODEL = {
    "reference": "r.json", "pane": "1m", "windows": {"short": "2m"}, "step": "1m", "lateness": "0s",
    "release": {"champion": "3", "challenger": "4", "every": "1m"},
    "features": {"temp": {"type": "numeric", "fixed": {"psi": 99}}},
}  # fmt: skip
FAST = {"flush_interval_s": "0.1", "evaluate_interval_s": "0.1"}


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands wait for their answer as long as a busy machine may take."""
    for module in (actions, release_orders):
        monkeypatch.setattr(module, "ANSWER_WITHIN_S", 60.0)


def test_an_order_is_obeyed_once_by_whoever_runs(deployment: Deployment) -> None:
    begun(deployment)
    variables = {**deployment.variables, "USER": "ann"}
    for what in ("hold", "resume"):
        given = driftline("release", what, "m", "--reason", "who knows", env=variables)
        assert (given.code, given.err) == (0, ""), given

    order, _ = records(deployment, "actions")
    deployment.workers[0].stop()  # it leaves the group: nobody waits for its session to run out
    producer = deployment.producer()
    for _ in range(2):  # as a producer does that never heard that its record was stored
        producer.produce(deployment.names.topic("actions"), order, partition=0)
    assert producer.flush(10) == 0
    deployment.start_worker(**FAST)
    send(deployment, minute=2)
    deployment.wait_until(lambda: field(deployment, deployment.names.incidents("owner"), "next:actions") == "4")
    judged_to(deployment, minute=2)
    given = driftline("release", "roll-back", "m", "--reason", "pages since noon", env=variables)
    assert (given.code, "(3 \N{RIGHTWARDS ARROW} 4) is rolled back: no request goes" in given.out) == (0, True), given

    told = [releases.decode(value) for value in records(deployment, "releases")]
    assert [said(one) for one in told] == [
        ("begin", 0.05, "begun", None),
        ("hold", 0.05, "never_seen", None),
        ("hold", 0.05, "held", "ann"),
        ("resume", 0.05, "resumed", "ann"),
        ("hold", 0.05, "never_seen", None),
        ("roll_back", 0.0, "ordered", "ann"),
    ]
    assert told[-1].reasons[0].text == "rolled back by ann: pages since noon"
    shown = driftline("release", "show", "m", "--json", env=variables).json
    assert (shown["release"]["state"], shown["release"]["share"]) == ("rolled_back", 0.0)
    assert [one["number"] for one in shown["decisions"]] == [1, 2, 3, 4, 5, 6]
    assert shown["decisions"][-1]["evidence"]["order"]["comment"] == "pages since noon"


def begun(deployment: Deployment) -> None:
    """A worker runs, and the first minute is judged: the challenger is to be sent its first share."""
    ensure_topics(Settings(kafka=deployment.kafka, environment=deployment.environment))
    (deployment.folder / "r.json").write_bytes(temperatures().to_json())
    (deployment.folder / "m.yaml").write_text(yaml.safe_dump({"schema": 1, "models": {"m": MODEL}}))
    apply(deployment, deployment.folder / "m.yaml")
    deployment.start_worker(**FAST)
    for minute in (0, 1):
        send(deployment, minute=minute)
    judged_to(deployment, minute=1)


def send(deployment: Deployment, *, minute: int) -> None:
    """Requests of the champion alone, and the watermark at the minute's end."""
    start, producer = START_MS + minute * PANE_MS, deployment.producer()
    event = {
        "model": "m",
        "version": "3",
        "id": "u",
        "timestamp": start,
        "features": {"temp": 10.0},
        "status": "success",
    }
    control = {"control": "watermark", "timestamp": start + PANE_MS}
    for partition in range(PARTITIONS):
        for value in (event, control):
            producer.produce(deployment.names.topic("predictions"), json.dumps(value), partition=partition)
    assert producer.flush(10) == 0


def judged_to(deployment: Deployment, *, minute: int) -> None:
    """Wait until a minute is judged."""
    end = START_MS + (minute + 1) * PANE_MS
    key = deployment.names.release("m")
    deployment.wait_until(lambda: int(field(deployment, key, "judged_to") or 0) >= end)


def field(deployment: Deployment, key: str, name: str) -> str | None:
    """A field of a hash."""
    with redis.Redis.from_url(deployment.redis_url, decode_responses=True) as client:
        found: str | None = client.hget(key, name)
        return found


def said(one: Decision) -> tuple[str, float, str, str | None]:
    """What was decided, the share, why, and who ordered it."""
    return one.decision, one.share, one.reasons[0].code, None if one.evidence.order is None else one.evidence.order.by


def records(deployment: Deployment, topic: str) -> list[bytes]:
    """All that a topic holds of one key, and so of one partition."""
    consumer = Consumer({"bootstrap.servers": deployment.kafka, "group.id": "reader"})
    name, found = deployment.names.topic(topic), list[bytes]()
    for partition in consumer.list_topics(name, timeout=10).topics[name].partitions:
        place = TopicPartition(name, partition, 0)
        _, end = consumer.get_watermark_offsets(place, timeout=10)
        consumer.assign([place])
        found += [message.value() or b"" for message in (consumer.consume(end, timeout=10) if end else [])]
    consumer.close()
    return found
