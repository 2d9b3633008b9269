"""Routes and receivers change, addresses refuse, findings go blind: what was told is still closed where it was told."""

from __future__ import annotations

from alerting.document import message, view
from alerting.inputs import Configure, Failed
from alerting.policy import Address
from alerting.register import plan
from schemas.findings import Severity
from schemas.monitored import RouteMonitor
from tests.unit.alerting.world import (
    DAY,
    HOUR,
    MINUTE,
    P0,
    P1,
    P2,
    PD,
    RECEIVERS,
    SECOND,
    T0,
    World,
    policy,
    progress,
    route,
)


def told(severity: Severity = "P1") -> World:
    """An incident on a/w0 that its receiver was told of."""
    world = World()
    world.fire("a/w0", severity=severity, onset=(T0 - HOUR, T0))
    world.wait(31 * SECOND)
    world.send()
    return world


def calls(world: World) -> list[tuple[str, str]]:
    """(kind, address) of every call."""
    return [(call.kind, call.address) for call in world.vendors.calls]


def test_a_renamed_receiver_is_told_nothing_new() -> None:
    world = told()
    renamed = RECEIVERS | {"crew": (P1,)}
    children = tuple(
        child.model_copy(update={"receiver": "crew"}) if child.receiver == "team" else child for child in route().routes
    )
    world.give(Configure(policy(route(routes=children), renamed)))
    world.send()
    assert calls(world) == [("open", "slack:#p1")]
    assert view(world.state, world.incident()).deliveries[0].receiver == "crew"


def test_a_new_address_is_told_before_the_old_one_is_closed_on_its_stored_address() -> None:
    world = told()
    world.give(Configure(policy(receivers=RECEIVERS | {"team": (P0,)})))
    world.send()
    assert calls(world) == [("open", "slack:#p1"), ("open", "slack:#p0"), ("close", "slack:#p1")]
    assert world.vendors.calls[-1].why == "no longer routed here"


def test_a_removed_receiver_is_closed_at_its_address() -> None:
    world = told()
    world.give(Configure(policy(RouteMonitor(receiver="console"))))
    world.send()
    assert calls(world) == [("open", "slack:#p1"), ("close", "slack:#p1")]


def test_a_de_escalation_opens_below_and_says_what_it_was_before_it_closes_above() -> None:
    world = told("P0")
    world.fire("a/w0", severity="P2", onset=(T0 - HOUR, T0))
    world.wait(9 * MINUTE)
    world.send()
    assert not any(kind == "close" for kind, _ in calls(world))
    world.wait(2 * MINUTE)
    world.send()
    opened, *closed = [call for call in world.vendors.calls if call.address == P2.name or call.kind == "close"]
    assert (opened.kind, opened.why) == ("open", "opened here, was P0")
    assert {(call.kind, call.address) for call in closed} == {("close", PD.name), ("close", P0.name)}


def test_a_better_severity_counts_by_the_worst_of_the_hold() -> None:
    world = told("P0")
    world.fire("a/w0", severity="P3", onset=(T0 - HOUR, T0))
    world.wait(5 * MINUTE)
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(MINUTE)
    world.fire("a/w0", severity="P3", onset=(T0 - HOUR, T0))
    world.wait(5 * MINUTE)
    assert view(world.state, world.incident()).severity == "P1"
    world.wait(10 * MINUTE)
    assert view(world.state, world.incident()).severity == "P3"


def test_an_address_that_refuses_for_good_is_given_up_and_the_fallback_opens_once() -> None:
    world = World(policy(route(receiver="quiet")))
    world.vendors.refuses[P1.name] = "channel_is_archived"
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(31 * SECOND)
    world.send()
    assert calls(world) == [("open", "slack:#p1"), ("open", "slack:#p2")]
    assert world.vendors.calls[-1].why == "opened; team (slack) cannot be told: channel_is_archived"
    world.wait(DAY)
    world.clear("a/w0")
    world.wait(HOUR)
    world.send()
    assert calls(world)[-1] == ("close", "slack:#p2")
    assert [call for call in world.vendors.calls[1:] if call.address == P1.name] == []


