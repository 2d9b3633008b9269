"""A model that says nothing any more, or is not watched any more: what is open of it ends, and nothing of it begins."""

from __future__ import annotations

from alerting.document import view
from alerting.inputs import Configure, Tick
from alerting.lineage import Lineage
from alerting.policy import Policy, Timings
from alerting.step import next_due
from tests.unit.alerting.world import (
    DAY,
    HOUR,
    MINUTE,
    RECEIVERS,
    SECOND,
    SOURCES,
    T0,
    WEATHER,
    World,
    finding,
    monitor,
    progress,
    route,
)


def told() -> World:
    """A finding that is to be said again every minute, told to the team; both clocks stand at T0, then only the owner's."""
    world = World()
    world.fire("a/w0", severity="P1", refresh_by=T0 + MINUTE)
    world.give(Tick(), T0 + 30 * SECOND)
    world.send()
    return world


def calls(world: World) -> list[str]:
    return [call.kind for call in world.vendors.calls]


def test_what_a_silent_model_left_open_is_closed_by_the_owner_s_clock() -> None:
    world = told()
    # Three minutes without a word, then a day; the deadline is the next full hour.
    assert next_due(world.state) == T0 + DAY + HOUR
    world.give(Tick(), T0 + DAY + HOUR - 1)
    world.send()
    assert calls(world) == ["open"]
    world.give(Tick(), T0 + DAY + HOUR)
    world.send()
    assert calls(world) == ["open", "close"]
    assert world.vendors.calls[-1].why == "nothing was heard of it any more"
    assert view(world.state, world.incident()).end_reason == "expired"


def test_a_word_of_the_model_puts_the_deadline_off_and_its_next_finding_begins_anew() -> None:
    world = told()
    world.give(progress("a", T0 + MINUTE), T0 + 5 * HOUR)
    world.give(Tick(), T0 + DAY + 5 * HOUR)
    world.send()
    assert calls(world) == ["open"]
    world.give(Tick(), T0 + DAY + 6 * HOUR)
    world.send()
    assert calls(world) == ["open", "close"]
    world.give(finding("a/w0", T0 + 2 * MINUTE, severity="P1"), world.now + MINUTE)
    world.give(Tick(), world.now + 2 * MINUTE)  # it comes a day late
    world.send()
    assert calls(world) == ["open", "close", "open"]


def test_one_model_that_still_speaks_keeps_the_incident_of_both() -> None:
    world = told()
    world.give(finding("b/w0", T0, severity="P1", refresh_by=T0 + MINUTE), world.now)
    assert len(world.state.incidents) == 1
    for hour in range(1, 40):
        at = T0 + hour * HOUR
        world.give(finding("b/w0", at, severity="P1", refresh_by=at + HOUR), at)
    world.give(Tick(), T0 + 40 * HOUR)
    world.send()
    assert "close" not in calls(world)


def test_the_deadline_survives_the_process() -> None:
    world = told()
    world.restart()
    assert next_due(world.state) == T0 + DAY + HOUR
    world.give(Tick(), T0 + 400 * DAY)
    world.send()
    assert calls(world) == ["open", "close"]


def test_a_refresh_every_minute_sets_one_deadline_an_hour() -> None:
    world = told()
    dues = set()
    for minute in range(1, 181):
        at = T0 + minute * MINUTE
        world.give(finding("a/w0", at, severity="P1", refresh_by=at + MINUTE), at)
        dues.add(world.state.incidents[world.incident()].due)
    assert len(dues) == 4


def test_a_finding_still_on_its_way_when_its_model_was_removed_opens_nothing() -> None:
    world = told()
    only_b = Lineage.of({"b": monitor(dict.fromkeys(WEATHER, "weather"))}, SOURCES)
    world.give(Configure(Policy.of(only_b, route(), RECEIVERS, timings=Timings())))
    world.send()
    assert calls(world) == ["open", "close"]
    world.give(finding("a/w0", T0 + MINUTE, severity="P1", refresh_by=T0 + 2 * MINUTE), T0 + MINUTE)
    world.give(finding("a", T0 + MINUTE, severity="P0", rule="errors", kind="error"))
    assert [incident.state for incident in world.state.incidents.values()] == ["ended"]
    # Watched again, the same finding is news.
    world.give(Configure(world.policy))
    world.give(finding("a/w0", T0 + MINUTE, severity="P1", refresh_by=T0 + 2 * MINUTE))
    assert [incident.live for incident in world.state.incidents.values()] == [False, True]
