"""Dead letters: what one says, what it hides, and a producer that is slow, full or refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from stream.ingest import dead_letters
from stream.ingest.buffer import Rejection
from stream.ingest.dead_letters import MOST_LETTERS, DeadLetters, Masking, key_of, letters_of, masked
from tests.support.ingest import NOON, Stored, tenure

MASKED = Masking(most_bytes=100, unmasked=False)
RETRIABLE = KafkaError(KafkaError._TRANSPORT, retriable=True)
FINAL = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)

Delivered = Callable[[KafkaError | None, Any], None]


def rejection(value: bytes | None = b"x", *, reason: Any = "not_json", index: int | None = None) -> Rejection:
    record = Stored(value, offset=41, timestamp=NOON, partition=3)
    return Rejection(tenure(3), cast(Any, record), reason, "", "expected value at line 1", index)


def says(value: bytes | None, masking: Masking = MASKED) -> Any:
    [(_, letter)] = letters_of([rejection(value)], masking)
    return json.loads(letter)


@dataclass(eq=False)
class Broker:
    """A producer's stand-in: ``flush`` answers each letter with the next of ``answers``, and then with success."""

    answers: list[KafkaError | None] = field(default_factory=list)
    room: int = 1_000
    refusal: KafkaError | None = None
    queue: list[tuple[bytes, Delivered]] = field(default_factory=list)
    held: list[bytes] = field(default_factory=list)
    letters: list[dict[str, Any]] = field(default_factory=list)

    def produce(self, topic: str, value: bytes, key: bytes, *, on_delivery: Delivered) -> None:
        if self.refusal:
            raise KafkaException(self.refusal)
        if len(self.queue) >= self.room:
            raise BufferError
        self.queue.append((key, on_delivery))
        self.letters.append(json.loads(value))

    def poll(self, timeout: float) -> int:
        return 0

    def flush(self, timeout: float) -> int:
        queue, self.queue = self.queue, []
        for key, delivered in queue:
            error = self.answers.pop(0) if self.answers else None
            if error is None:
                self.held.append(key)
            delivered(error, None)
        return 0


def letters(broker: Broker) -> DeadLetters:
    return DeadLetters(cast(Producer, broker), "dead-letters", masking=MASKED)


def settled(kept: DeadLetters) -> None:
    asyncio.run(asyncio.wait_for(kept.settle(), timeout=5))


def test_a_letter_tells_where_the_record_is_and_why_it_was_refused() -> None:
    assert says(b"{") == {
        "topic": "predictions", "partition": 3, "offset": 41, "index": None, "reason": "not_json", "field": "",
        "detail": "expected value at line 1", "at_ms": NOON, "payload": "{", "payload_bytes": 1, "masked": True,
    }  # fmt: skip


def test_its_identity_is_the_place_of_the_event() -> None:
    assert key_of(rejection()) == b"predictions:3:41"
    assert key_of(rejection(index=2)) == b"predictions:3:41:2"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b'{"model": "m", "id": "Jane", "latency_s": 0.5}', '{"model": "m", "id": "<string>", "latency_s": "<number>"}'),
        (b'{"features": {"model": "Jane", "ok": true, "no": null}}',
         '{"features": {"model": "<string>", "ok": "<boolean>", "no": null}}'),
        (b'{"model": ["Jane"], "version": {"status": "Jane"}}',
         '{"model": ["<string>"], "version": {"status": "<string>"}}'),
        (b'[{"model": "m", "id": 7}, "Jane"]', '[{"model": "m", "id": "<number>"}, "<string>"]'),
        (b'{"id": "J\xc3\xb6rg 41', '{"xx": "xxxx 00'),
        (b'"\\ud800"', '"<string>"'),
        (b"[" * 100_000, "[" * 100_000),
        (b"7" * 5_000, "0" * 5_000),
    ],
)  # fmt: skip
def test_values_are_masked_wherever_they_stand(value: bytes, shown: str) -> None:
    assert masked(value) == shown


def test_a_payload_is_cut_and_its_length_is_told() -> None:
    long = says(b'{"id": "' + b"a" * 200_000)
    assert (len(long["payload"]), long["payload_bytes"]) == (100, 200_008)
    assert set(long["payload"]) <= set('{"x: ')
    assert says(b"secret", Masking(0, unmasked=True))["payload"] == ""
    assert says(b"secret", Masking(3, unmasked=True))["payload"] == "sec"
    assert (says(None)["payload"], says(None)["payload_bytes"]) == ("", 0)


def test_settle_returns_once_the_broker_holds_everything() -> None:
    broker = Broker(answers=[RETRIABLE, RETRIABLE])
    kept = letters(broker)
    kept.add([rejection(index=0), rejection(index=1)])
    settled(kept)
    assert sorted(broker.held) == [b"predictions:3:41:0", b"predictions:3:41:1"]