def test_a_fallback_that_was_told_already_gets_one_note() -> None:
    world = World(policy(route(receiver="quiet")))
    world.vendors.refuses[P1.name] = "invalid_auth"
    world.fire("a/w0", severity="P2", onset=(T0 - HOUR, T0))
    world.wait(31 * SECOND)
    world.send()
    world.fire("a/w1", severity="P1", onset=(T0 - HOUR, T0))
    world.send()
    world.wait(HOUR)
    world.send()
    assert world.vendors.notes == [(P2.name, "team (slack) cannot be told: invalid_auth")]
    assert world.vendors.rings == [(P2.name, f"{world.incident()}:1")]


def test_a_close_that_is_refused_for_good_is_noted_on_the_fallback() -> None:
    world = told()
    world.give(Configure(policy(route(receiver="quiet"))))
    world.vendors.refuses[P1.name] = "token_revoked"
    world.clear("a/w0")
    world.wait(HOUR)
    world.send()
    assert world.vendors.notes == [(P2.name, "team (slack) cannot be told: token_revoked")]


PAGER_FALLBACK: dict[str, tuple[Address, ...]] = {"team": (P1,), "quiet": (PD,)}


def test_a_fallback_at_pagerduty_opens_with_the_note_and_closes_with_the_incident() -> None:
    world = World(policy(route(receiver="quiet"), PAGER_FALLBACK))
    world.vendors.refuses[P1.name] = "channel_is_archived"
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(31 * SECOND)
    world.send()
    assert world.vendors.calls[-1].why == "opened; team (slack) cannot be told: channel_is_archived"
    assert world.vendors.notes == []
    assert world.vendors.open_at(PD.name) == {f"{world.incident()}:1"}
    world.clear("a/w0")
    world.wait(HOUR)
    world.send()
    assert world.vendors.still_open() == set()


def test_a_note_never_triggers_a_key_at_pagerduty_that_was_not_opened() -> None:
    """The incident is over when its close is refused: there is nothing open that the note could stand on."""
    world = World(policy(route(receiver="quiet"), PAGER_FALLBACK))
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(31 * SECOND)
    world.send()
    world.vendors.refuses[P1.name] = "token_revoked"
    world.wait(MINUTE)
    world.clear("a/w0")
    world.wait(HOUR)
    world.send()
    name = world.incident()
    assert (world.vendors.notes, world.vendors.open_at(PD.name)) == ([], set())
    assert "team (slack) cannot be told: token_revoked" in [line.text for line in world.state.incidents[name].lines]
    world.wait(3 * DAY)
    assert world.state.incidents == {}, "a note that cannot be given keeps no incident"


def test_a_note_on_what_is_open_at_pagerduty_rings_nobody() -> None:
    world = World(policy(route(receiver="quiet"), PAGER_FALLBACK))
    world.fire("a/w0", severity="P2", onset=(T0 - HOUR, T0))
    world.wait(31 * SECOND)
    world.send()
    world.vendors.refuses[P1.name] = "invalid_auth"
    world.fire("a/w1", severity="P1", onset=(T0 - HOUR, T0))
    world.send()
    rung = [key for address, key in world.vendors.rings if address == PD.name]
    assert rung == [f"{world.incident()}:1", f"{world.incident()}:2"], "the second is the worsening"
    assert world.vendors.open_at(PD.name) == {f"{world.incident()}:2"}


def test_a_call_that_may_succeed_later_is_planned_again_in_doubt() -> None:
    world = World()
    world.fire("a/w0", severity="P0")
    [call, *_] = world.todo()
    world.give(Failed(call.entry, call, permanent=False, why="429"))
    assert plan(world.state, call.entry, world.now) == call


def test_what_began_and_ended_while_a_vendor_was_away_is_not_opened() -> None:
    world = World()
    world.fire("a/w0", severity="P1")
    world.wait(HOUR)
    world.clear("a/w0")
    world.wait(HOUR)
    world.send()
    assert world.vendors.calls == []


