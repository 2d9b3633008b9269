"""What is read of the topics `incidents` and `actions`: of incidents that have ended, what a person resolved while it fired."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from alerting.document import view
from alerting.keeping import kept
from alerting.records import restored
from schemas.actions import Resolve
from schemas.incidents import encode, with_kept
from schemas.names import Names
from stream.incidents import restoring
from stream.incidents.restoring import Memory
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
