"""Bad records among good ones, on a real Kafka and Redis: what is kept, what is counted, and that nobody else is hurt.

One worker reads it all once; each test looks at one kind of record.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis
from confluent_kafka import Producer
from redis.crc import key_slot

from schemas.names import TOPICS_IN, Stream
from schemas.reference import Reference
from stream.state.gpus import MOST as GPUS_KNOWN
from tests.support.bad_events import DAY, HOSTILE, MODEL, ODD, REFUSED, Odd, Refused, event, odd_event
from tests.support.generated import PANE_MS, START_MS, assert_counts, expected, generate, reference_of, write_monitors
from tests.support.hostile_names import documented, hostile_events
from tests.support.observed import apply, counts, dead_letters, offset_hash, page, rejected
from tests.support.process import Process
from tests.support.worker import Deployment

GOOD = generate(MODEL, 3_000, seed=5, features=3)
REFERENCE = reference_of(generate(MODEL, 2_000, seed=6, features=3))
#: Panes that only odd events fall in, one each, behind those of the good events.
ODD_PANES = {odd.name: START_MS + (100 + 2 * at) * PANE_MS for at, odd in enumerate(ODD)}
SPECIAL = START_MS + 300 * PANE_MS
STORM = 4_000


@dataclass(slots=True)
class Sent:
    """What was sent: the worker that read it, and the place of each named record."""

    deployment: Deployment
    worker: Process
    places: dict[str, str] = field(default_factory=dict)
    letters: dict[str, dict[str, Any]] = field(default_factory=dict)

    def letter(self, name: str, *, index: int | None = None) -> dict[str, Any]:
        """The dead letter of a record, found by its identity."""
        return self.letters[self.places[name] + ("" if index is None else f":{index}")]


@dataclass(slots=True)
class Sender:
    """Sends records to a partition of its choice and notes where they went."""

    deployment: Deployment
    producer: Producer
    places: dict[str, str] = field(default_factory=dict)

    def send(
        self, value: bytes | None, *, name: str = "", stream: Stream = "predictions", partition: int = 0,
        at_ms: int = 0,
    ) -> None:  # fmt: skip
        """One record; ``name`` is how a test finds it again, ``at_ms`` its Kafka timestamp."""
        topic, sent = self.deployment.names.topic(stream), self.deployment.sent
        self.producer.produce(topic, value, partition=partition, timestamp=at_ms)
        self.producer.poll(0)
        offset = sent.get((stream, partition), 0)
        self.places[name] = f"{topic}:{partition}:{offset}"
        sent[stream, partition] = offset + 1


@pytest.fixture(scope="module")
def sent(kafka_bootstrap: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    folder = tmp_path_factory.mktemp("bad")
    deployment = Deployment(kafka_bootstrap, redis_url, f"t{uuid.uuid4().hex[:10]}", folder)
    deployment.create_topics()
    apply(deployment, _monitors(folder, REFERENCE))
    # Idempotent, so that a record's offset is the number of those sent before it.
    settings = {"bootstrap.servers": kafka_bootstrap, "message.max.bytes": 8_000_000, "enable.idempotence": True}
    sender = Sender(deployment, Producer(settings))
    _send_everything(sender)
    assert sender.producer.flush(30) == 0
    worker = deployment.start_worker()
    try:
        deployment.wait_until_stored()
        yield Sent(deployment, worker, sender.places, dead_letters(deployment))
    finally:
        deployment.stop()


def _monitors(folder: Path, reference: Reference) -> Path:
    return write_monitors(folder, {MODEL: reference})


def _send_everything(sender: Sender) -> None:
    refused = iter(REFUSED)
    for number, good in enumerate(GOOD.records()):
        sender.send(good)
        bad = next(refused, None) if number % 50 == 49 else None
        if bad is not None:
            sender.send(bad.value, name=bad.name, stream=bad.stream)
    for odd in ODD:
        sender.send(odd_event(odd, ODD_PANES[odd.name]), name=odd.name, partition=1)
    for number in range(STORM):
        sender.send(event(model=f"nobody-{number % 7}"), partition=2)
    _send_special(sender)
    for number, (stream, value) in enumerate(hostile_events(SPECIAL + 40 * PANE_MS)):
        sender.send(value, stream=stream, name=f"hostile {number}", partition=1)


def _send_special(sender: Sender) -> None:
    """Records of several events, and times that only a partition's own clock tells, on partition 3."""
    now_ms = int(time.time() * 1000)
    half_bad = [json.loads(event(timestamp=SPECIAL + at)) for at in range(3)]
    half_bad[1]["timestamp"] = "yesterday"
    columns = {"model": MODEL, "timestamp": [SPECIAL, SPECIAL + 1], "features": {"x0": [1.0, None], "city": "Oslo"}}
    sender.send(json.dumps(half_bad).encode(), name="array", partition=3)
    sender.send(json.dumps(columns).encode(), name="columns", partition=3)
    sender.send(event(timestamp=now_ms + 400_000), name="future", partition=3, at_ms=now_ms)
    sender.send(event(timestamp=SPECIAL + 1_000), name="after the future", partition=3)
    sender.send(event(timestamp=SPECIAL - 31 * DAY), name="too late", partition=3)
    sender.send(event(timestamp=SPECIAL - 10 * PANE_MS), name="late", partition=3)