def test_no_data_while_told_stays_open_says_blind_and_ends_with_that_reason_after_the_limit() -> None:
    world = told()
    world.fire("a/w0", state="no_data")
    world.send()
    assert calls(world) == [("open", "slack:#p1"), ("update", "slack:#p1")]
    world.wait(DAY - 1)
    world.send()
    assert world.vendors.still_open() != set()
    world.wait(1)
    world.send()
    assert (view(world.state, world.incident()).end_reason, calls(world)[-1]) == ("no_data", ("close", "slack:#p1"))
    assert world.vendors.calls[-1].why == "no data any more"


def test_a_finding_that_is_not_said_again_counts_as_unknown_after_two_missed_judgements() -> None:
    world = World()
    world.fire("a/w0", refresh_by=T0 + HOUR)
    world.reach(T0 + 3 * HOUR - 1)
    assert [m.state for m in world.state.incidents[world.incident()].members.values()] == ["firing"]
    world.reach(T0 + 3 * HOUR)
    assert [m.state for m in world.state.incidents[world.incident()].members.values()] == ["blind"]
    world.wait(DAY)
    assert view(world.state, world.incident()).end_reason == "expired"


def test_recovery_is_event_time_and_a_silent_model_ends_it_only_after_the_limit() -> None:
    world = told()
    world.clear("a/w0")
    world.reach(world.now + DAY, models=())
    assert world.state.incidents[world.incident()].live
    world.give(progress("a", T0 + HOUR))
    assert view(world.state, world.incident()).end_reason == "recovered"
    other = told()
    other.clear("a/w0")
    other.reach(other.now + 3 * DAY, models=())
    assert view(other.state, other.incident()).end_reason == "expired"


def test_removed_rules_and_models_end_without_a_hold() -> None:
    world = told()
    world.fire("a/w0", state="removed")
    assert view(world.state, world.incident()).end_reason == "removed"
    other = told()
    gone = policy()
    without = type(gone.lineage).of({}, {})
    other.give(Configure(type(gone)(without, gone.tree, gone.receivers, gone.timings)))
    other.send()
    assert (view(other.state, other.incident()).end_reason, other.vendors.still_open()) == ("removed", set())


def test_five_of_six_clear_is_an_edit_and_counts_are_not_edited_more_often_than_the_interval() -> None:
    world = World()
    for number in range(6):
        world.fire(f"a/w{number}", T0 + number, severity="P1", onset=(T0 - HOUR, T0))
    world.wait(31 * SECOND)
    world.send()
    for number in range(5):
        world.wait(SECOND)
        world.clear(f"a/w{number}")
        world.send()
    assert world.vendors.kinds(P1.name) == ["open"]
    world.wait(5 * MINUTE)
    world.send()
    assert world.vendors.kinds(P1.name) == ["open", "update"]
    shown = message(world.state, world.incident(), world.vendors.calls[-1], now=world.now)
    assert (shown.firing, shown.total, shown.reason, shown.why) == (1, 6, "update", "changed")


def test_each_return_doubles_the_hold_up_to_eight_times_and_rings_nobody() -> None:
    world = told()
    lasted = []
    for _ in range(5):
        world.wait(MINUTE)
        world.clear("a/w0")
        hold = world.state.incidents[world.incident()].event_due
        lasted.append((hold or 0) - world.now)
        world.wait(5 * MINUTE)
        world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
        world.send()
    assert [length // MINUTE for length in lasted] == [10, 20, 40, 80, 80]
    assert (len(world.vendors.rings), len(world.state.incidents)) == (1, 1)


def test_a_daily_verdict_that_clears_one_day_and_returns_the_next_stays_one_incident() -> None:
    world = World()
    for day in range(8):
        state = "firing" if day % 2 == 0 else "ok"
        world.fire("a/w0", T0 + day * DAY, state=state, refresh_by=T0 + (day + 1) * DAY)
        world.wait(HOUR)
        world.send()
    assert len(world.state.incidents) == 1
    assert len(world.vendors.rings) == 1
