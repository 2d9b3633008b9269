"""What is open at an Alertmanager is posted again every five minutes: it remembers nothing over a restart."""

from __future__ import annotations

from dataclasses import replace

from alerting.policy import Address
from tests.unit.alerting.world import MINUTE, T0, World, policy, route

MANAGER = Address("alertmanager:am:9093", "alertmanager")
POLICY = policy(route(receiver="prom", routes=(), open_wait_ms=0), {"prom": (MANAGER,)})


def test_what_is_open_is_posted_again_and_what_is_over_is_not() -> None:
    world = World(POLICY)
    world.fire("a/w0", severity="P1")
    world.send()
    world.reach(T0 + 5 * MINUTE - 1, models=())
    assert world.todo() == []
    for minutes in (5, 10, 15):
        world.reach(T0 + minutes * MINUTE, models=())
        [call] = world.todo()
        assert (call.kind, call.generation) == ("update", 1)
        world.send()
    world.clear("a/w0")
    world.wait(11 * MINUTE)
    world.send()
    assert world.vendors.kinds(MANAGER.name)[-1] == "close"
    world.wait(60 * MINUTE)
    assert world.todo() == []


def test_in_a_replay_nothing_is_posted_again() -> None:
    world = World(replace(POLICY, clock="event"))
    world.fire("a/w0", severity="P1")
    world.send()
    world.reach(T0 + 60 * MINUTE, models=())
    assert world.todo() == []