@pytest.mark.parametrize("bad", REFUSED, ids=lambda bad: bad.name)
def test_a_refused_record_is_kept_with_its_place_and_reason(sent: Sent, bad: Refused) -> None:
    letter = sent.letter(bad.name)

    topic, partition, offset = sent.places[bad.name].rsplit(":", 2)
    assert (letter["topic"], letter["partition"], letter["offset"]) == (topic, int(partition), int(offset))
    assert (letter["reason"], letter["field"], letter["index"]) == (bad.reason, bad.field, None)
    assert letter["payload_bytes"] == len(bad.value or b"")
    assert len(letter["payload"]) <= 8192
    assert bad.payload is None or letter["payload"] == bad.payload


def test_nothing_of_a_person_is_kept(sent: Sent) -> None:
    kept = json.dumps([letter["payload"] for letter in sent.letters.values()])
    assert "Jane" not in kept
    assert not any(letter["payload"].count("1.0") for letter in sent.letters.values())
    assert all(letter["masked"] for letter in sent.letters.values())


def test_a_hostile_name_is_kept_as_it_is_and_escaped(sent: Sent) -> None:
    assert json.loads(sent.letter("a hostile model")["payload"])["model"] == HOSTILE
    assert "\n" not in sent.letter("a hostile model")["detail"]


def test_good_events_among_bad_ones_are_counted_to_the_last(sent: Sent) -> None:
    found = counts(sent.deployment, MODEL, to_ms=START_MS + 31 * PANE_MS)
    assert_counts(found, expected(GOOD, REFERENCE))
    assert found["late"] == 0


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.name)
def test_an_odd_event_counts_where_its_oddity_belongs(sent: Sent, odd: Odd) -> None:
    pane = ODD_PANES[odd.name]
    found = counts(sent.deployment, MODEL, from_ms=pane, to_ms=pane + PANE_MS)
    assert found["events"] == 1
    value: Any = found
    for name in odd.path.split("."):
        value = value[int(name)] if isinstance(value, list) else value[name]
    assert value == odd.count


def test_of_an_array_the_bad_element_is_kept_and_the_others_count(sent: Sent) -> None:
    letter = sent.letter("array", index=1)
    assert (letter["reason"], letter["field"], letter["index"]) == ("wrong_type", "timestamp", 1)


