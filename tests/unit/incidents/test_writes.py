"""What a turn writes: the last document of an incident is the one in which nothing is left to be told."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from alerting.deliveries import Call
from alerting.document import view
from alerting.inputs import Began, Confirmed
from alerting.records import changes
from alerting.register import entries, plan
from alerting.state import State
from alerting.step import step
from schemas.incidents import IncidentView, decode
from stream.incidents import writes
from stream.incidents.store import Write
from tests.unit.alerting.world import DAY, HOUR, MINUTE, T0, World, finding, progress


def planned(state: State) -> list[Call]:
    calls = (plan(state, entry.id, state.now) for entry in entries(state))
    return [call for call in calls if call is not None]


def told(state: State) -> State:
    """Everything that is planned is done, at the state's own time."""
    for call in planned(state):
        state = step(state, Began(call.entry, call), state.now)
        state = step(state, Confirmed(call.entry, call, "1.1"), state.now)
    return state


def over() -> State:
    """An incident that was told, has recovered, and of whose end nobody has heard yet."""
    world = World()
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(MINUTE)
    world.send()
    world.clear("a/w0")
    world.wait(2 * HOUR)
    return world.state


def changed_by(old: State, new: State) -> writes.Changed:
    return writes.Changed(dict(changes(old, new)), dict(writes.documents(old, new)))


def written(old: State, new: State) -> list[Write]:
    return list(writes.written_by(old, new, changed=changed_by(old, new), answers={}, marks={}, orders={}))


def documents(writes: Iterable[Write]) -> list[IncidentView]:
    packed = (args[1] for key, _, args in writes if key == "documents")
    return [decode(value) for value in packed if isinstance(value, bytes)]


def test_an_incident_that_leaves_in_the_turn_that_confirmed_its_close_leaves_the_document_of_its_end() -> None:
    """One turn holds the confirmation and findings of days later: in event time that is the usual case."""
    old = over()
    [name] = old.incidents
    assert [one.confirmed for one in view(old, name).deliveries] == [False]
    closed = told(old)
    gone = step(closed, progress("b", T0 + 9 * DAY), T0 + 9 * DAY)
    assert (name in closed.incidents, name in gone.incidents) == (True, False)
    writes = written(old, gone)
    [document] = documents(writes)
    assert (document.id, document.state, document.end_reason) == (name, "ended", "recovered")
    assert [(one.wants, one.believes, one.confirmed) for one in document.deliveries] == [("closed", "closed", True)]
    assert ("ended", "ZADD", (document.ended, name)) in writes
    later = step(gone.without_left(), progress("b", T0 + 10 * DAY), gone.now)
    assert documents(written(gone.without_left(), later)) == [], "once"


def test_one_that_began_and_left_within_a_turn_is_documented_with_its_whole_timeline() -> None:
    empty = World().state
    state = step(empty, finding("a/w0", T0, severity="P1", onset=(T0 - HOUR, T0)), T0)
    [name] = state.incidents
    state = step(told(step(state, progress("a", T0), T0 + MINUTE)), finding("a/w0", T0 + HOUR, state="ok"), T0 + HOUR)
    state = told(step(state, progress("a", T0 + 5 * HOUR), T0 + 5 * HOUR))
    state = step(state, progress("a", T0 + 9 * DAY), T0 + 9 * DAY)
    assert state.incidents == {}
    writes = written(empty, state)
    [document] = documents(writes)
    assert [(one.wants, one.believes, one.confirmed) for one in document.deliveries] == [("closed", "closed", True)]
    lines = [args[-1] for key, _, args in writes if key == f"timeline:{name}"]
    assert (lines[0], lines[-1]) == ("P1 begins: feature:a/w0", "ended: recovered")


def test_a_verdict_revised_after_its_incident_left_begins_it_anew_with_its_own_members_only() -> None:
    world = World()
    world.fire("a/w0", onset=(T0 - HOUR, T0))
    world.fire("a/w1", onset=(T0 - HOUR, T0))
    name = world.incident()
    world.wait(MINUTE)
    world.clear("a/w0")
    world.clear("a/w1")
    world.wait(2 * HOUR)
    old = told(world.state)
    gone = step(old, progress("b", T0 + 9 * DAY), T0 + 9 * DAY)
    again = step(gone, finding("a/w0", T0, rev=(T0 + DAY, 1), severity="P1", onset=(T0 - HOUR, T0)), gone.now)
    assert list(again.incidents) == [name]
    deleted = [field for field, value in changed_by(old, again).records.items() if value is None]
    assert [field.split("|")[1] for field in deleted if field.startswith("member")] == ["feature:a/w1"]
    assert len(view(again, name).members) == 1


def test_an_edit_that_only_waits_for_its_interval_is_no_doubt() -> None:
    world = World()
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(MINUTE)
    [opening] = view(world.state, world.incident()).deliveries
    assert (opening.wants, opening.believes, opening.confirmed) == ("open P1", "closed", False)
    world.send()
    assert view(world.state, world.incident()).deliveries[0].confirmed
    world.fire("a/w1", severity="P1", onset=(T0 - HOUR, T0))
    assert view(world.state, world.incident()).deliveries[0].confirmed, "the edit is due in five minutes"
    world.wait(5 * MINUTE)
    assert [call.kind for call in world.todo()] == ["update"]
    assert not view(world.state, world.incident()).deliveries[0].confirmed
    world.send()
    assert view(world.state, world.incident()).deliveries[0].confirmed


def test_a_close_that_nobody_has_begun_yet_is_not_confirmed() -> None:
    state = over()
    [name] = state.incidents
    before = view(state, name).deliveries[0]
    assert (before.wants, before.believes, before.confirmed) == ("closed", "open P1", False)
    assert view(told(state), name).deliveries[0].confirmed


def test_nothing_that_left_is_kept_once_it_is_stored() -> None:
    old = told(over())
    gone = step(old, progress("b", T0 + 9 * DAY), T0 + 9 * DAY)
    assert list(gone.left) == list(old.incidents)
    assert gone.without_left() == dataclasses.replace(gone, left={})
    assert gone.without_left().left == {}
