"""The owner's clock was set back: nothing waits for the length of the jump, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from alerting.inputs import Tick
from alerting.records import restored
from alerting.shift import shifted
from alerting.state import State
from alerting.step import next_due, step
from schemas.actions import Acknowledge, AddSilence, Matcher
from schemas.monitored import RouteMonitor
from tests.unit.alerting.histories import Op, histories, play
from tests.unit.alerting.world import DAY, HOUR, MINUTE, P0, PD, SECOND, T0, World, finding, policy, route

#: Redis' clock was six hours ahead.
BACK = -6 * HOUR
ONLY_PAGER = policy(route(receiver="oncall", routes=(), repeat_interval_ms=4 * HOUR), {"oncall": (PD, P0)})


def wordless(state: State) -> State:
    """Without what histories say: they keep the times that the clock told."""
    incidents = {name: replace(incident, lines=()) for name, incident in state.incidents.items()}
    return replace(state, incidents=incidents)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories(("fire", "fire", "clear", "blind", "ack", "wait", "wait", "send", "send"), 20))
def test_whatever_was_to_come_comes_in_the_same_order_after_the_same_time(history: list[Op]) -> None:
    world = World(policy(route(repeat_interval_ms=HOUR)))
    for op, number in history:
        play(world, op, number)
    one, other = world.state, shifted(world.state, BACK)
    for _ in range(30):
        due, moved = next_due(one), next_due(other)
        assert moved == (None if due is None else due + BACK)
        if due is None:
            return
        one, other = step(one, Tick(), due), step(other, Tick(), due + BACK)
        assert wordless(shifted(one, BACK)) == wordless(other)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories())
def test_to_and_fro_is_where_it_was_and_what_is_stored_is_what_is_known(history: list[Op]) -> None:
    world = World()
    for op, number in history:
        play(world, op, number)
    state = replace(world.state, silences={})
    assert shifted(shifted(state, BACK), -BACK) == shifted(state, 0)
    world.state = world.state.without_left()
    before, world.state = world.state, shifted(world.state, BACK)
    world.store(before)
    assert restored(world.records, world.state.policy) == world.state


def test_a_page_that_waits_thirty_seconds_waits_no_six_hours() -> None:
    world = World()
    world.fire("a/w0", severity="P1")
    assert next_due(world.state) == T0 + 30 * SECOND
    state = shifted(world.state, BACK)
    assert (state.now, next_due(state)) == (T0 + BACK, T0 + BACK + 30 * SECOND)


@pytest.mark.parametrize("late", [0, 3 * HOUR])
def test_what_is_worked_out_anew_afterwards_comes_at_the_same_distance_too(late: int) -> None:
    """The hold of what is seen late; the limit of what nobody says again, which counts from when it was said last."""
    world = World()
    world.give(finding("a/w0", T0, severity="P1", refresh_by=T0 + HOUR, seen=T0 + late + MINUTE), T0 + late + MINUTE)
    states = [world.state, shifted(world.state, BACK)]
    for _ in range(3):
        taken = [
            step(state, Acknowledge(incident=world.incident(), by="ann", at=0), state.now + SECOND) for state in states
        ]
        dues = [next_due(state) for state in taken]
        assert dues[0] is not None
        assert dues[1] == dues[0] + BACK
        states = [step(state, Tick(), due or 0) for state, due in zip(taken, dues, strict=True)]


def test_repeats_edits_limits_and_second_resolves_keep_their_distance() -> None:
    world = World(ONLY_PAGER)
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(30 * SECOND)
    world.send()
    world.wait(HOUR)
    assert next_due(shifted(world.state, BACK)) == T0 + 30 * SECOND + 4 * HOUR + BACK
    world.give(Acknowledge(incident=world.incident(), by="ann", at=world.now))
    world.clear("a/w0")
    world.wait(11 * MINUTE)
    world.send()
    [pager, slack] = world.state.entries.values()
    assert (pager.again, slack.again) == ({1: world.now + HOUR}, {})
    state = shifted(world.state, BACK)
    assert next_due(state) == world.now + HOUR + BACK
    incident = state.incidents[world.incident()]
    assert (incident.opened, incident.ended) == (T0 + BACK, world.now + BACK)
    assert incident.acknowledged is not None
    assert incident.acknowledged.at == T0 + 30 * SECOND + HOUR + BACK
    assert incident.ended_at == T0 + 30 * SECOND + HOUR  # event time stays
    assert incident.lines == world.state.incidents[world.incident()].lines


@pytest.mark.parametrize(
    ("starts", "ends", "moved"),
    [
        (T0 - 7 * HOUR, T0 + HOUR, (T0 - 7 * HOUR, T0 + HOUR)),  # begun while the clock was right: until then
        (T0 - HOUR, T0 + HOUR, (T0 - 7 * HOUR, T0 - 5 * HOUR)),  # begun by the clock that was ahead: one hour is left
        (T0 + HOUR, T0 + 2 * HOUR, (T0 + HOUR, T0 + 2 * HOUR)),  # planned for a time of day
    ],
)
def test_a_silence_is_a_time_of_day_unless_it_began_by_the_clock_that_was_ahead(
    starts: int, ends: int, moved: tuple[int, int]
) -> None:
    world = World(policy(RouteMonitor(receiver="team", open_wait_ms=0)))
    world.now = T0 - DAY
    given_ = AddSilence(
        silence="s", matchers=(Matcher("model", "=", "a"),), starts=starts, ends=ends, by="ann", at=T0 - DAY
    )
    world.give(given_)
    world.fire("a/w0", T0)
    state = shifted(world.state, BACK)
    silence = state.silences["s"]
    assert (silence.starts, silence.ends) == moved
    [member] = state.incidents[world.incident()].members.values()
    assert member.silenced == (moved[1] if silence.holds(T0 + BACK) else None)
