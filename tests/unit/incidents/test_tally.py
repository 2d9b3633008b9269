"""What the owner counts of incidents: each beginning and each end once, those too that came and went within a turn."""

from __future__ import annotations

from stream.incidents.tally import UNREAD, OwnerTally
from tests.unit.alerting.world import DAY, HOUR, MINUTE, T0, World


def lived() -> World:
    """One incident that began, was told and ended, and has left the state."""
    world = World()
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(MINUTE)
    world.send()
    world.clear("a/w0")
    world.wait(2 * HOUR)
    world.send()
    world.wait(2 * DAY)
    return world


def test_incidents_are_counted_as_they_begin_get_worse_and_end() -> None:
    world, tally = World(), OwnerTally()
    tally.note_ownership(world.state)
    empty = world.state
    world.fire("a/w0", onset=(T0 - HOUR, T0))
    world.fire("b/t0", severity="P1", onset=(T0 - HOUR, T0))
    begun = world.state
    tally.note_incidents(empty, begun)
    assert (tally.opened, tally.open) == ({"P2": 1, "P1": 1}, {"P2": 1, "P1": 1})
    world.wait(MINUTE)
    world.send()
    world.fire("a/w0", severity="P0", onset=(T0 - HOUR, T0))
    tally.note_incidents(begun, world.state)
    assert (tally.opened, tally.open) == ({"P2": 1, "P1": 1}, {"P0": 1, "P1": 1}), "worse is no new incident"
    worse = world.state
    world.wait(MINUTE)
    world.clear("b/t0")
    world.wait(2 * HOUR)
    tally.note_incidents(worse, world.state)
    assert (tally.open, tally.ended) == ({"P0": 1}, {"recovered": 1})
    ended = world.state
    world.send()
    tally.note_incidents(ended, world.state)
    assert tally.ended == {"recovered": 1}, "its close is no second end"


def test_an_incident_that_came_and_went_within_one_turn_counts() -> None:
    world, tally = lived(), OwnerTally()
    assert world.state.incidents == {}
    tally.note_incidents(World().state, world.state)
    assert (tally.opened, tally.ended, tally.open) == ({"P1": 1}, {"recovered": 1}, {})


def test_an_address_fails_until_it_takes_a_request_or_its_last_incident_is_gone() -> None:
    world, tally = World(), OwnerTally()
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(MINUTE)
    [address] = {entry.address for entry in world.state.entries.values()}
    tally.failing = {address, "slack:#gone"}
    tally.note_incidents(World().state, world.state)
    assert tally.failing == {address}
    told = world.state
    world.send()
    world.clear("a/w0")
    world.wait(2 * HOUR)
    world.send()
    world.wait(2 * DAY)
    tally.note_incidents(told, world.state)
    assert tally.failing == set()


def test_an_owner_that_takes_over_shows_what_is_open_and_counts_only_its_own() -> None:
    world, tally = World(), OwnerTally()
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    tally.note_ownership(world.state)
    assert (tally.owning, tally.open, tally.opened) == (True, {"P1": 1}, {})
    tally.note_loss()
    assert (tally.owning, tally.open) == (False, {})


def test_durations_that_nobody_reads_are_bounded() -> None:
    tally = OwnerTally()
    tally.seconds.extend(("slack", 0.1) for _ in range(UNREAD + 1))
    assert len(tally.seconds) == UNREAD
