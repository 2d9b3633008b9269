"""An operator's merge: nobody is rung for it, nobody is left without the end, and the history says who and why."""

from __future__ import annotations

from alerting.breadth import is_wide
from alerting.document import view
from alerting.inputs import Began, Confirmed, Failed
from alerting.keeping import kept, read, rejoined
from alerting.records import restored
from schemas.actions import Acknowledge, MergeIncidents, Resolve, SplitIncident
from tests.unit.alerting.hand import (
    calm_and_forgotten,
    in_doubt_of_a_storm,
    lines,
    live,
    merge,
    one_receiver,
    over,
    refused,
    split,
    two,
)
from tests.unit.alerting.world import DAY, HOUR, MINUTE, P0, P1, PD, T0, World, policy, route


def test_two_become_one_that_says_who_and_why_and_nobody_is_rung() -> None:
    world, first, second = two()
    rings = list(world.vendors.rings)
    merge(world, second.id, first.id, "one release broke both")
    world.send()

    [incident] = live(world)
    assert (incident.id, sorted(incident.members)) == (first.id, sorted([*first.members, *second.members]))
    assert f"{second.id} was merged into this by ann: one release broke both" in lines(world, first.id)
    assert f"merged into {first.id} by ann: one release broke both" in lines(world, second.id)
    assert lines(world, second.id)[-1] == f"ended: merged into {first.id}"
    gone = view(world.state, second.id)
    assert (gone.state, gone.end_reason, gone.links) == ("ended", "merged", (first.id,))
    assert world.vendors.rings == rings
    assert world.vendors.open_at(P1.name) == {f"{first.id}:1"}, "the second was closed at the vendor"
    close = world.vendors.calls[-1]
    assert (close.kind, close.dedup_key, close.why) == ("close", f"{second.id}:1", f"merged into {first.id}")


def test_it_ends_when_all_of_it_is_well() -> None:
    world, first, second = two()
    merge(world, second.id, first.id)
    over(world, "a/w0")
    assert [one.id for one in live(world)] == [first.id], "what came with the other still fires"
    over(world, "b/t0")
    assert (live(world), world.vendors.still_open()) == ([], set())
    assert len(world.vendors.rings) == 2


def test_a_refresh_of_what_was_moved_goes_on_where_it_is_now() -> None:
    world, first, second = two()
    merge(world, second.id, first.id)
    world.fire("b/t0", world.now + MINUTE, severity="P1")

    assert [one.id for one in live(world)] == [first.id]
    assert [member.joined_by for member in live(world)[0].members.values()] == ["first", "merged"]


def test_who_was_told_only_of_the_second_sees_its_page_go_on_as_the_first() -> None:
    world, first, second = two("P1", "P0")
    rings = list(world.vendors.rings)
    merge(world, second.id, first.id)
    world.send()

    assert world.vendors.rings == rings
    assert world.vendors.open_at(PD.name) == {f"{second.id}:1"}, "as PagerDuty knows it"
    edit = next(call for call in reversed(world.vendors.calls) if call.address == PD.name)
    assert (edit.kind, edit.entry.startswith(first.id)) == ("update", True)
    over(world, "a/w0", "b/t0")
    assert (world.vendors.still_open(), world.vendors.rings) == (set(), rings)


def test_of_two_at_one_address_the_worse_page_goes_on() -> None:
    world, first, second = two("P2", "P0", world=one_receiver())
    rings = list(world.vendors.rings)
    merge(world, second.id, first.id)
    world.send()

    assert world.vendors.rings == rings
    assert world.vendors.open_at(PD.name) == world.vendors.open_at(P0.name) == {f"{second.id}:1"}
    assert live(world)[0].severity == "P0"
    over(world, "a/w0", "b/t0")
    assert world.vendors.still_open() == set()


def test_what_gets_worse_afterwards_rings_under_a_key_of_its_own() -> None:
    world, first, second = two("P2", "P1", world=one_receiver())
    merge(world, second.id, first.id)
    world.send()
    world.fire("a/w0", severity="P0")
    world.send()

    assert world.vendors.open_at(PD.name) == {f"{second.id}:2"}
    world.wait(MINUTE)
    over(world, "a/w0", "b/t0")
    assert world.vendors.still_open() == set()


def test_the_second_is_closed_once_the_survivor_is_surely_open() -> None:
    world = one_receiver()
    world.fire("b/t0", severity="P1")
    world.fire("a/w0", severity="P1")
    world.wait(MINUTE)
    second, first = live(world)
    for call in world.todo():  # both openings are under way, and how that ended is not known
        world.give(Began(call.entry, call))
    merge(world, second.id, first.id)

    assert [call.kind for call in world.todo()] == ["open", "open"]
    world.send()
    assert [(call.kind, call.dedup_key) for call in world.vendors.calls if call.address == PD.name] == [
        ("open", f"{first.id}:1"),
        ("close", f"{second.id}:1"),
    ]
    over(world, "a/w0", "b/t0")
    assert world.vendors.still_open() == set()


def test_an_answer_that_comes_after_the_merge_is_its_vendors_incidents() -> None:
    world = World()
    world.fire("a/w0", severity="P1")
    world.fire("b/t0", severity="P0")
    world.wait(MINUTE)
    first, second = live(world)
    call = next(one for one in world.todo() if one.address == PD.name)
    world.give(Began(call.entry, call))
    world.vendors.deliver(call)
    merge(world, second.id, first.id)
    world.give(Confirmed(call.entry, call))

    entry = world.state.entries[f"{first.id}|{PD.name}"]
    assert (entry.confirmed, entry.under) == (True, second.id)
    world.send()
    assert [key for place, key in world.vendors.rings if place == PD.name] == [f"{second.id}:1"]


