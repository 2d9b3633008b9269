"""A storm: what an address cannot take is told there as one incident, and singly again once there is room."""

from __future__ import annotations

import pytest

from alerting.conduct import refusal
from alerting.document import message, view
from alerting.incident import Incident
from alerting.inputs import Began, Configure
from alerting.policy import Address
from alerting.shift import shifted
from alerting.step import next_due
from schemas.actions import Acknowledge, AddSilence, Matcher, Resolve
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
    TICKETS,
    WEATHER,
    World,
    policy,
    route,
)

SUBJECTS = [f"{model}/{feature}" for model in "bc" for feature in (*WEATHER, *TICKETS)]
TAKES = 3


def fault(world: World, number: int, severity: Severity = "P1") -> str:
    """One of many faults that have nothing to do with each other: their onsets are days apart."""
    begun = T0 - (number + 1) * 5 * DAY
    world.fire(SUBJECTS[number], severity=severity, onset=(begun, begun + MINUTE))
    return world.state.models[SUBJECTS[number][0]].keys[f"psi|feature:{SUBJECTS[number]}||"].home or ""


def stormy(size: int, severity: Severity = "P1") -> World:
    """So many faults at once, at an address that takes three openings in ten minutes."""
    world = World(policy(storm=TAKES))
    for number in range(size):
        fault(world, number, severity)
    world.wait(31 * SECOND)
    world.send()
    return world


def rollup(world: World) -> Incident:
    """The only roll-up."""
    [found] = [incident for incident in world.state.incidents.values() if incident.rollup is not None]
    return found


def told(world: World, address: str = P1.name) -> list[tuple[str, str]]:
    """(kind, incident) of the openings and closes at an address."""
    calls = [call for call in world.vendors.calls if call.address == address and call.kind in ("open", "close")]
    return [(call.kind, call.entry.partition("|")[0]) for call in calls]


def singles(world: World) -> list[Incident]:
    return [incident for incident in world.state.incidents.values() if incident.rollup is None]


def test_what_an_address_takes_opens_singly_and_no_storm_begins() -> None:
    world = stormy(TAKES)
    assert told(world) == [("open", incident.id) for incident in singles(world)]
    assert (len(told(world)), len(world.state.incidents)) == (3, 3)


def test_one_more_begins_a_storm_and_all_beyond_are_one_message() -> None:
    world = stormy(8)
    storm = rollup(world)
    assert told(world) == [("open", incident.id) for incident in (*singles(world)[:3], storm)]
    shown = view(world.state, storm.id)
    assert shown.title == "storm at team (slack): 5 incidents, 5 not told singly"
    assert (shown.severity, shown.state, len(shown.members), shown.models) == ("P1", "open", 5, ("b",))
    sent = message(world.state, storm.id, world.vendors.calls[-1], now=world.now)
    assert (sent.firing, sent.total, sent.why, len(sent.members)) == (5, 5, "opened", 5)
    rolled = view(world.state, singles(world)[-1].id).deliveries[0]
    assert (rolled.wants, rolled.believes) == (f"told by {storm.id}", "closed")


def test_its_key_is_its_own_and_follows_from_what_was_one_too_many() -> None:
    first, second = rollup(stormy(8)), rollup(stormy(4))
    assert first.id == second.id
    assert first.id not in {incident.seed for incident in singles(stormy(8))}
    assert first.lines[0].text == "a storm begins: more than 3 openings in 10 min at team"


def test_what_was_never_opened_is_never_closed() -> None:
    world = stormy(8)
    for subject in SUBJECTS[:8]:
        world.clear(subject)
    world.wait(11 * MINUTE)
    world.send()
    opened = [*(incident.id for incident in singles(world)[:3]), rollup(world).id]
    assert [name for kind, name in told(world) if kind == "open"] == opened
    assert sorted(name for kind, name in told(world) if kind == "close") == sorted(opened)
    assert (view(world.state, rollup(world).id).end_reason, world.vendors.still_open()) == ("calm", set())


