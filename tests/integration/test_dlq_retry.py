"""``dlq retry``: refused events go again, once, from the records themselves; whatever cannot be sent is said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from tests.support.site import JANUARY, Site

AT_MS = 1_741_000_000_000
EVENT = {"model": "m", "timestamp": JANUARY, "features": {"temp": 39.02}}


class Log:
    """Records of the site's topics, and the dead letters about them."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._producer = Producer({"bootstrap.servers": site.env["DRIFTLINE_KAFKA"], "log_level": 0})
        self._next = 0

    def refuse(self, found: Any, *letters: dict[str, Any]) -> str:
        """A record in partition 1 and its dead letters; its place."""
        value = found if isinstance(found, bytes) else json.dumps(found).encode()
        topic, offset = self._site.names.topic("predictions"), self._next
        self._next += 1
        self._producer.produce(topic, value, b"k", 1, timestamp=AT_MS, headers=[("trace", b"7")])
        plain = {
            "topic": topic, "partition": 1, "offset": offset, "index": None, "reason": "unknown_model", "field": "model",
            "detail": "no model 'm' in force; apply", "at_ms": AT_MS, "payload": "{", "payload_bytes": len(value),
            "masked": True,
        }  # fmt: skip
        for said in letters or ({},):
            self._producer.produce(self._site.names.topic("dead-letters"), json.dumps(plain | said).encode())
        assert self._producer.flush(10) == 0
        return f"{topic}:1:{offset}"

    def sent_again(self) -> list[Message]:
        """What stands behind the refused records."""
        consumer = Consumer(
            {"bootstrap.servers": self._site.env["DRIFTLINE_KAFKA"], "group.id": "look", "log_level": 0}
        )
        topic = self._site.names.topic("predictions")
        place = TopicPartition(topic, 1, self._next)
        _, end = consumer.get_watermark_offsets(place, timeout=10)
        consumer.assign([place])
        found = [message for _ in range(end - self._next) if (message := consumer.poll(5)) is not None]
        consumer.close()
        return found


@pytest.fixture
def log(site: Site) -> Log:
    return Log(site)


def test_a_record_goes_again_as_it_was_and_once(site: Site, log: Log) -> None:
    place = log.refuse(EVENT)
    ended = site.run("dlq", "retry", place)

    sent_to = place.removesuffix(":0") + ":1"
    assert (ended.code, ended.out.splitlines()) == (0, [f"{place}: sent again as {sent_to}", "1 sent again"])
    [message] = log.sent_again()
    assert (message.key(), json.loads(message.value() or b"")) == (b"k", EVENT)
    assert message.headers() == [("trace", b"7"), ("driftline-retry", place.encode())]
    assert message.timestamp()[1] > AT_MS

    twice = site.run("dlq", "retry", place)
    assert (twice.code, twice.out.splitlines()) == (
        1, [f"{place}: not sent: was sent again before; --again sends it once more", "1 not sent"],
    )  # fmt: skip
    assert site.run("dlq", "retry", "--all", "--json").json == {
        "sent": 0, "would_be_sent": 0, "skipped": 1, "failed": 0,
        "records": [
            {"record": place, "state": "skipped", "events": None, "sent_to": None, "why": "was sent again before"}
        ],
    }  # fmt: skip
    assert len(log.sent_again()) == 1
    assert site.run("dlq", "retry", place, "--again").code == 0
    assert len(log.sent_again()) == 2


def test_of_an_array_only_the_refused_events_by_their_reason(site: Site, log: Log) -> None:
    events = [EVENT | {"id": str(at)} for at in range(5)]
    place = log.refuse(events, {"index": 1}, {"index": 3, "reason": "future"}, {"index": 4})

    assert site.run("dlq", "retry", "--reason", "unknown_model", "--dry-run").out.splitlines() == [
        f"{place}: 2 events would be sent again", "1 would be sent again",
    ]  # fmt: skip
    assert log.sent_again() == []
    assert site.run("dlq", "retry", "--reason", "unknown_model").code == 0
    assert site.run("dlq", "retry", "--all").out.splitlines()[0].startswith(f"{place}: event 3 sent again as ")
    assert [json.loads(message.value() or b"") for message in log.sent_again()] == [[events[1], events[4]], [events[3]]]


def test_what_is_gone_is_said_and_the_others_go(site: Site, log: Log) -> None:
    kept = log.refuse(EVENT)
    cut = log.refuse(EVENT, {"payload_bytes": 3})
    far = log.refuse(EVENT, {"offset": 77})
    foreign = log.refuse(EVENT, {"topic": site.names.topic("actions")})
    ended = site.run("dlq", "retry", "--all", "--json")

    found = json.loads(ended.out)
    assert (ended.code, found["sent"], found["failed"]) == (1, 1, 3)
    why = {one["record"]: one["why"] for one in found["records"]}
    topic = site.names.topic("predictions")
    assert why == {
        kept: None,
        cut: "another record stands there now: the topic was made anew",
        f"{topic}:1:77": "the record is gone: its log ends at 4, so the topic was made anew",
        f"{site.names.topic('actions')}:1:3": (
            f"'{site.names.topic('actions')}' is no topic that producers write to in this environment"
        ),
    }
    assert far, foreign


def test_a_command_that_died_in_between_sends_nothing_twice(site: Site, log: Log) -> None:
    place = log.refuse(EVENT)
    site.redis.hset(site.names.retried, place, f"{AT_MS} 5 sending")
    assert site.run("dlq", "retry", place).code == 1
    assert log.sent_again() == []

    site.redis.hset(site.names.retried, place, f"{AT_MS - 1} 5 sent")
    assert site.run("dlq", "retry", place).code == 0, "that was a record of a topic that is gone"
    assert site.redis.hget(site.names.retried, place).split()[::2] == [str(AT_MS).encode(), b"sent"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "one of the three"),
        (("--all", "--reason", "future"), 2, "one of the three"),
        (("predictions:1",), 2, "is not TOPIC:PARTITION:OFFSET"),
        (("--reason", "because"), 2, "is none of not_utf8"),
        (("predictions:1:5",), 1, "predictions:1:5: not sent: there is no dead letter of it"),
        (("--all",), 0, "no dead letters"),
    ],
)
def test_what_is_asked_for_wrongly_or_not_there(site: Site, arguments: tuple[str, ...], code: int, said: str) -> None:
    ended = site.run("dlq", "retry", *arguments)
    assert ended.code == code
    assert said in " ".join((ended.out + ended.err).split())
