"""The relay forgets nothing that was stored while it looked, lets no model wait for another, and tells what it gave up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from schemas.names import Names
from stream.evaluate.storing.relay import AT_ONCE, Relay
from stream.evaluate.storing.tally import EvaluationTally

NAMES = Names()
TOO_LARGE = b"too large"


class Outboxes:
    """A Redis with a stream a model; ``looked`` is called when one was read, before the answer arrives."""

    def __init__(self) -> None:
        self.entries: dict[str, list[tuple[bytes, dict[bytes, bytes]]]] = {}
        self.looked: Callable[[], None] = lambda: None
        self._number = 0

    def add(self, *values: bytes, model: str = "m", topic: bytes = b"findings") -> None:
        for value in values:
            self._number += 1
            entry = b"%d-0" % self._number, {b"topic": topic, b"key": b"k", b"value": value}
            self.entries.setdefault(NAMES.outbox(model), []).append(entry)

    async def xrange(self, key: str, count: int) -> Any:
        found = self.entries.get(key, [])[:count]
        self.looked()
        await asyncio.sleep(0)
        return found

    async def xdel(self, key: str, *ids: bytes) -> None:
        self.entries[key] = [entry for entry in self.entries[key] if entry[0] not in ids]

    @property
    def left(self) -> int:
        return sum(map(len, self.entries.values()))


class Broker:
    """A producer that delivers at once what is not too large."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def produce(self, topic: str, value: bytes, key: bytes, partition: int, *, on_delivery: Any) -> None:
        if value == TOO_LARGE:
            raise KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))
        self.sent.append(value)
        on_delivery(None, None)


async def patiently(ask: Callable[[], Awaitable[Any]]) -> Any:
    return await ask()


def relayed(outboxes: Outboxes, *wakes: Sequence[str], looked: Callable[[Relay], None] | None = None) -> Any:
    """What is sent by a round after each wake, and the tally."""
    broker, tally = Broker(), EvaluationTally()
    kept: Any = (outboxes, broker)

    async def rounds() -> None:
        relay = Relay(kept[0], NAMES, kept[1], patience=patiently, tally=tally)  # type: ignore[arg-type]
        if looked is not None:
            outboxes.looked = lambda: looked(relay)
        for wake in wakes:
            relay.wake(wake)
            await relay.run_once()

    asyncio.run(rounds())
    return broker.sent, tally


def test_what_is_stored_while_the_outbox_is_read_is_sent_by_the_next_round() -> None:
    outboxes = Outboxes()
    outboxes.add(b"1")

    def stored_meanwhile(relay: Relay) -> None:
        outboxes.looked = lambda: None
        outboxes.add(b"2")
        relay.wake(["m"])

    sent, _ = relayed(outboxes, ["m"], [], looked=stored_meanwhile)
    assert sent == [b"1", b"2"]


def test_one_model_s_flood_keeps_no_other_waiting_and_is_sent_whole() -> None:
    outboxes = Outboxes()
    outboxes.add(*[b"flood"] * (2 * AT_ONCE + 5), model="loud")
    outboxes.add(b"page", model="quiet")
    sent, tally = relayed(outboxes, ["loud", "quiet"])
    assert (sent.count(b"flood"), sent.count(b"page")) == (AT_ONCE, 1)
    sent, tally = relayed(outboxes, ["loud"], [])
    assert (len(sent), tally.relayed, outboxes.left) == (AT_ONCE + 5, AT_ONCE + 5, 0)


def test_findings_go_before_the_reports_that_were_concluded_with_them() -> None:
    outboxes = Outboxes()
    outboxes.add(b"report 1", b"report 2", topic=b"drift-reports")
    outboxes.add(b"finding 1", b"finding 2")
    assert relayed(outboxes, ["m"])[0] == [b"finding 1", b"finding 2", b"report 1", b"report 2"]


def test_what_is_too_large_is_given_up_counted_apart_and_said_once_a_model(caplog: pytest.LogCaptureFixture) -> None:
    outboxes = Outboxes()
    for model in ("m", "n"):
        outboxes.add(TOO_LARGE, b"small", TOO_LARGE, model=model, topic=b"drift-reports")
    outboxes.add(*[b"more"] * (AT_ONCE - 3), TOO_LARGE)
    sent, tally = relayed(outboxes, ["m", "n"], [])
    assert (sent.count(b"small"), tally.relayed, tally.given_up, outboxes.left) == (2, AT_ONCE - 1, 5, 0)
    said = [record.getMessage() for record in caplog.records]
    assert [line.partition(" are given up")[0] for line in said] == ["messages of model 'm'", "messages of model 'n'"]
    assert "one for drift-reports" in said[0]