def test_after_the_storm_what_fires_opens_singly_worst_first_as_the_address_has_room() -> None:
    world = World(policy(route(receiver="team", routes=()), storm=TAKES))
    order: tuple[Severity, ...] = ("P2", "P2", "P2", "P3", "P2", "P1", "P3", "P1", "P2")
    names = [fault(world, number, severity) for number, severity in enumerate(order)]
    world.wait(31 * SECOND)
    world.send()
    began = T0 + 30 * SECOND
    rounds = []
    for number in range(1, 4):
        before = len(told(world))
        world.reach(began + number * 10 * MINUTE - 1)
        world.send()
        assert len(told(world)) == before, "nothing before there is room"
        world.reach(began + number * 10 * MINUTE)
        world.send()
        rounds.append(told(world)[before:])
    first, then = {name for _, name in rounds[0]}, {name for _, name in rounds[1][:3]}
    assert (len(rounds[0]), first & {names[5], names[7]}) == (3, {names[5], names[7]}), "the two P1 and one P2"
    assert (first | then, {names[3], names[6]} <= then) == (set(names[3:]), True), "the P3 come last"
    assert rounds[1][3:] == [("close", rollup(world).id)]
    assert rounds[2] == []
    assert world.vendors.open_at(P1.name) == {f"{name}:1" for name in names}


def test_the_rollup_closes_only_once_the_last_of_them_is_confirmed() -> None:
    world = stormy(4)
    world.reach(T0 + 10 * MINUTE + 30 * SECOND)
    [call] = [call for call in world.todo() if call.kind == "open"]
    assert call.why == "opened; it came in a storm"
    world.give(Began(call.entry, call))
    assert rollup(world).live
    world.send(1)
    assert (rollup(world).reason, [one.kind for one in world.todo()]) == ("calm", ["close"])


def test_while_more_come_than_an_address_takes_none_of_them_opens() -> None:
    world = stormy(4)
    for number in range(4, 16):
        world.wait(3 * MINUTE)
        fault(world, number)
    world.wait(31 * SECOND)
    world.send()
    storm = world.state.storms[P1.name]
    assert (len(told(world)), storm.taken, len(storm.waiting)) == (4, 13, 13)


def test_a_p0_is_never_rolled_up_not_even_one_that_was() -> None:
    world = World(policy(route(receiver="team", routes=(), open_wait_ms=0), storm=TAKES))
    for number in range(6):
        fault(world, number)
    world.send()
    urgent = fault(world, 6, "P0")
    world.send()
    assert told(world)[-1] == ("open", urgent)
    world.wait(SECOND)
    world.fire(SUBJECTS[5], severity="P0", onset=(T0 - 30 * DAY, T0 - 30 * DAY + MINUTE))
    world.send()
    assert told(world)[-1] == ("open", singles(world)[5].id)
    assert rollup(world).severity == "P1"
    many = stormy(9, "P0")
    assert (len(told(many, PD.name)), len(told(many, P0.name)), len(many.state.incidents)) == (9, 9, 9)


def test_a_worse_one_makes_the_rollup_worse_and_rings_once() -> None:
    receivers = RECEIVERS | {"pager": (PD,)}
    world = World(policy(route(receiver="pager", routes=(), open_wait_ms=0), receivers, storm=TAKES))
    for number in range(5):
        fault(world, number, "P2")
    world.send()
    for number in range(5, 9):
        fault(world, number, "P1")
        world.send()
    storm = rollup(world)
    rung = [key for _, key in world.vendors.rings if key.startswith(storm.id)]
    assert (storm.severity, rung) == ("P1", [f"{storm.id}:1", f"{storm.id}:2"])
    assert {key for key in world.vendors.open_at(PD.name) if key.startswith(storm.id)} == {f"{storm.id}:2"}


def test_its_numbers_are_edited_at_the_update_and_ring_nobody() -> None:
    world = stormy(5)
    fault(world, 5)
    world.wait(31 * SECOND)
    world.send()
    assert world.vendors.kinds(P1.name) == ["open"] * 4
    world.wait(5 * MINUTE)
    world.send()
    assert world.vendors.kinds(P1.name) == ["open"] * 4 + ["update"]
    assert len(world.vendors.rings) == 4


