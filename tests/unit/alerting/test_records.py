"""The state as fields of a hash: a step writes what it changed, and what was written is the state again."""

from __future__ import annotations

import pytest

from alerting.inputs import Configure
from alerting.records import changed, restored
from alerting.state import new_state
from alerting.step import next_due, step
from schemas.actions import AddSilence, Matcher
from tests.unit.alerting.world import HOUR, MINUTE, P1, RECEIVERS, T0, World, finding, policy, progress


def tables(fields: dict[str, bytes | None]) -> list[str]:
    """Which kinds of records were written or deleted (those with a minus)."""
    return sorted(("-" if value is None else "") + name.split("\x1f")[0] for name, value in fields.items())


def large() -> World:
    """An incident of 24 findings that its receiver was told of."""
    world = World()
    for number in range(24):
        world.fire("a/w0", onset=(T0 - HOUR, T0), window=str(number), rev=(T0, number))
    world.wait(MINUTE)
    world.send()
    return world


def test_a_refresh_writes_its_member_and_its_incident_and_no_other_member() -> None:
    world = large()
    again = step(world.state, finding("a/w0", world.now + 1, onset=(T0 - HOUR, T0), window="7"), world.now + 1)
    assert tables(changed(world.state, again)) == ["incident", "key", "member", "meta", "model"]


def test_progress_writes_a_clock_and_a_tick_at_the_same_time_nothing() -> None:
    world = large()
    moved = step(world.state, progress("b", world.now + 1), world.now)
    assert tables(changed(world.state, moved)) == ["model"]
    assert changed(moved, step(moved, progress("b", world.now + 1), world.now)) == {}


def test_a_silence_or_another_route_of_many_members_writes_none_of_them() -> None:
    """Both follow from the rest; of ten thousand members they would be six megabytes in one piece."""
    world = large()
    silence = AddSilence(
        silence="s", matchers=(Matcher("model", "=", "a"),), starts=0, ends=world.now + HOUR, by="x", at=0
    )
    silenced = step(world.state, silence, world.now)
    assert {member.silenced for member in silenced.incidents[world.incident()].members.values()} == {silence.ends}
    assert tables(changed(world.state, silenced)) == ["entry", "incident", "silence"]
    rerouted = step(world.state, Configure(policy(receivers=RECEIVERS | {"quiet": (P1,)})), world.now)
    assert [reach.address for reach in next(iter(rerouted.incidents[world.incident()].members.values())).reach] == [
        P1.name
    ]
    assert "member" not in tables(changed(world.state, rerouted))


def test_what_was_forgotten_is_deleted_with_its_members_and_entries() -> None:
    world = large()
    for number in range(24):
        world.clear("a/w0", world.now + 1, window=str(number))
    world.wait(HOUR)
    world.send()
    before = world.state
    world.wait(48 * HOUR)
    gone = [name for name in tables(changed(before, world.state)) if name.startswith("-")]
    assert gone == ["-entry", "-incident", *["-member"] * 24]
    assert {name.split("\x1f")[0] for name in world.records} == {"meta", "model", "key", "storm"}


def test_what_is_restored_has_the_same_routes_silences_and_deadlines() -> None:
    world = large()
    matcher = Matcher("window", "=~", "1.")
    world.give(AddSilence(silence="s", matchers=(matcher,), starts=0, ends=world.now + HOUR, by="x", at=0))
    world.fire("b/t0", onset=(T0 - HOUR, T0))
    back = restored(world.records, world.policy)
    assert back == world.state
    assert next_due(back) == next_due(world.state)
    assert (back.index.by_node, back.index.by_model) == (world.state.index.by_node, world.state.index.by_model)
    for name, incident in world.state.incidents.items():
        for key, member in incident.members.items():
            again = back.incidents[name].members[key]
            assert (again.reach, again.silenced) == (member.reach, member.silenced)
    assert sum(member.silenced is not None for i in back.incidents.values() for member in i.members.values()) == 10


def test_nothing_stored_is_a_new_state_and_another_shape_is_refused() -> None:
    assert restored({}, policy()).incidents == new_state(policy()).incidents
    with pytest.raises(ValueError, match="the shape 2; this program reads 1"):
        restored({"meta": b'{"now": 1, "schema": 2}'}, policy())