def test_what_the_queue_has_no_room_for_is_sent_when_it_has() -> None:
    broker = Broker(room=1)
    kept = letters(broker)
    kept.add([rejection(index=at) for at in range(3)])
    settled(kept)
    assert len(broker.held) == 3


@pytest.mark.parametrize("broker", [Broker(answers=[FINAL]), Broker(refusal=FINAL)], ids=["later", "at once"])
def test_a_letter_that_is_refused_for_good_is_said_and_given_up(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    kept = letters(broker)
    kept.add([rejection()])
    settled(kept)
    assert broker.held == []
    assert "dead letter predictions:3:41 is given up" in caplog.text


def test_too_late_events_are_counted_only() -> None:
    broker = Broker()
    letters(broker).add([rejection(reason="too_late")])
    assert broker.queue == []


def refusals(value: bytes, count: int) -> list[Rejection]:
    """This many refused events of one record."""
    first = rejection(value, index=0)
    return [replace(first, index=index) for index in range(count)]


def test_a_record_of_many_bad_events_is_masked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []

    def noted(value: bytes) -> str:
        seen.append(value)
        return "<masked>"

    monkeypatch.setattr(dead_letters, "masked", noted)
    one, other = refusals(b"[0, 0]", 50), refusals(b"[1, 1]", 50)
    broker = Broker()
    letters(broker).add([refused for pair in zip(one, other, strict=True) for refused in pair])
    assert seen == [b"[0, 0]", b"[1, 1]"]
    assert len(broker.letters) == 100
    assert {found["payload"] for found in broker.letters} == {"<masked>"}


def test_of_a_record_of_many_bad_events_100_letters_are_kept_and_the_last_says_how_many_more() -> None:
    broker = Broker()
    kept = letters(broker)
    kept.add([*refusals(b"[0]", 10_000), rejection(b"{", index=7)])
    assert kept.beyond == 9900
    assert MOST_LETTERS == 100
    assert [found["index"] for found in broker.letters] == [*range(100), 7]
    said = "expected value at line 1"
    more = f"{said} (9900 more refused events of this record are counted only)"
    assert [found["detail"] for found in broker.letters] == [said] * 99 + [more, said]


def test_exactly_100_letters_of_a_record_are_all_there_are() -> None:
    broker, many = Broker(), refusals(b"[0]", 100)
    letters(broker).add([*many, replace(many[0], reason="too_late")])
    assert {found["detail"] for found in broker.letters} == {"expected value at line 1"}


def test_how_many_more_is_said_behind_a_detail_that_is_too_long() -> None:
    many = [replace(refused, detail="x" * 900) for refused in refusals(b"[0]", 101)]
    *_, (_, last) = letters_of(many, MASKED)
    detail = json.loads(last)["detail"]
    assert len(detail) == 500
    assert detail.endswith("x (1 more refused events of this record are counted only)")


def test_a_wait_that_is_cut_short_is_part_of_the_next() -> None:
    broker = Broker(answers=[RETRIABLE] * 10_000)
    kept = letters(broker)
    kept.add([rejection()])
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(kept.settle(), timeout=0.05))
    broker.answers.clear()
    settled(kept)
    assert broker.held == [b"predictions:3:41"]


def test_letters_are_crowded_by_what_waits_and_no_longer_once_the_broker_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither the producer's queue nor what it has no room for is let grow while the broker is away."""
    broker = Broker(room=1, answers=[RETRIABLE] * 4)
    kept = letters(broker)
    [(_, one)] = letters_of([rejection()], MASKED)
    monkeypatch.setattr(dead_letters, "MOST_WAITING_BYTES", 3 * len(one))
    seen = []
    for _ in range(3):
        seen.append(kept.crowded)
        kept.add([rejection()])
    seen.append(kept.crowded)
    settled(kept)
    assert [*seen, kept.crowded] == [False, False, False, True, False]
    assert len(broker.held) == 3


def test_a_letter_that_is_given_up_waits_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "MOST_WAITING_BYTES", 1)
    kept = letters(Broker(refusal=FINAL))
    kept.add([rejection()])
    assert not kept.crowded


def test_it_is_told_once_why_letters_wait_and_that_they_do(caplog: pytest.LogCaptureFixture) -> None:
    kept = letters(Broker(answers=[RETRIABLE, RETRIABLE]))
    kept.add([rejection()])
    seen = []

    async def settle() -> None:
        waiting = asyncio.create_task(kept.settle())
        await asyncio.sleep(0)
        seen.append(kept.settling)
        await waiting
        seen.append(kept.settling)

    asyncio.run(settle())
    assert seen == [True, False]
    assert caplog.text.count("dead letters wait for Kafka, and counting waits for them") == 1