def test_arrays_columns_and_late_events_count_and_the_rest_is_said(sent: Sent) -> None:
    found = counts(sent.deployment, MODEL, from_ms=SPECIAL - 20 * PANE_MS, to_ms=SPECIAL + 20 * PANE_MS)
    # Two of the array, two of the columns, the one after the future, and the late one.
    assert (found["events"], found["late"]) == (6, 1)
    assert found["features"]["x0"]["missing"] == 1
    assert found["features"]["city"]["categories"]["Oslo"] == 2


def test_a_time_beyond_the_skew_is_kept_and_moves_no_clock(sent: Sent) -> None:
    assert (sent.letter("future")["reason"], sent.letter("future")["field"]) == ("future", "timestamp")
    assert offset_hash(sent.deployment, partition=3)["clock"] == str(SPECIAL + 1_000)


def test_what_is_older_than_panes_are_revised_is_counted_and_not_kept(sent: Sent) -> None:
    assert offset_hash(sent.deployment, partition=3)["rejected:too_late"] == "1"
    assert sent.places["too late"] not in sent.letters


def test_many_events_of_unknown_models_are_all_kept(sent: Sent) -> None:
    storm = [letter for letter in sent.letters.values() if letter["partition"] == 2]
    assert (len(storm), {letter["reason"] for letter in storm}) == (STORM, {"unknown_model"})


def test_every_refusal_is_counted_by_reason(sent: Sent) -> None:
    found: dict[str, int] = {}
    for stream in TOPICS_IN:
        for reason, count in rejected(sent.deployment, stream).items():
            found[reason] = found.get(reason, 0) + count
    kept: dict[str, int] = {}
    for letter in sent.letters.values():
        kept[letter["reason"]] = kept.get(letter["reason"], 0) + 1
    assert found == {**kept, "too_late": 1}


def test_whatever_names_events_bring_every_key_of_redis_is_a_documented_one_and_their_number_is_bounded(
    sent: Sent,
) -> None:
    environment = sent.deployment.environment
    known = documented(environment)
    with redis.Redis.from_url(sent.deployment.redis_url) as client:
        keys = [key.decode() for key in client.scan_iter(f"driftline:{environment}:*", count=10_000)]
        sizes = {key: _size(client, key) for key in keys}
    of = {key: [spelled for spelled, pattern in known.items() if pattern.fullmatch(key)] for key in keys}
    assert [key for key, spelled in of.items() if len(spelled) != 1] == []
    gpus = [key for key, spelled in of.items() if "{gpu:" in spelled[0]]
    assert len(gpus) == 2 * GPUS_KNOWN
    assert {key_slot(key.encode()) for key in gpus}.isdisjoint({key_slot(b"incidents")})
    assert len(keys) - len(gpus) < 150
    assert max(map(len, keys)) < 500
    large = {of[key][0]: size for key, size in sizes.items() if size > 200}
    assert large == {"driftline:gpus": GPUS_KNOWN}, "and none of them grows with what names there are"


def _size(client: redis.Redis, key: str) -> int:
    """How many fields or members a key has."""
    match client.type(key):
        case b"hash":
            return int(client.hlen(key))
        case b"zset":
            return int(client.zcard(key))
        case b"stream":
            return int(client.xlen(key))
        case _:
            return 1


def test_the_worker_is_well_and_its_log_is_calm(sent: Sent) -> None:
    log = sent.worker.log.read_text()
    assert sent.worker.alive
    assert page(sent.worker, "health")[0] == 200
    # A broker without any group yet, or without one of the topics, is worth a line of aiokafka's own.
    errors = [line for line in log.splitlines() if "ERROR" in line or "CRITICAL" in line]
    assert [line for line in errors if "Coordinator" not in line and "cluster metadata" not in line] == []
    # About 75, and on a busy machine a table of partitions more for each time the group is joined again; never one an event.
    assert len(log.splitlines()) < 250
    series = 'driftline_rejected_events_total{reason="unknown_model",stream="predictions"}'
    assert f"{series} {STORM + 2}.0" in page(sent.worker, "metrics")[1]
