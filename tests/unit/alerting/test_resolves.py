"""A resolve at PagerDuty is sent once more after an hour, and rings nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerting.inputs import Began, Failed
from alerting.register import entries
from alerting.step import next_due
from tests.unit.alerting.world import HOUR, MINUTE, P0, PD, T0, World, policy, route

ONLY_PAGER = policy(route(receiver="oncall", routes=()), {"oncall": (PD, P0)})


def resolved(world: World) -> str:
    """One incident that ended at both receivers; everything it was told is sent."""
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(MINUTE)
    world.send()
    world.clear("a/w0")
    world.wait(11 * MINUTE)
    world.send()
    return world.incident()


def closes(world: World, address: str) -> list[str]:
    """The keys that an address was told to close, in order."""
    return [call.dedup_key for call in world.vendors.calls if call.kind == "close" and call.address == address]


def test_pagerduty_hears_of_the_end_again_exactly_an_hour_after_it_took_the_first_and_never_a_third_time() -> None:
    world = World(ONLY_PAGER)
    name, ended = resolved(world), world.now
    assert next_due(world.state) == ended + HOUR
    world.reach(ended + HOUR - 1)
    assert world.todo() == []
    world.reach(ended + HOUR)
    [again] = world.todo()
    assert (again.kind, again.address, again.dedup_key, again.why) == ("close", PD.name, f"{name}:1", "recovered")
    world.send()
    world.wait(20 * HOUR)
    world.send()
    assert closes(world, PD.name) == [f"{name}:1", f"{name}:1"]
    assert closes(world, P0.name) == [f"{name}:1"]
    assert len(world.vendors.rings) == 2
    assert list(entries(world.state)) == []


def test_the_second_resolve_survives_a_restart_and_is_sent_again_where_its_answer_was_lost() -> None:
    world = World(ONLY_PAGER)
    name = resolved(world)
    world.restart()
    world.wait(HOUR)
    world.send(1, crash="before")
    world.send()
    assert closes(world, PD.name) == [f"{name}:1", f"{name}:1"]
    assert list(entries(world.state)) == []


def test_an_incident_is_kept_until_its_second_resolve_is_sent() -> None:
    world = World(ONLY_PAGER)
    name = resolved(world)
    world.wait(3 * 24 * HOUR)
    assert list(world.state.incidents) == [name]
    world.send()
    world.wait(MINUTE)
    assert list(world.state.incidents) == []


def test_an_old_generation_is_resolved_again_too_while_the_new_one_stays_open() -> None:
    world = World(ONLY_PAGER)
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(MINUTE)
    world.send()
    world.fire("a/w0", severity="P0", onset=(T0 - HOUR, T0))
    world.send()
    world.wait(HOUR)
    world.send()
    name = world.incident()
    assert closes(world, PD.name) == [f"{name}:1", f"{name}:1"]
    assert world.vendors.open_at(PD.name) == {f"{name}:2"}
    assert world.vendors.rings.count((PD.name, f"{name}:2")) == 1


def test_a_second_resolve_that_is_refused_for_good_is_dropped_and_noted_nowhere() -> None:
    world = World(ONLY_PAGER)
    resolved(world)
    world.wait(HOUR)
    [again] = world.todo()
    world.give(Began(again.entry, again))
    world.give(Failed(again.entry, again, permanent=False, why="PagerDuty answered 503"))
    assert world.todo() == [again]
    world.give(Failed(again.entry, again, permanent=True, why="PagerDuty answered 400"))
    assert (world.todo(), world.vendors.notes) == ([], [])
    assert [entry.failed for entry in world.state.entries.values()] == [None, None]


@pytest.mark.parametrize(("clock", "closes_there"), [("live", 2), ("event", 1)])
def test_in_a_replay_one_resolve_is_enough(clock: str, closes_there: int) -> None:
    world = World(replace(ONLY_PAGER, clock=clock))  # type: ignore[arg-type]
    resolved(world)
    world.wait(5 * HOUR)
    world.send()
    assert len(closes(world, PD.name)) == closes_there