def test_what_was_told_elsewhere_is_handed_over_and_never_rolled_up() -> None:
    world = World(policy(storm=TAKES, open_wait=0))
    names = [fault(world, number, "P2") for number in range(3)]
    world.wait(HOUR)
    names += [fault(world, number, "P2") for number in range(3, 6)]
    world.wait(31 * SECOND)
    world.send()
    assert told(world, P2.name) == [("open", name) for name in names]
    for number in range(6):
        fault(world, number, "P1")
    world.send()
    assert {name for kind, name in told(world, P1.name) if kind == "open"} == set(names)
    assert world.vendors.open_at(P2.name) == set()


def test_what_was_rolled_up_here_and_told_elsewhere_opens_here_before_it_leaves_there() -> None:
    children = (
        RouteMonitor(match=('severity="P1"',), receiver="team", carry_on=True),
        RouteMonitor(match=('severity="P1"', 'feature="w3"'), receiver="quiet"),
    )
    world = World(policy(route(routes=children), storm=TAKES))
    names = [fault(world, number) for number in range(5)]
    world.wait(31 * SECOND)
    world.send()
    assert (told(world, P2.name), ("open", names[3]) in told(world)) == ([("open", names[3])], False)
    world.give(Configure(policy(route(routes=children[:1]), storm=TAKES)))
    world.send()
    assert [(call.kind, call.address) for call in world.vendors.calls if call.entry.startswith(names[3])] == [
        ("open", P2.name),
        ("open", P1.name),
        ("close", P2.name),
    ]
    assert rollup(world).live


def test_what_is_silenced_stays_with_the_rollup_and_opens_when_the_silence_ends() -> None:
    world = stormy(4)
    everything = (Matcher("model", "=~", "[abc]"),)
    world.give(
        AddSilence(silence="s", matchers=everything, starts=world.now, ends=world.now + HOUR, by="x", at=world.now)
    )
    world.wait(50 * MINUTE)
    world.send()
    assert (len(told(world)), rollup(world).live) == (4, True)
    world.wait(11 * MINUTE)
    world.send()
    assert told(world)[4:] == [("open", singles(world)[3].id), ("close", rollup(world).id)]


def test_it_can_be_acknowledged_and_is_not_resolved_by_hand() -> None:
    world = stormy(5)
    name = rollup(world).id
    world.give(Acknowledge(incident=name, by="ann", at=world.now))
    assert view(world.state, name).acknowledged_by == "ann"
    said = refusal(world.state, Resolve(incident=name, by="ann", at=world.now))
    assert said == f"{name} is a storm and ends by itself: acknowledge it, or resolve or silence what it stands for"
    world.give(Resolve(incident=name, by="ann", at=world.now))
    assert rollup(world).live


def test_a_rollup_that_its_address_refuses_goes_to_the_fallback() -> None:
    world = World(policy(route(receiver="quiet"), storm=TAKES))
    for number in range(3):
        fault(world, number)
    world.wait(31 * SECOND)
    world.send()
    world.vendors.refuses[P1.name] = "channel_is_archived"
    fault(world, 3)
    world.wait(31 * SECOND)
    world.send()
    assert told(world, P2.name)[-1] == ("open", rollup(world).id)


def test_it_survives_a_restart() -> None:
    world = stormy(8)
    before = world.state
    world.restart()
    assert world.state == before
    assert next_due(world.state) == next_due(before)


def test_a_clock_that_is_set_back_moves_its_window_along() -> None:
    world = stormy(4)
    back = shifted(world.state, -DAY)
    assert (next_due(back), world.state.now) == ((next_due(world.state) or 0) - DAY, T0 + 31 * SECOND)
    assert back.storms[P1.name].asked == (T0 + 30 * SECOND - DAY,) * 3


@pytest.mark.parametrize("receivers", [{"console": ()}, RECEIVERS | {"team": (P2,)}])
def test_it_closes_at_its_address_when_nothing_leads_there_any_more(receivers: dict[str, tuple[Address, ...]]) -> None:
    world = stormy(8)
    world.give(Configure(policy(receivers=receivers, storm=TAKES)))
    world.send()
    assert rollup_at(world, P1.name).reason == "calm"
    assert world.vendors.open_at(P1.name) == set()


def rollup_at(world: World, address: str) -> Incident:
    """The roll-up at an address."""
    found = (incident for incident in world.state.incidents.values() if incident.rollup is not None)
    return next(one for one in found if one.rollup is not None and one.rollup.reach.address == address)
