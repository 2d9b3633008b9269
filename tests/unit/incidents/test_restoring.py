"""What is read of the topics `incidents` and `actions`: of incidents that have ended, what a person resolved while it fired."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from alerting.document import view
from alerting.keeping import kept
from alerting.records import restored
from schemas.actions import Resolve
from schemas.incidents import encode, with_kept
from schemas.names import Names
from stream.incidents import restoring
from stream.incidents.restoring import MOST_TRIES, Memory, NotRecalled, Remembered
from tests.unit.alerting.world import HOUR, MINUTE, T0, World, policy


def resolved() -> tuple[str, bytes, bytes]:
    """An incident that a person resolved while it fired: its name, its document and what is kept of it."""
    world = World()
    world.fire("a/w0", onset=(T0 - HOUR, T0))
    world.wait(MINUTE)
    world.send()
    name = world.incident()
    world.give(Resolve(incident=name, by="ada", at=world.now))
    world.send()
    while name in world.state.incidents:
        world.wait(HOUR)
        world.send()
        if name in world.state.left:
            found = encode(view(world.state, name)), kept(world.state, name)
    return name, found[0], found[1] or b""


def test_a_finding_that_a_person_resolved_stays_closed_and_the_incident_stays_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, document, part = resolved()

    def whole(options: Any, topic: str, *, within_s: float) -> Iterator[tuple[bytes, bytes]]:
        return iter([(name.encode(), with_kept(document, part))] if topic.endswith("incidents") else [])

    monkeypatch.setattr(restoring, "whole_topic", whole)
    found = Memory({}, Names()).read(now_ms=T0)
    assert (found.documents, found.strangers, found.ended[name][1]) == ({}, (), document)
    assert found.parts[name] == part
    state = restored(found.records, policy())
    assert state.incidents == {}
    assert [known.shut for known in state.models["a"].keys.values()] == ["P2"]


class Kafka:
    """Refuses so many times, with this error."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *, times: int, error: int = KafkaError._ALL_BROKERS_DOWN
    ) -> None:
        self.left, self.error, self.memory = times, error, Memory({}, Names())
        monkeypatch.setattr(restoring, "PAUSES_S", (0.0, 0.0))
        monkeypatch.setattr(restoring, "whole_topic", self.whole)

    def whole(self, options: Any, topic: str, *, within_s: float) -> Iterator[Any]:
        self.left -= 1
        if self.left >= 0:
            raise KafkaException(KafkaError(self.error))
        return iter(())

    def asked(self) -> Remembered | None:
        return asyncio.run(self.memory.recalled(now_ms=0))


def test_while_kafka_is_away_nobody_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = Kafka(monkeypatch, times=3 * (MOST_TRIES - 1))
    for _ in range(MOST_TRIES - 1):
        with pytest.raises(NotRecalled):
            kafka.asked()
    assert kafka.asked() is not None
    assert Kafka(monkeypatch, times=2).asked() is not None


@pytest.mark.parametrize(("times", "error"), [(999, KafkaError._TIMED_OUT), (1, KafkaError.TOPIC_AUTHORIZATION_FAILED)])
def test_a_kafka_that_answers_and_will_never_tell_keeps_nobody_from_being_paged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, times: int, error: int
) -> None:
    kafka = Kafka(monkeypatch, times=times, error=error)
    for _ in range(MOST_TRIES - 1 if times > 1 else 0):
        with pytest.raises(NotRecalled):
            kafka.asked()
    assert kafka.asked() is None
    assert caplog.records[-1].message.startswith("incidents begin anew")
    if times > 1:
        with pytest.raises(NotRecalled):  # another assignment, another trouble: it is given as long
            kafka.asked()
