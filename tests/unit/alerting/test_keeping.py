"""What goes with an incident's document: enough for an owner that has lost everything to go on and tell nobody twice."""

from __future__ import annotations

import msgspec
import pytest

from alerting import keeping
from alerting.keeping import MOST_BYTES, Kept, kept, read, rejoined
from alerting.records import restored
from alerting.register import calls
from alerting.silences import Silence
from alerting.state import State
from schemas.actions import Acknowledge, Matcher, Resolve
from schemas.findings import Severity
from tests.unit.alerting.world import DAY, HOUR, MINUTE, T0, World, policy


def lost_and_found(state: State, *silences: Silence) -> State:
    """The state that the incidents' parts make."""
    parts = [read(part) for name in state.incidents if (part := kept(state, name)) is not None]
    return restored(rejoined(parts, silences), policy())


def told() -> World:
    """An incident of three findings that everybody was told of and somebody took."""
    world = World()
    for number in range(3):
        world.fire("a/w0", onset=(T0 - HOUR, T0), window=str(number), rev=(T0, number))
    world.wait(MINUTE)
    world.send()
    world.give(Acknowledge(incident=world.incident(), by="ada", at=world.now))
    world.send()
    return world


def test_an_incident_its_members_and_its_register_are_the_same_and_nobody_is_to_be_told() -> None:
    world = told()
    found = lost_and_found(world.state)
    assert found.incidents == world.state.incidents
    assert found.entries == world.state.entries
    assert found.models["a"] == world.state.models["a"]
    assert calls(found, world.now) == []


def test_findings_that_were_known_are_no_news_and_the_next_goes_on_in_the_same_incident() -> None:
    world = told()
    name = world.incident()
    world.state = lost_and_found(world.state)
    before = world.state.incidents
    world.fire("a/w0", onset=(T0 - HOUR, T0), window="1", rev=(T0, 1))
    assert world.state.incidents == before
    world.fire("a/w0", onset=(T0 - HOUR, T0), window="1", rev=(T0 + HOUR, 1))
    assert list(world.state.incidents) == [name]
    assert world.state.incidents[name].acknowledged is not None


def test_who_was_told_is_told_that_it_is_over() -> None:
    world = told()
    world.state = lost_and_found(world.state)
    for number in range(3):
        world.clear("a/w0", world.now + 1, window=str(number))
    world.wait(HOUR)
    closes = [call.kind for call in calls(world.state, world.now)]
    assert closes
    assert set(closes) == {"close"}


def test_silences_hold_again() -> None:
    world = told()
    silence = Silence("s", (Matcher("model", "=", "a"),), 0, world.now + HOUR, "ada")
    found = lost_and_found(world.state, silence)
    assert found.silences == {"s": silence}
    assert {member.silenced for member in found.incidents[world.incident()].members.values()} == {silence.ends}


def test_what_names_a_part_that_is_missing_lets_go_of_it() -> None:
    world = told()
    part = read(kept(world.state, world.incident()) or b"")
    torn = {name: value for name, value in part.records.items() if name.split("\x1f")[0] not in ("entry", "member")}
    found = restored(rejoined([Kept(part.schema, part.now, torn)], ()), policy())
    assert found.incidents[world.incident()].entries == ()
    assert {known.home for known in found.models["a"].keys.values()} == {None}


def test_of_findings_that_say_very_much_the_strongest_are_kept_and_the_incident_in_any_case() -> None:
    """200 of them would not fit into a record of Kafka, and a part that does not is not sent."""
    world = World()
    for number in range(200):
        severity: Severity = "P1" if number == 7 else "P2"
        world.fire("a/w0", severity=severity, window=str(number), rev=(T0, number), evidence={"cause": "x" * 8_000})
    name = world.incident()
    part = kept(world.state, name) or b""
    assert len(part) < MOST_BYTES + 10_000
    found = restored(rejoined([read(part)], ()), policy()).incidents[name]
    assert 50 < len(found.members) < 60
    assert max(member.finding.window == "7" for member in found.members.values())
    assert found.entries == world.state.incidents[name].entries


def test_where_no_member_fits_its_model_has_its_time_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST_BYTES", 10)
    world = told()
    part = read(kept(world.state, world.incident()) or b"")
    assert {name.split("\x1f")[0] for name in part.records} == {"incident", "entry", "model"}
    found, before = restored(rejoined([part], ()), policy()).models["a"], world.state.models["a"]
    assert (found.clock, found.heard) == (before.clock, before.heard)


@pytest.mark.parametrize("part", [b"{}", b"\x07", b'{"schema":2,"now":1,"records":{}}'])
def test_a_damaged_part_is_refused(part: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        read(part)


def resolved() -> tuple[World, bytes | None]:
    """One that a person resolved while it fired, two findings of three clear since; its part when it has left the state."""
    world = told()
    name = world.incident()
    world.give(Resolve(incident=name, by="ada", at=world.now))
    world.send()
    for number in range(2):
        world.clear("a/w0", T0 + MINUTE, window=str(number), rev=(T0 + MINUTE, number))
    part = None
    while name in world.state.incidents:
        world.wait(HOUR)
        world.send()
        part = kept(world.state, name) if name in world.state.left else None
    return world, part


def test_what_a_person_resolved_while_it_fired_stays_closed_after_it_has_left() -> None:
    _, part = resolved()
    world = World()
    world.state = restored(rejoined([read(part or b"")], ()), policy())
    assert {key: known.shut for key, known in world.state.models["a"].keys.items()} == {"psi|feature:a/w0||2": "P2"}
    world.fire("a/w0", onset=(T0 - HOUR, T0), window="2", rev=(T0 + DAY, 2))
    assert world.state.incidents == {}
    world.fire("a/w0", onset=(T0 - HOUR, T0), window="1", rev=(T0 + DAY, 1))
    assert len(world.state.incidents) == 1


def test_what_was_clear_in_between_opens_anew_though_nobody_heard_so() -> None:
    _, part = resolved()
    world = World()
    world.state = restored(rejoined([read(part or b"")], ()), policy())
    world.fire("a/w0", onset=(T0 + HOUR, T0 + DAY), window="2", rev=(T0 + DAY, 2))
    assert len(world.state.incidents) == 1


def test_of_an_incident_that_has_left_else_nothing_is_kept() -> None:
    world = told()
    name = world.incident()
    for number in range(3):
        world.clear("a/w0", world.now + 1, window=str(number))
    while name in world.state.incidents:
        world.wait(HOUR)
        world.send()
    assert (name in world.state.left, kept(world.state, name), kept(world.state, "inc-gone")) == (True, None, None)
