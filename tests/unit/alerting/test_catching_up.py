"""Catching up, live: what is heard of hours late is held for two minutes; a P0 never is; messages say how late it was seen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerting.document import message
from alerting.inputs import Tick
from alerting.messages import pagerduty, slack
from alerting.messages.place import Place
from alerting.step import next_due
from schemas.findings import Severity
from schemas.monitored import RouteMonitor
from tests.unit.alerting.world import DAY, HOUR, MINUTE, P1, PD, SECOND, T0, World, finding, policy, progress, route

#: The models' lateness is a minute, and a page waits for thirty seconds.
LATENESS, WAIT, HOLD = MINUTE, 30 * SECOND, 2 * MINUTE


def late(by: int, severity: Severity = "P1", **more: str) -> World:
    """An incident that is heard of so long after its verdict could have been given."""
    world = World(policy(**more))  # type: ignore[arg-type]
    world.give(finding("a/w0", T0, severity=severity, onset=(T0 - HOUR, T0)), T0 + LATENESS + by)
    return world


@pytest.mark.parametrize(
    ("by", "severity", "told_after"),
    [
        (10 * MINUTE, "P1", WAIT),
        (10 * MINUTE + 1, "P1", HOLD),
        (3 * HOUR, "P2", HOLD),
        (3 * HOUR, "P0", 0),
    ],
)
def test_openings_are_held_two_minutes_from_ten_minutes_on_and_a_p0_never(
    by: int, severity: Severity, told_after: int
) -> None:
    world = late(by, severity)
    begun = world.now
    if told_after:
        assert next_due(world.state) == begun + told_after
        world.give(Tick(), begun + told_after - 1)
        assert world.todo() == []
    world.give(Tick(), begun + told_after)
    assert {call.kind for call in world.todo()} == {"open"}


def test_a_longer_wait_of_the_route_is_not_shortened() -> None:
    world = World(policy(RouteMonitor(receiver="team", open_wait_ms=10 * MINUTE)))
    world.give(finding("a/w0", T0, severity="P1"), T0 + 3 * HOUR)
    world.give(Tick(), world.now + HOLD)
    assert (world.todo(), next_due(world.state)) == ([], T0 + 3 * HOUR + 10 * MINUTE)


def test_what_becomes_a_p0_while_it_is_held_pages_at_once() -> None:
    world = late(3 * HOUR)
    world.give(finding("a/w1", T0, severity="P0", onset=(T0 - HOUR, T0)), world.now + SECOND)
    assert {call.address for call in world.todo()} == {PD.name, "slack:#p0"}


def test_what_is_over_meanwhile_is_opened_nowhere() -> None:
    world = late(3 * HOUR)
    world.give(finding("a/w0", T0 + 5 * MINUTE, state="ok"), world.now + SECOND)
    world.give(progress("a", T0 + 20 * MINUTE), world.now + SECOND)
    assert world.state.incidents[world.incident()].reason == "recovered"
    world.wait(DAY)
    assert [call for call in world.vendors.calls if call.kind in ("open", "close")] == []


def test_what_still_fires_is_told_with_how_late_it_was_seen() -> None:
    world = late(3 * HOUR)
    world.give(Tick(), world.now + HOLD)
    [call] = world.todo()
    shown = message(world.state, world.incident(), call, now=world.now)
    assert shown.late == 3 * HOUR
    assert "(seen 3 h late)" in str(slack.root(shown, place=Place()).blocks)
    assert pagerduty.summary(call, shown).endswith("seen 3 h late")
    assert pagerduty.details(shown, place=Place())["late"] == "seen 3 h late"
    [begins] = [line.text for line in world.state.incidents[world.incident()].lines if "begins" in line.text]
    assert begins == "P1 begins: feature:a/w0, seen 3 h late"


def test_what_is_in_time_says_nothing_of_it() -> None:
    world = late(0)
    world.give(Tick(), world.now + WAIT)
    shown = message(world.state, world.incident(), world.todo()[0], now=world.now)
    assert "late" not in str(slack.root(shown, place=Place()).blocks)
    assert "late" not in pagerduty.details(shown, place=Place())


def test_in_a_replay_nothing_is_ever_late() -> None:
    world = World(replace(policy(), clock="event"))
    world.give(finding("a/w0", T0, severity="P1"), T0 + DAY)
    assert next_due(world.state) == T0 + DAY + WAIT


def test_the_hold_survives_a_restart() -> None:
    world = late(3 * HOUR)
    world.restart()
    assert next_due(world.state) == world.now + HOLD
    world.give(Tick(), world.now + HOLD)
    world.send()
    assert [address for address, _ in world.vendors.rings] == [P1.name]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(["firing", "firing", "ok"]), st.sampled_from(["P0", "P1", "P2"])),
        min_size=1, max_size=12,
    ),
    st.sampled_from([None, 7 * SECOND]),
)  # fmt: skip
def test_15_while_catching_up_too_it_makes_no_difference_how_often_anybody_ticks(
    history: list[tuple[int, str, Severity]], every: int | None
) -> None:
    def played(rate: int | None) -> list[tuple[str, str]]:
        world = World(policy(route()))
        world.now = T0 + DAY
        for number, (feature, state, severity) in enumerate(history):
            at = T0 + number * 7 * MINUTE
            world.give(finding(f"a/w{feature}", at, state=state, severity=severity, onset=(at - HOUR, at)), world.now)  # type: ignore[arg-type]
            until = world.now + 40 * SECOND
            while world.now < until:
                stops = [until, next_due(world.state) or until, world.now + rate if rate else until]
                world.give(Tick(), min(max(stop, world.now + 1) for stop in stops))
                world.send()
        return world.vendors.rings

    assert played(every) == played(None)
