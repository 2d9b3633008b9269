"""An operator's split, and random histories with both: everything is stored as it is, and closes at last."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from alerting.records import restored
from alerting.state import State
from schemas.actions import SplitIncident
from schemas.findings import SEVERITIES
from tests.unit.alerting.hand import (
    calm_and_forgotten,
    in_doubt_of_a_storm,
    lines,
    live,
    merge,
    one_receiver,
    over,
    refused,
    split,
    two,
)
from tests.unit.alerting.histories import OPS, Op, histories, play, settle
from tests.unit.alerting.world import MINUTE, P1, PD, World, policy

#: Subjects of two feeds and a model: incidents of their own.
APART = ("a/w0", "b/t0", "a", "c")


@pytest.mark.parametrize("told", [True, False])
def test_what_is_split_off_is_an_incident_of_its_own(told: bool) -> None:
    world, first, second = two()
    merge(world, second.id, first.id)
    if told:
        world.send()
    rings = len(world.vendors.rings)
    split(world, first.id, "feature:b/t0")

    rest, made = live(world)
    assert (rest.id, [one.finding.subject for one in rest.members.values()]) == (first.id, ["feature:a/w0"])
    assert ([one.finding.subject for one in made.members.values()], made.models) == (["feature:b/t0"], frozenset({"b"}))
    assert [one.joined_by for one in made.members.values()] == ["split"]
    assert (rest.links[0], made.links) == (made.id, (first.id,))
    assert f"1 finding split off into {made.id} by ann: two faults" in lines(world, first.id)
    assert lines(world, made.id)[0] == f"split off {first.id} by ann: two faults"
    world.wait(MINUTE)
    world.send()
    assert len(world.vendors.rings) == rings + 1, "two faults are two pages where both are told"
    over(world, "a/w0")
    assert world.vendors.open_at(P1.name) == {f"{made.id}:1"}
    over(world, "b/t0")
    assert world.vendors.still_open() == set()


def test_the_reverse_of_a_merge_gives_every_page_back() -> None:
    world, first, second = two("P1", "P0")
    rings = list(world.vendors.rings)
    merge(world, second.id, first.id)
    world.send()
    split(world, first.id, "feature:b/t0")
    world.wait(MINUTE)
    world.send()

    assert world.vendors.rings == rings, "who was told of the tickets only keeps what was told"
    assert world.vendors.open_at(PD.name) == {f"{second.id}:1"}
    assert world.vendors.open_at(P1.name) == {f"{first.id}:1"}
    over(world, "a/w0", "b/t0")
    assert world.vendors.still_open() == set()


def test_what_was_split_off_is_not_merged_again_by_a_later_finding() -> None:
    world = World()
    world.fire("a/w0", severity="P1")
    world.fire("b/w1", severity="P1")
    [incident] = live(world)
    split(world, incident.id, "feature:b/w1")
    world.fire("c/w2", severity="P1")

    assert len(live(world)) == 2


def test_what_cannot_be_split_is_refused_in_words() -> None:
    world, first, _ = two()
    [key] = first.members

    def of(*keys: str) -> str:
        return refused(world, SplitIncident(incident=first.id, findings=keys, by="ann", at=world.now))

    assert of() == f"nothing is no finding of {first.id} that fires or has just stopped"
    assert of("x", key) == f"'x' is no finding of {first.id} that fires or has just stopped"
    assert of(key) == f"that is all of {first.id}: nothing would be left of it"


def test_a_storm_speaks_for_what_was_split_off_until_it_is_surely_told() -> None:
    """It had room for the incident, and how its opening ended was not known when all that reaches the address was split off."""
    world, entry = in_doubt_of_a_storm("b/t1")
    split(world, entry.incident, "feature:b/t0")

    made = live(world)[-1]
    assert made.links == (entry.incident,)
    assert world.state.storms[P1.name].waiting == frozenset({f"{made.id}|{P1.name}"})
    world.send()
    assert world.state.storms[P1.name].waiting == frozenset()
    calm_and_forgotten(world, "a/w0", "b/t0", "b/t1")


def by_hand(world: World, number: int) -> None:
    """Merge or split something of what lives."""
    found = live(world)
    if len(found) > 1 and number % 2:
        one, other = random.Random(number).sample(found, 2)
        merge(world, one.id, other.id)
    elif found:
        incident = found[number % len(found)]
        subjects = sorted({member.finding.subject for member in incident.members.values()})
        split(world, incident.id, *subjects[: 1 + number % 2])


def check(state: State) -> None:
    for heard in state.models.values():
        for key, known in heard.keys.items():
            if known.home is not None:
                assert state.incidents[known.home].live
                assert key in state.incidents[known.home].members
    for entry in state.entries.values():
        assert entry.id in state.incidents[entry.incident].entries or entry.settled
        assert state.incidents[entry.incident].live or entry.want is None
        assert entry.rolled is None or entry.id in state.storms[entry.address].waiting
    for storm in state.storms.values():
        assert all(name in state.entries and state.entries[name].rolled for name in storm.waiting)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories((*(op for op in OPS if op != "configure"), "hand", "hand", "hand")), st.booleans())
@example(
    [("fire", 16), ("fire", 20), ("wait", 1), ("send", 3), ("hand", 1), ("crash", 1), ("hand", 0), ("wait", 4)], False
)
@example(  # what a storm speaks for is merged while its own opening is in doubt
    [("fire", 4), ("fire", 33), ("fire", 32), ("hand", 0), ("wait", 3), ("crash", 1), ("hand", 1)], True
)
def test_whatever_is_merged_and_split_everything_is_stored_and_closes_at_last(ops: list[Op], stormy: bool) -> None:
    world = World(policy(storm=1) if stormy else None)
    for op, number in ops:
        if op == "hand":
            by_hand(world, number)
        else:
            play(world, op, number)
        check(world.state)
        assert restored(world.records, world.policy) == world.state
    settle(world)
    assert live(world) == []
    assert world.vendors.still_open() == set()


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.sampled_from(SEVERITIES), min_size=4, max_size=4), st.booleans(), st.integers(0, 10**6))
def test_whatever_was_told_a_merge_rings_nobody(severities: list[str], single: bool, seed: int) -> None:
    rng, world = random.Random(seed), one_receiver() if single else World()
    for subject, severity in zip(APART, severities, strict=True):
        world.fire(subject, severity=severity)
    world.wait(MINUTE)
    world.send()
    rings = list(world.vendors.rings)
    while len(live(world)) > 1:
        one, other = rng.sample(live(world), 2)
        merge(world, one.id, other.id)
        if rng.random() < 0.5:
            world.send(rng=rng)
    world.send(rng=rng)

    assert world.vendors.rings == rings
    told = [address for address, _ in world.vendors.still_open()]
    assert len(told) == len(set(told)), "one page at each address"
    world.wait(MINUTE)
    over(world, *APART)
    assert world.vendors.still_open() == set()
