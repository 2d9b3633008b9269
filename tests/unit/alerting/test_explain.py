"""Why findings are one incident, what could have caused them, who was told when, and what is held back."""

from __future__ import annotations

import pytest

from alerting.explain import Explained, Heard, explained
from schemas.actions import Acknowledge, AddSilence, Matcher
from tests.unit.alerting.world import HOUR, MINUTE, P1, T0, World, policy, route


@pytest.fixture
def world() -> World:
    """Two features of the weather drift, one of them by two rules, and the team was told."""
    made = World()
    made.fire("a/w0", severity="P1")
    made.fire("a/w1", severity="P1")
    made.fire("a/w1", rule="ks", severity="P2")
    made.wait(MINUTE)
    made.send()
    return made


def of(world: World) -> Explained:
    [incident] = world.state.incidents
    return explained(world.state, incident)


def test_how_each_finding_joined_and_below_what(world: World) -> None:
    found = of(world)

    assert [(one.subject, one.rule, one.joined_by) for one in found.why] == [
        ("feature:a/w0", "psi", "first"),
        ("feature:a/w1", "psi", "onset"),
        ("feature:a/w1", "ks", "subject"),
    ]
    assert [(one.lo, one.hi) for one in found.why] == [(T0 - 10 * MINUTE, T0)] * 3
    assert found.why[1].nodes == ("source:weather", "source:noaa")
    assert found.more == 0


def test_the_candidates_with_the_times_and_what_fires_below_them(world: World) -> None:
    first, second = of(world).candidates

    assert (first.node, first.fired, first.watched) == ("source:weather", 2, 21)
    assert second.node == "source:noaa"
    assert (first.probability or 0) > (second.probability or 0) > 0
    assert (first.lo, first.hi) == (T0 - 16 * MINUTE, T0 + 5 * MINUTE), (
        "ten minutes, the pane that it takes, and the slack"
    )


def test_who_was_told_when(world: World) -> None:
    told = Heard("team", P1.name, "slack", "open P1", T0 + MINUTE, T0 + MINUTE, 1)
    assert of(world).heard[0] == told, "its rules wait 30 s, and what rings is counted from the vendor's answer"
    assert [one.receiver for one in of(world).heard] == ["team", "quiet"]


def test_nothing_is_held_where_nothing_is(world: World) -> None:
    assert of(world).held == ()


def test_a_silence_is_named_with_what_it_holds(world: World) -> None:
    matchers = (Matcher("feature", "=", "w1"),)
    world.give(AddSilence(silence="s-1", matchers=matchers, starts=world.now, ends=T0 + HOUR, by="ann", at=world.now))
    [held] = of(world).held

    assert (held.what, held.name, held.until) == ("silence", "s-1", T0 + HOUR)
    assert held.text == 'ann silenced feature:a/w1 (feature="w1")'
    other = (Matcher("feature", "=", "t0"),)
    world.give(AddSilence(silence="s-2", matchers=other, starts=world.now, ends=T0 + HOUR, by="ann", at=world.now))
    assert [one.name for one in of(world).held] == ["s-1"], "a silence of something else holds nothing here"


def test_what_somebody_has_is_not_repeated(world: World) -> None:
    [incident] = world.state.incidents
    world.give(Acknowledge(incident=incident, by="bob", at=world.now))
    assert [(one.what, one.name) for one in of(world).held] == [("acknowledged", "bob")]
    world.fire("a/w2", severity="P1")
    assert of(world).held == (), "a new finding is nobody's"


def test_a_storm_speaks_for_it_and_says_what_it_stands_for() -> None:
    world = World(policy(route(), storm=1))
    world.fire("a/w0", severity="P1")
    world.wait(MINUTE)
    world.send()
    world.fire("b/t0", severity="P1")
    world.wait(MINUTE)
    [child] = [one for one in world.state.incidents.values() if "b" in one.models and one.rollup is None]
    [storm] = [one for one in world.state.incidents.values() if one.rollup is not None]

    assert [(one.what, one.name) for one in explained(world.state, child.id).held] == [("storm", storm.id)]
    whole = explained(world.state, storm.id)
    assert ([one.subject for one in whole.why], whole.candidates) == (["feature:b/t0"], ())


def test_of_what_has_ended_nothing_is_held(world: World) -> None:
    for subject, rule in (("a/w0", "psi"), ("a/w1", "psi"), ("a/w1", "ks")):
        world.clear(subject, rule=rule)
    world.wait(2 * HOUR)
    world.send()
    found = of(world)

    assert (found.held, found.heard[0].wants) == ((), "closed")
