"""The commands on a real Redis and the embedded broker: what an operator sees before, during and after counting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from schemas.names import TOPICS_IN, Names
from stream.local.broker import create_topic, embedded_broker
from stream.state.columns import layouts_of
from stream.state.layout import EVENTS
from stream.state.packing import empty, pack
from stream.state.store import Checkpoint, PaneKey, PaneStore
from tests.support.command import Ended, driftline
from tests.support.models import DAY, HOUR, monitor, numeric, reference

JANUARY = 1_356_998_400_000
MONITORS = """\
schema: 1
defaults: {pane: 1h, windows: {day: 24h}, step: 24h, lateness: 0s}
models:
  m:
    reference: m.json
    prediction: {kind: binary, classes: [on_time, delayed], positive: delayed}
    features:
      temp: {type: numeric}
      gust: {type: numeric}
      carrier: {type: categorical}
      tail: {type: categorical, hash: true}
"""


@dataclass(frozen=True, slots=True)
class Site:
    """A deployment and a folder with a monitors file of the model ``m``."""

    env: Mapping[str, str]
    names: Names
    folder: Path

    def run(self, *arguments: str) -> Ended:
        return driftline(*arguments, env=self.env)

    def file(self, name: str, content: str) -> str:
        (self.folder / name).write_text(content)
        return str(self.folder / name)

    def apply(self, **features: Any) -> Ended:
        (self.folder / "m.json").write_bytes(reference(**features).to_json())
        return self.run("apply", self.file("monitors.yaml", MONITORS))

    @property
    def redis(self) -> Redis:
        return Redis.from_url(self.env["DRIFTLINE_REDIS"])


@pytest.fixture(scope="module")
def bootstrap() -> Iterator[str]:
    with embedded_broker() as address:
        yield address


@pytest.fixture
def site(bootstrap: str, redis_url: str, environment_name: str, tmp_path: Path) -> Site:
    env = {"DRIFTLINE_KAFKA": bootstrap, "DRIFTLINE_REDIS": redis_url, "DRIFTLINE_ENVIRONMENT": environment_name}
    names = Names(environment_name)
    for topic in (*TOPICS_IN, "dead-letters"):
        create_topic(bootstrap, names.topic(topic))
    return Site(env, names, tmp_path)


def store_events(site: Site, *, at_ms: int, events: int) -> None:
    """Count events into one pane of partition 0, as a worker does."""

    async def stored() -> None:
        async with AsyncRedis.from_url(site.env["DRIFTLINE_REDIS"]) as redis:
            store = PaneStore(redis, site.names, keep_ms=DAY)
            epoch, _ = await store.take("predictions", 0, group="g", take_over=False, now_ms=5)
            await store.note_owner("predictions", 0, owner="host:1")
            await store.resume("predictions", 0, epoch=epoch, fields={"next": 0})
            layout = layouts_of("m", monitor(), reference())["predictions"]
            partial = empty(layout.cells, len(layout.numeric))
            partial.cells[EVENTS] = events
            pane = PaneKey("predictions", 0, 0, layout, at_ms), pack(partial)
            checkpoint = Checkpoint(
                "predictions", 0, epoch, 0, events, {"clock": at_ms}, {"rejected:not_json": 2}, [pane]
            )
            assert await store.checkpoint([checkpoint]) == ["stored"]

    asyncio.run(stored())


# -- apply


def test_before_anything_status_says_what_to_do(site: Site) -> None:
    assert site.run("status").out.splitlines() == [
        "nothing is in force: run `driftline apply FILE`",
        "no partition was ever read: is a `driftline worker` running?",
    ]
    assert site.run("status", "--json").json["generation"] is None


def test_apply_puts_a_file_into_force_and_says_when_a_change_takes_effect(site: Site) -> None:
    first = site.apply()
    store_events(site, at_ms=JANUARY, events=7)
    second = site.apply(temp=numeric(0.0, 5.0, 20.0))

    said = "4 features, panes of 1h, reference"
    assert first.out.splitlines() == [
        "generation 1 is in force: 1 model",
        f"  m: {said} {reference().hash[:16]}",
        "warning: m: not in the reference, so counted without bins or categories: gust, tail",
    ]
    assert second.out.splitlines()[0] == "generation 2 is in force: 1 model"
    assert second.out.splitlines()[1].endswith(", for panes from 2013-01-01T01:00:00Z on")


def test_a_bad_file_leaves_the_old_generation_in_force(site: Site) -> None:
    site.apply()
    before = site.redis.hgetall(site.names.config)
    ended = site.run("apply", site.file("monitors.yaml", MONITORS.replace("temp", "te mp", 1).replace("1h", "soon")))

    assert (ended.code, ended.out) == (2, "")
    assert "monitors.yaml:2: defaults.pane: must be a duration" in ended.err
    assert site.redis.hgetall(site.names.config) == before


# -- counts and status


def test_counts_of_a_range_for_machines_and_for_people(site: Site) -> None:
    site.apply()
    store_events(site, at_ms=JANUARY, events=7)
    asked = ("counts", "--model", "m", "--from", "2013-01-01", "--to", "2013-01-02T00:00:00Z")

    found = site.run(*asked, "--json").json
    assert [found[name] for name in ("model", "stream", "from", "to", "panes", "events", "other_layouts")] == [
        "m", "predictions", JANUARY, JANUARY + DAY, 1, 7, {},
    ]  # fmt: skip
    assert found["features"]["temp"]["edges"] == [0.0, 10.0, 20.0]
    shown = site.run(*asked)
    assert shown.code == 0
    assert "m, predictions, 2013-01-01T00:00:00Z to 2013-01-02T00:00:00Z: 7 events in 1 panes" in shown.out
    assert {"temp", "carrier", "prediction.score_grid", "status"} <= set(shown.out.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--model", "n", "--from", "2013-01-01", "--to", "2013-01-02"), "model: 'n' is not in force; in force: m"),
        (("--model", "m", "--from", "2013-01-02", "--to", "2013-01-01"), "range: is empty"),
        (("--model", "m", "--from", "1357035300", "--to", "2013-01-02"), "seconds"),
        (("--model", "m", "--from", "2013-01-01", "--to", "2013-01-02", "--stream", "x"), "is none of predictions"),
    ],
)
def test_counts_that_cannot_be_asked_are_exit_code_2(site: Site, arguments: tuple[str, ...], said: str) -> None:
    site.apply()
    ended = site.run("counts", *arguments)

    assert ended.code == 2
    assert said in ended.err


def test_status_shows_each_partition_and_what_was_refused(site: Site) -> None:
    site.apply()
    store_events(site, at_ms=JANUARY, events=7)

    found = site.run("status", "--json").json
    assert (found["generation"]["number"], list(found["generation"]["models"])) == (1, ["m"])
    [partition] = found["streams"]["predictions"]["partitions"]
    assert [partition[name] for name in ("partition", "stored", "clock_ms", "owner")] == [0, 7, JANUARY, "host:1"]
    assert found["streams"]["predictions"]["rejected"] == {"not_json": 2}
    assert "predictions: refused not_json 2" in site.run("status").out


def test_a_damaged_store_is_a_line_and_exit_code_1(site: Site) -> None:
    site.redis.hset(site.names.config, mapping={"generation": 1, "document": "{"})
    ended = site.run("status")

    assert ended.code == 1
    assert ended.err.startswith("the stored configuration cannot be followed: document: ")


# -- produce and lag


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
        f"closed 4 partitions with the watermark {JANUARY + 4000}",
    ]
    found = records_of(site, "predictions")
    watermark = {"control": "watermark", "timestamp": JANUARY + 4000}
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


# -- dlq


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


def test_the_hour_of_a_pane_is_the_hour_asked_for(site: Site) -> None:
    site.apply()
    store_events(site, at_ms=JANUARY + HOUR, events=7)
    asked = ("counts", "--model", "m", "--json", "--from")

    assert site.run(*asked, "2013-01-01T01:00:00Z", "--to", "2013-01-01T01:00:00.001Z").json["events"] == 7
    assert site.run(*asked, "2013-01-01T00:00:00Z", "--to", "2013-01-01T01:00:00Z").json["events"] == 0
