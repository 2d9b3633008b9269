"""Two incidents that prove to be one fault before anybody was told become one; afterwards they are only linked."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerting import breadth
from alerting.breadth import is_wide
from alerting.document import view
from alerting.incident import Incident
from alerting.inputs import Configure
from alerting.records import restored
from schemas.actions import Acknowledge
from tests.unit.alerting.histories import settle
from tests.unit.alerting.test_invariants import check_step
from tests.unit.alerting.world import DAY, HOUR, MINUTE, P1, SECOND, T0, World, finding, policy, route

#: Two narrow onsets, and a wide one over both.  At source:noaa, whose lag is an hour, the two are 48 minutes apart.
EARLY, LATE = (T0 - 6 * HOUR, T0 - 6 * HOUR + MINUTE), (T0 - 4 * HOUR, T0 - 4 * HOUR + MINUTE)
WIDE = (T0 - 6 * HOUR, T0 - 4 * HOUR)


def two() -> World:
    """Two incidents of the weather that wait to be told."""
    world = World()
    world.fire("a/w0", severity="P1", onset=EARLY)
    world.wait(SECOND)
    world.fire("b/w1", severity="P1", onset=LATE)
    world.wait(SECOND)
    assert len(live(world)) == 2
    return world


def live(world: World) -> list[Incident]:
    return [incident for incident in world.state.incidents.values() if incident.live]


def told(world: World) -> list[tuple[str, str]]:
    world.wait(31 * SECOND)
    world.send()
    return [(call.kind, call.address) for call in world.vendors.calls]


def test_a_bridge_makes_one_of_two_that_nobody_was_told_of() -> None:
    world = two()
    first, second = live(world)
    world.fire("c/w2", severity="P1", onset=WIDE)
    assert told(world) == [("open", P1.name)]
    [incident] = live(world)
    assert [member.joined_by for member in incident.members.values()] == ["first", "onset", "merged"]
    assert (incident.id, sorted(incident.models), list(incident.anchor)) == (first.id, ["a", "b", "c"], ["source:noaa"])
    gone = view(world.state, second.id)
    assert (gone.end_reason, gone.links, gone.deliveries[0].believes) == ("merged", (first.id,), "closed")


def test_it_closes_once_when_all_of_it_is_well() -> None:
    world = two()
    world.fire("c/w2", severity="P1", onset=WIDE)
    told(world)
    for subject in ("a/w0", "c/w2"):
        world.clear(subject)
    world.wait(HOUR)
    world.send()
    assert world.vendors.kinds(P1.name).count("close") == 0, "what came with the other still fires"
    world.clear("b/w1")
    world.wait(HOUR)
    world.send()
    assert (world.vendors.kinds(P1.name).count("open"), world.vendors.kinds(P1.name).count("close")) == (1, 1)


def test_a_bridge_that_is_too_narrow_for_the_gap_links() -> None:
    for width, left in ((96 * MINUTE, 1), (96 * MINUTE - 2, 2)):  # half of it is the gap of 48 minutes
        world = two()
        world.fire("c/w2", severity="P1", onset=(T0 - 5 * HOUR - 50 * MINUTE, T0 - 5 * HOUR - 50 * MINUTE + width))
        assert len(live(world)) == left
        assert (live(world)[0].links == ()) == (left == 1)


def test_told_incidents_are_linked_and_their_members_stay() -> None:
    world = two()
    homes = [incident.id for incident in live(world)]
    told(world)
    world.fire("c/w2", severity="P1", onset=WIDE)
    assert told(world).count(("open", P1.name)) == 2
    assert [incident.id for incident in live(world)] == homes
    assert live(world)[0].links == (homes[1],)


def test_one_told_is_enough_to_keep_them_apart() -> None:
    world = World()
    world.fire("a/w0", severity="P1", onset=EARLY)
    told(world)
    world.fire("b/w1", severity="P1", onset=LATE)
    world.fire("c/w2", severity="P1", onset=WIDE)
    assert told(world).count(("open", P1.name)) == 2


def test_what_the_console_has_shown_is_not_merged() -> None:
    world = World(policy(route(receiver="console", routes=())))
    world.fire("a/w0", severity="P1", onset=EARLY)
    world.wait(31 * SECOND)
    world.fire("b/w1", severity="P1", onset=LATE)
    world.fire("c/w2", severity="P1", onset=WIDE)
    assert [incident.state for incident in live(world)] == ["open", "pending"]


def test_what_was_told_and_waits_again_is_not_merged() -> None:
    world = World()
    world.fire("a/w0", severity="P1", onset=EARLY)
    told(world)
    world.clear("a/w0")
    world.give(Configure(policy(route(open_wait_ms=DAY))))
    world.wait(SECOND)
    world.fire("a/w0", severity="P1", onset=EARLY)
    world.fire("b/w1", severity="P1", onset=LATE)
    world.fire("c/w2", severity="P1", onset=WIDE)
    assert [incident.state for incident in live(world)] == ["pending", "pending"]


def test_what_somebody_took_is_not_merged() -> None:
    world = two()
    world.give(Acknowledge(incident=live(world)[1].id, by="ann", at=world.now))
    world.fire("c/w2", severity="P1", onset=WIDE)
    assert len(live(world)) == 2


def test_what_shares_no_source_is_not_merged() -> None:
    world = World()
    world.fire("b/w0", severity="P1", onset=EARLY)
    world.fire("b/t0", severity="P1", onset=EARLY)
    world.fire("b", severity="P1", onset=WIDE)
    assert len(live(world)) == 2
    assert [len(incident.links) for incident in live(world)].count(1) == 1


def test_the_first_page_is_not_delayed_though_the_larger_one_is_kept() -> None:
    world = World()
    world.fire("a/w0", severity="P1", onset=EARLY)
    world.wait(20 * SECOND)
    for feature in ("w1", "w2"):
        world.fire(f"b/{feature}", severity="P1", onset=LATE)
    world.fire("c/w3", severity="P1", onset=WIDE)
    [incident] = live(world)
    assert (incident.opened, [m.joined_by for m in incident.members.values()][-1]) == (T0, "merged")
    world.reach(T0 + 30 * SECOND)
    world.send()
    assert world.vendors.rings == [(P1.name, f"{incident.id}:1")]


SUBJECTS = [f"{model}/{feature}" for model in "abc" for feature in ("w0", "w1", "w2")]
FAULTS = st.lists(
    st.tuples(st.sampled_from(SUBJECTS), st.integers(0, 8), st.integers(1, 160), st.integers(0, 40)),
    min_size=3,
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(FAULTS)
def test_whatever_merges_every_finding_has_one_home_and_what_is_told_is_closed(
    faults: list[tuple[str, int, int, int]],
) -> None:
    world = World(policy(route(receiver="team", routes=())))
    for number, (subject, hours, width, wait) in enumerate(faults):
        lo = T0 - hours * HOUR
        before = world.state
        world.fire(subject, severity="P1", onset=(lo, lo + width * MINUTE), rev=(world.now, number))
        check_step(before, world.state)
        assert restored(world.records, world.state.policy) == world.state
        for incident in world.state.incidents.values():  # told, and its members never move
            known = before.incidents.get(incident.id)
            if known is not None and any(before.entries[name].believed for name in known.entries):
                assert incident.reason != "merged"
                assert known.members.keys() <= incident.members.keys()
        if wait > 20:
            world.wait(wait * SECOND)
            world.send()
    world.wait(31 * SECOND)
    world.send()
    assert len(world.vendors.rings) == len(live(world))
    for subject in SUBJECTS:
        world.clear(subject, rev=(world.now, len(faults)))
    settle(world)
    assert world.vendors.still_open() == set()
    assert not live(world)


def test_a_finding_that_may_make_one_of_two_large_ones_is_wide_and_nothing_else_about_them_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each member of the one moves to the other: of ten thousand that is a quarter of a second."""
    monkeypatch.setattr(breadth, "WIDE", 2 * (1 + breadth.SETTLED) - 1)
    world = two()
    bridge = finding("c/w2", world.now, severity="P1", onset=WIDE)
    assert is_wide(world.state, bridge)
    assert not is_wide(world.state, finding("c/w2", world.now, state="ok", severity="P1", onset=WIDE))
    assert not is_wide(world.state, finding("a/w0", world.now, severity="P1", onset=WIDE)), "it is at home already"
    assert not is_wide(world.state, finding("b/t0", world.now, severity="P1", onset=WIDE)), "of another feed"
    told(world)
    assert not is_wide(world.state, finding("c/w2", world.now, severity="P1", onset=WIDE)), "they can be linked only"
    monkeypatch.setattr(breadth, "WIDE", breadth.SETTLED)
    alone = World()
    alone.fire("a/w0", severity="P1", onset=EARLY)
    assert not is_wide(alone.state, finding("b/w1", alone.now, severity="P1", onset=EARLY)), "to join is not to merge"
