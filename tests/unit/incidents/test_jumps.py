"""When Redis' clock counts as set: five minutes are waited for."""

from __future__ import annotations

import pytest

from alerting.state import new_state
from alerting.step import advance
from stream.incidents.jumps import Watch, stepped_back
from tests.unit.alerting.world import HOUR, T0, World


@pytest.mark.parametrize(("back", "steps"), [(300_000, False), (300_001, True)])
def test_the_owner_steps_back_only_from_more_than_five_minutes(back: int, steps: bool) -> None:
    world = World()
    world.fire("a/w0")
    found = stepped_back(world.state, T0, T0 - back)
    assert (found is not None) == steps
    if found is not None:
        assert found.now == T0 - back


def test_it_steps_by_what_the_clock_said_last_not_by_what_changed_last() -> None:
    world = World()
    world.fire("a/w0")
    found = stepped_back(world.state, T0 + HOUR, T0)
    assert found is not None
    assert found.now == T0 - HOUR


def test_a_state_in_which_nothing_ever_happened_steps_back_too() -> None:
    found = stepped_back(advance(new_state(World().policy), T0), T0, T0 - HOUR)
    assert found is not None
    assert found.incidents == {}


def test_forward_is_what_passes_in_redis_and_not_here() -> None:
    watch = Watch()
    looks = [(0, 0), (600_000, 600_000), (1_500_000, 1_200_000), (2_400_001, 1_800_000), (2_400_001, 1_900_000)]
    found = [watch.ahead_ms(redis_ms=redis, process_ms=process) for redis, process in looks]
    assert found == [0, 0, 0, 300_001, 0]
