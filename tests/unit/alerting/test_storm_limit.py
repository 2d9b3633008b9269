"""A storm while another configuration comes into force, by which its address takes fewer."""

from __future__ import annotations

from alerting.inputs import Configure
from alerting.step import next_due
from tests.unit.alerting.test_storm import TAKES, singles, stormy, told
from tests.unit.alerting.world import DAY, HOUR, MINUTE, P1, World, policy, route


def test_an_address_that_takes_fewer_in_mid_storm_has_room_again_once_the_newest_so_many_have_left_the_window() -> None:
    """Three were told at 31 s; with room for two no more than two may have been asked for within ten minutes."""
    world = stormy(5)
    assert len(singles(world)) == 5
    began = told(world)
    world.give(Configure(policy(route(update_interval_ms=DAY), storm=TAKES - 1)))
    world.send()
    asked = world.state.storms[P1.name].asked
    freed = asked[-(TAKES - 1)] + 10 * MINUTE
    assert told(world) == began, "nobody is asked for more"
    seen = [one for one in dues(world, freed) if one == freed]
    assert seen == [freed]
    world.wait(HOUR)
    world.send()
    assert {name for kind, name in told(world) if kind == "open"} >= {incident.id for incident in singles(world)}


def dues(world: World, until: int) -> list[int]:
    """The times at which something is due, up to one."""
    found: list[int] = []
    while (due := next_due(world.state)) is not None and due <= until:
        found.append(due)
        world.reach(due, models=())
    return found
