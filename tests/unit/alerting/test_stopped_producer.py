"""Drift fires, then nothing comes any more: one alert says so, and of the drift nothing is said until its producer is back."""

from __future__ import annotations

import pytest

from alerting.inputs import Tick
from schemas.findings import FindingState
from tests.unit.alerting.world import DAY, HOUR, MINUTE, T0, World, finding, policy, progress, route

DRIFT = "a/w0"


def drifting(*, repeat: bool = True) -> World:
    """Drift of a feature, told; it is to be said again every hour of event time, and repeated every six of the owner's."""
    world = World(policy(route(repeat_interval_ms=6 * HOUR if repeat else None)))
    world.fire(DRIFT, severity="P1", refresh_by=T0 + HOUR, onset=(T0 - HOUR, T0))
    world.give(Tick(), T0 + 5 * MINUTE)
    world.send()
    return world


def silence(world: World, now: int, *, at: int, state: FindingState = "firing") -> None:
    """What is said of a model without events; ``at``: its event time, which may stand still."""
    found = finding(
        "a", at, state=state, rule="no_traffic", kind="no_traffic", severity="P0", onset=(T0 - HOUR, T0),
        rev=(at, now), seen=now, refresh_by=at + HOUR,
    )  # fmt: skip
    world.give(found, now)


def stopped(world: World, *, days: int, empty_windows: bool) -> None:
    """No event for so long; ``empty_windows``: events of others let time pass, in which there is nothing to judge."""
    for hour in range(1, 24 * days):
        now = T0 + hour * HOUR
        if empty_windows:
            world.give(finding(DRIFT, now, state="no_data", severity="P1"), now)
        silence(world, now, at=now if empty_windows else T0)
        world.reach(now + 50 * MINUTE, models=())
        world.send()


def told(world: World, rule: str) -> list[str]:
    """The calls about incidents that began with this rule."""
    names = {one.id for one in world.state.incidents.values() if one.seed.startswith(f"{rule}|")}
    return [call.kind for call in world.vendors.calls if call.entry.split("|")[0] in names]


@pytest.mark.parametrize("empty_windows", [False, True])
def test_a_stopped_producer_is_one_alert_of_its_own_and_the_drift_is_neither_closed_nor_repeated(
    empty_windows: bool,
) -> None:
    world = drifting()
    before = told(world, "psi")
    stopped(world, days=4, empty_windows=empty_windows)
    drift, silent = world.state.incidents.values()
    assert (drift.live, [*drift.members]) == (True, [finding(DRIFT, T0).key])
    assert (silent.live, [*silent.members]) == (True, [finding("a", T0, rule="no_traffic").key])
    # Its message says in place that there is no data; nobody is rung, and `still open` is only said of the silence.
    assert told(world, "psi") == [*before, *(["update"] if empty_windows else [])]


def test_back_with_its_drift_it_is_the_same_incident_and_the_silence_ends() -> None:
    world = drifting()
    before = told(world, "psi")
    stopped(world, days=2, empty_windows=True)
    back = T0 + 2 * DAY
    silence(world, back, at=back, state="ok")
    world.give(finding(DRIFT, back, severity="P1", onset=(T0 - HOUR, T0), refresh_by=back + DAY), back)
    world.reach(back + 12 * HOUR)
    world.send()
    drift, silent = world.state.incidents.values()
    assert (drift.live, silent.live, silent.reason) == (True, False, "recovered")
    assert told(world, "psi")[: len(before)] == before
    assert "close" not in told(world, "psi")
    assert told(world, "no_traffic")[-1] == "close"


def test_back_without_drift_both_recover() -> None:
    world = drifting(repeat=False)
    stopped(world, days=2, empty_windows=False)
    back = T0 + 2 * DAY
    silence(world, back, at=back, state="ok")
    world.give(finding(DRIFT, back, state="ok", severity="P1"), back)
    world.give(progress("a", back + DAY), back + DAY)
    world.reach(back + DAY + HOUR)
    assert [one.reason for one in world.state.incidents.values()] == ["recovered", "recovered"]


def test_where_nobody_says_that_nothing_comes_the_drift_is_closed_after_a_day_as_before() -> None:
    world = drifting(repeat=False)
    world.reach(T0 + DAY + 12 * HOUR, models=())
    world.send()
    [drift] = world.state.incidents.values()
    assert drift.reason == "expired"