def test_what_may_be_there_of_a_failed_call_is_remembered_where_its_incident_went() -> None:
    world = World()
    world.fire("a/w0", severity="P1")
    world.fire("b/t0", severity="P0")
    world.wait(MINUTE)
    first, second = live(world)
    call = next(one for one in world.todo() if one.address == PD.name)
    world.give(Began(call.entry, call, thread="perhaps"))
    merge(world, second.id, first.id)
    world.give(Failed(call.entry, call, permanent=False, why="no answer"))

    [again] = [one for one in world.todo() if one.address == PD.name]
    assert (again.entry, again.dedup_key, again.thread) == (f"{first.id}|{PD.name}", f"{second.id}:1", "perhaps")


def test_who_has_the_first_has_all_of_it() -> None:
    world, first, second = two(world=World(policy(route(repeat_interval_ms=HOUR))))
    world.give(Acknowledge(incident=first.id, by="bob", at=world.now))
    merge(world, second.id, first.id)
    rings, notes = list(world.vendors.rings), list(world.vendors.notes)
    world.wait(5 * HOUR)
    world.send()

    assert (world.vendors.rings, world.vendors.notes) == (rings, notes)
    assert view(world.state, first.id).acknowledged_by == "bob"


def test_into_one_that_rests() -> None:
    world, first, second = two()
    world.clear("a/w0")
    assert world.state.incidents[first.id].state == "recovering"
    merge(world, second.id, first.id)

    assert (live(world)[0].state, live(world)[0].resting) == ("open", None)


def test_it_is_the_same_after_a_restart_and_in_what_kafka_keeps() -> None:
    world, first, second = two("P1", "P0")
    merge(world, second.id, first.id)
    assert restored(world.records, world.policy) == world.state
    parts = [read(part) for name in world.state.incidents if (part := kept(world.state, name)) is not None]
    assert restored(rejoined(parts, ()), world.policy).incidents == world.state.incidents
    split(world, first.id, "feature:b/t0")
    assert restored(world.records, world.policy) == world.state


def test_what_cannot_be_merged_is_refused_in_words() -> None:
    world, first, second = two()

    def of(other: str, into: str) -> str:
        return refused(world, MergeIncidents(incident=other, into=into, by="ann", at=world.now))

    assert of(first.id, first.id) == f"{first.id} cannot be merged into itself"
    assert of("inc-no", first.id) == of(first.id, "inc-no") == "there is no incident inc-no"
    world.fire("c", kind="no_traffic", rule="no_traffic", severity="P0")
    silence = live(world)[-1]
    assert of(silence.id, first.id).startswith(f"{silence.id} says that a model has no traffic")
    world.give(Resolve(incident=second.id, by="ann", at=world.now))
    assert of(second.id, first.id) == of(first.id, second.id) == f"{second.id} has ended: operator"


def test_a_storm_is_neither_merged_nor_split() -> None:
    world = World(policy(storm=1))
    world.fire("a/w0", severity="P1")
    world.fire("b/t0", severity="P1")
    world.wait(MINUTE)
    world.send()
    first, second, storm = live(world)
    assert storm.rollup is not None
    said = f"{storm.id} is a storm and ends by itself: merge or split what it stands for"

    assert refused(world, MergeIncidents(incident=storm.id, into=first.id, by="ann", at=world.now)) == said
    assert refused(world, SplitIncident(incident=storm.id, findings=("x",), by="ann", at=world.now)) == said
    merge(world, second.id, first.id)
    world.wait(HOUR)
    world.send()
    over(world, "a/w0", "b/t0")
    assert world.vendors.still_open() == set()


def test_what_a_storm_spoke_for_goes_on_as_what_was_told() -> None:
    world = World(policy(storm=1))
    world.fire("a/w0", severity="P1")
    world.fire("b/t0", severity="P1")
    world.wait(MINUTE)
    world.send()
    told, waiting, storm = live(world)
    merge(world, told.id, waiting.id)

    entry = world.state.entries[f"{waiting.id}|{P1.name}"]
    assert (entry.rolled, entry.under, entry.confirmed) == (None, told.id, True)
    assert world.state.storms[P1.name].waiting == frozenset()
    assert not world.state.incidents[storm.id].live, "it speaks for nothing any more"


def test_a_storm_speaks_for_what_was_moved_until_it_is_surely_told() -> None:
    """It had room for the second, and how its opening ended was not known when that was merged."""
    world, entry = in_doubt_of_a_storm("c/t2", onset=(T0 - 9 * DAY, T0 - 9 * DAY + MINUTE))
    into = live(world)[-1]
    assert into.severity == "P2"
    merge(world, entry.incident, into.id)

    assert world.state.storms[P1.name].waiting == frozenset({f"{into.id}|{P1.name}"})
    world.send()
    assert world.state.storms[P1.name].waiting == frozenset()
    calm_and_forgotten(world, "a/w0", "b/t0", "c/t2")


def test_causes_are_weighed_anew_however_small_what_came() -> None:
    world = World()
    for number in range(20):
        world.fire("a/w0", severity="P1", rule=f"r{number}")
    world.fire("b/t0", severity="P1")
    first, second = live(world)
    merge(world, second.id, first.id)

    assert world.state.incidents[first.id].weighed == 21


def test_a_merge_of_many_findings_is_wide() -> None:
    world, first, second = two()
    assert not is_wide(world.state, MergeIncidents(incident=second.id, into=first.id, by="ann", at=0))
    for number in range(250):
        world.fire("a/w1", rule=f"r{number}")
    assert is_wide(world.state, MergeIncidents(incident=second.id, into=first.id, by="ann", at=0))
    assert is_wide(world.state, SplitIncident(incident=first.id, findings=(), by="ann", at=0))
