"""produce, lag and dlq on the embedded broker: what is sent, how far behind it is, and what was refused."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from schemas.timestamps import end_of_day
from tests.support.site import JANUARY, Site, store_events


def events(count: int) -> str:
    return "\n".join(json.dumps({"model": "m", "timestamp": JANUARY + n * 1000}) for n in range(count))


def records_of(site: Site, stream: str) -> list[tuple[int, bytes | None, Any]]:
    """(partition, key, value) of everything in a topic, in the order of each partition."""
    topic = site.names.topic(stream)
    consumer = Consumer({"bootstrap.servers": site.env["DRIFTLINE_KAFKA"], "group.id": "look", "log_level": 0})
    places = [TopicPartition(topic, partition, 0) for partition in range(4)]
    expected = sum(consumer.get_watermark_offsets(place, timeout=10)[1] for place in places)
    consumer.assign(places)
    found: list[tuple[int, bytes | None, Any]] = []
    while len(found) < expected:
        for record in consumer.consume(expected, timeout=5):
            key = record.key()
            assert key is None or isinstance(key, bytes)
            found.append((record.partition() or 0, key, json.loads(record.value() or b"")))
    consumer.close()
    return found


def test_produce_sends_by_model_and_closes_every_partition_behind_the_last_event(site: Site) -> None:
    ended = site.run("produce", site.file("e.jsonl", events(5)), "--topic", "predictions", "--close")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        f"5 of 5 records sent to {site.names.topic('predictions')}",
        f"closed 4 partitions with the watermark {end_of_day(JANUARY)}",
    ]
    found = records_of(site, "predictions")
    watermark = {"control": "watermark", "timestamp": end_of_day(JANUARY)}
    assert sorted(partition for partition, _, value in found if value == watermark) == [0, 1, 2, 3]
    sent = [(partition, key, value["timestamp"]) for partition, key, value in found if value != watermark]
    assert len({partition for partition, _, _ in sent}) == 1
    assert [(key, time) for _, key, time in sent] == [(b"m", JANUARY + n * 1000) for n in range(5)]
    assert [value == watermark for partition, _, value in found if partition == sent[0][0]] == [False] * 5 + [True]


def test_produce_to_one_partition_and_the_lag_it_makes(site: Site) -> None:
    site.apply()
    store_events(site, at_ms=JANUARY, events=7)
    file = site.file("e.jsonl", events(10))
    assert site.run("produce", file, "--topic", site.names.topic("predictions"), "--partition", "0").code == 0

    found = site.run("lag", "--json").json
    assert len(found["partitions"]) == 16
    first = found["partitions"][0]
    assert [first[name] for name in ("topic", "partition", "stored", "end", "lag", "owner")] == [
        site.names.topic("predictions"), 0, 7, 10, 3, "host:1",
    ]  # fmt: skip
    assert first["watermark_delay_s"] > 0
    assert found["lag"] == 3
    assert site.run("lag").out.splitlines()[-1] == "3 records behind"


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ('{"model": "m"}', ("--topic", "incidents"), "'incidents' is none of predictions, labels, features, serving"),
        ('{"model": ', ("--topic", "labels"), "e.jsonl:1: is not JSON"),
        ('{"model": "m"}', ("--topic", "labels", "--close"), "e.jsonl: timestamp: no event has a time"),
        ('{"model": "m"}', ("--topic", "labels", "--partition", "4"), "has the partitions 0 to 3"),
    ],
)
def test_what_cannot_be_produced_is_refused_before_anything_is_sent(
    site: Site, content: str, options: tuple[str, ...], said: str
) -> None:
    ended = site.run("produce", site.file("e.jsonl", content), *options)

    assert (ended.code, ended.out) == (2, "")
    assert said in " ".join(ended.err.split())
    assert records_of(site, "labels") == []


def test_a_record_that_kafka_does_not_take_is_told_and_is_exit_code_1(site: Site) -> None:
    large = json.dumps({"model": "m", "timestamp": JANUARY, "id": "x" * 1_200_000})
    ended = site.run("produce", site.file("e.jsonl", f"{events(1)}\n{large}"), "--topic", "labels", "--close")

    assert ended.code == 1
    assert ended.out == f"1 of 2 records sent to {site.names.topic('labels')}\n"
    assert ended.err.splitlines()[0] == f"1 records were not delivered to {site.names.topic('labels')}"
    assert ended.err.splitlines()[1].startswith("  record 2: ")
    assert len(records_of(site, "labels")) == 1, "a stream with a gap is not closed"


def letter(offset: int, **more: Any) -> dict[str, Any]:
    plain = {
        "topic": "predictions", "partition": 1, "offset": offset, "index": None, "reason": "not_json", "field": "",
        "detail": "is cut short", "at_ms": JANUARY + offset, "payload": '{"xxx": 00', "payload_bytes": 10, "masked": True,
    }  # fmt: skip
    return plain | more


def refuse(site: Site, *letters: Any) -> None:
    producer = Producer({"bootstrap.servers": site.env["DRIFTLINE_KAFKA"], "log_level": 0})
    for number, one in enumerate(letters):
        producer.produce(site.names.topic("dead-letters"), json.dumps(one).encode(), partition=number % 4)
    assert producer.flush(10) == 0


def test_an_empty_topic_of_dead_letters(site: Site) -> None:
    assert site.run("dlq", "ls").out == "no dead letters\n"
    assert site.run("dlq", "ls", "--json").json == {"dead_letters": []}


def test_dlq_ls_shows_the_newest_first_and_once(site: Site) -> None:
    refuse(site, *map(letter, range(30)), letter(29), "no letter", {"topic": "x"})

    found = site.run("dlq", "ls", "--limit", "3", "--json").json["dead_letters"]
    assert found == [letter(29), letter(28), letter(27)]
    assert len(site.run("dlq", "ls", "--json").json["dead_letters"]) == 20
    assert "predictions:1:29" in site.run("dlq", "ls").out


def test_dlq_ls_of_a_reason_looks_behind_newer_ones(site: Site) -> None:
    refuse(site, letter(0, reason="future", field="timestamp"), *map(letter, range(1, 60)))

    found = site.run("dlq", "ls", "--reason", "future", "--limit", "1", "--json").json["dead_letters"]
    assert [one["offset"] for one in found] == [0]
    assert site.run("dlq", "ls", "--reason", "too_deep").out == "no dead letters for the reason too_deep\n"
    assert site.run("dlq", "ls", "--reason", "because").code == 2


def test_dlq_show_tells_all_that_is_kept_of_a_record(site: Site) -> None:
    refuse(site, letter(7, index=2, field="features.\x1b[31mx"), letter(7, index=0), letter(8))

    ended = site.run("dlq", "show", "predictions:1:7")
    assert ended.out.splitlines() == [
        "predictions:1:7, event 0",
        "  at: 2013-01-01T00:00:00.007Z", "  reason: not_json", "  field: ", "  detail: is cut short",
        '  payload (masked, 10 bytes): {"xxx": 00',
        "predictions:1:7, event 2",
        "  at: 2013-01-01T00:00:00.007Z", "  reason: not_json", "  field: features.\\x1b[31mx", "  detail: is cut short",
        '  payload (masked, 10 bytes): {"xxx": 00',
    ]  # fmt: skip


@pytest.mark.parametrize(("place", "code"), [("predictions:1:99", 1), ("predictions:1", 2), ("predictions:a:1", 2)])
def test_dlq_show_of_what_is_not_there_or_no_place(site: Site, place: str, code: int) -> None:
    refuse(site, letter(7))

    assert site.run("dlq", "show", place).code == code


@contextmanager
def written_to(site: Site, topic: str) -> Iterator[None]:
    """Ten records in a topic, and fifty more a second while the block runs."""
    over, producer = threading.Event(), Producer({"bootstrap.servers": site.env["DRIFTLINE_KAFKA"]})
    for number in range(10):
        producer.produce(topic, json.dumps({"state": "firing", "subject": f"before {number}"}).encode())
    assert producer.flush(10) == 0

    def write() -> None:
        while not over.wait(0.02):
            producer.produce(topic, json.dumps({"state": "firing", "subject": "later"}).encode())
            producer.poll(0)
        producer.flush(5)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()


def test_what_there_is_of_a_busy_topic_is_printed_and_then_it_ends(site: Site) -> None:
    """It used to wait for a silence of two seconds, which a busy topic does not have."""
    topic = site.names.topic("findings")
    with written_to(site, topic):
        ended = site.run("tail", "findings", "--once", "--limit", "5")
    assert ended.code == 0
    assert len(ended.out.splitlines()) == 5
