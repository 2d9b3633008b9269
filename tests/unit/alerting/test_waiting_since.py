"""Since when a receiver is to be told what it was not told: refreshes of the incident do not make the wait shorter."""

from __future__ import annotations

from alerting.document import view
from schemas.incidents import DeliveryView
from stream.state.outboxes import deliveries_of
from tests.unit.alerting.world import HOUR, MINUTE, P1, SECOND, T0, World


def team(world: World) -> DeliveryView:
    return next(one for one in view(world.state, world.incident()).deliveries if one.address == P1.name)


def test_an_opening_waits_since_it_was_wanted_however_often_the_incident_is_refreshed() -> None:
    world = World()
    world.fire("a/w0", severity="P1")
    for _ in range(6):
        world.wait(10 * MINUTE)
        world.fire("a/w0", severity="P1")

    assert (team(world).confirmed, team(world).since) == (False, T0 + 30 * SECOND)
    [waiting] = deliveries_of([view(world.state, world.incident())], now_ms=world.now)
    assert (waiting.waiting, waiting.oldest_s) == (1, (HOUR - 30 * SECOND) / 1000)
    world.send()
    assert (team(world).confirmed, team(world).since) == (True, None)


def test_a_worsening_and_an_end_wait_since_they_were() -> None:
    world = World()
    world.fire("a/w0", severity="P1")
    world.wait(MINUTE)
    world.send()
    world.clear("a/w0")
    world.wait(2 * HOUR)
    ended = world.state.incidents[world.incident()].ended
    world.wait(HOUR)

    assert (team(world).wants, team(world).since) == ("closed", ended)
    assert ended is not None
    assert ended < world.now - MINUTE
