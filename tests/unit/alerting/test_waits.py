"""Waits and holds: what is not opened, not closed and not rung while something is held back."""

from __future__ import annotations

from alerting.inputs import Configure
from alerting.step import next_due
from schemas.actions import AddSilence, Matcher
from schemas.monitored import RouteMonitor
from tests.unit.alerting.world import DAY, HOUR, MINUTE, P1, P2, RECEIVERS, SECOND, T0, World, policy, route


def silenced(world: World, length: int = DAY) -> None:
    """Everything is silenced from now on."""
    everything = (Matcher("model", "=~", "[abc]"),)
    given = AddSilence(
        silence="s", matchers=everything, starts=world.now, ends=world.now + length, by="x", at=world.now
    )
    world.give(given)


def test_a_silenced_incident_that_gets_better_is_closed_nowhere_while_it_is_opened_nowhere() -> None:
    world = World()
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(MINUTE)
    world.send()
    silenced(world)
    world.fire("a/w0", severity="P2", onset=(T0 - HOUR, T0))
    world.wait(HOUR)
    world.send()
    assert world.vendors.open_at(P1.name) == {f"{world.incident()}:1"}
    world.wait(DAY)
    world.send()
    assert {address for address, _ in world.vendors.still_open()} == {P2.name}


def test_a_silenced_incident_that_gets_worse_at_the_same_address_rings_nobody() -> None:
    world = World(policy(route(receiver="oncall", routes=())))
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(MINUTE)
    world.send()
    before = list(world.vendors.rings)
    silenced(world)
    world.fire("a/w0", severity="P0", onset=(T0 - HOUR, T0))
    world.wait(HOUR)
    world.send()
    assert world.vendors.rings == before
    world.wait(DAY)
    world.send()
    assert world.vendors.rings[len(before) :] == [("pagerduty:key", f"{world.incident()}:2")]


def test_what_clears_within_the_wait_is_not_opened_while_it_recovers() -> None:
    world = World()
    world.fire("a/w0", severity="P1")
    world.wait(10 * SECOND)
    world.clear("a/w0")
    world.wait(5 * MINUTE)
    world.clear("a/w0")
    world.send()
    assert (world.vendors.calls, world.state.incidents[world.incident()].state) == ([], "recovering")
    world.wait(SECOND)
    world.fire("a/w0", severity="P1")
    world.send()
    assert world.vendors.rings == [(P1.name, f"{world.incident()}:1")]


def test_who_takes_over_a_told_incident_is_told_without_another_wait() -> None:
    children = (
        RouteMonitor(match=('severity="P0"',), receiver="team", open_wait_ms=0),
        RouteMonitor(match=('severity="P2"',), receiver="quiet", open_wait_ms=HOUR),
    )
    world = World(policy(route(routes=children)))
    world.fire("a/w0", severity="P0", onset=(T0 - HOUR, T0))
    world.send()
    world.wait(SECOND)
    world.fire("a/w0", severity="P2", onset=(T0 - HOUR, T0))
    world.wait(11 * MINUTE)
    world.send()
    assert {address for address, _ in world.vendors.still_open()} == {P2.name}


def test_each_receiver_is_due_at_its_own_wait() -> None:
    children = (
        RouteMonitor(match=('severity="P1"',), receiver="team", open_wait_ms=MINUTE, carry_on=True),
        RouteMonitor(match=('severity="P1"',), receiver="quiet", open_wait_ms=10 * MINUTE),
    )
    world = World(policy(route(routes=children)))
    world.fire("a/w0", severity="P1")
    assert next_due(world.state) == T0 + MINUTE
    world.reach(T0 + MINUTE)
    assert next_due(world.state) == T0 + 10 * MINUTE
    world.reach(T0 + 10 * MINUTE)
    world.send()
    assert {address for address, _ in world.vendors.still_open()} == {P1.name, P2.name}


def test_what_returned_is_not_repeated_while_it_is_unstable() -> None:
    world = World(policy(route(repeat_interval_ms=10 * MINUTE)))
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(MINUTE)
    world.send()
    world.clear("a/w0")
    world.wait(5 * MINUTE)
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    for expected in (0, 0, 0, 1):  # The hold is 20 minutes after one return.
        world.wait(5 * MINUTE + SECOND)
        world.send()
        assert len(world.vendors.notes) == expected


def test_a_close_that_has_not_begun_is_taken_back_without_a_ring() -> None:
    world = World()
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(MINUTE)
    world.send()
    world.give(Configure(policy(receivers=RECEIVERS | {"team": (P2,)})))
    world.give(Configure(world.policy))
    world.send()
    assert [call.kind for call in world.vendors.calls] == ["open"]


def test_a_close_that_may_have_arrived_is_not_taken_back_but_opened_anew() -> None:
    world = World()
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(MINUTE)
    world.send()
    world.give(Configure(policy(receivers=RECEIVERS | {"team": (P2,)})))
    world.send(1)
    world.send(1, crash="after")
    world.give(Configure(world.policy))
    world.send()
    assert world.vendors.rings[-1] == (P1.name, f"{world.incident()}:2")
    assert world.vendors.still_open() == {(P1.name, f"{world.incident()}:2")}
