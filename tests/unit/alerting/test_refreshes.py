"""Refreshes taken together make the very state that steps one after the other make, over random histories."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerting.document import view
from alerting.draft import Draft
from alerting.inputs import Input, Tick
from alerting.members import Members
from alerting.records import changed
from alerting.recovery import earliest_deadline
from alerting.refreshes import Refreshes
from alerting.register import calls
from alerting.state import State, new_state
from alerting.step import step
from alerting.timeline import timeline
from alerting.totals import totals
from alerting.wanted import wanted
from schemas.findings import Finding, Progress
from schemas.incidents import encode
from schemas.monitored import RouteMonitor
from tests.unit.alerting.histories import OPS, Op, play, rank
from tests.unit.alerting.world import (
    DAY,
    HOUR,
    MINUTE,
    MODELS,
    SECOND,
    T0,
    World,
    edited,
    finding,
    policy,
    progress,
    route,
)

EXAMPLES = 60

History = list[tuple[Input, int]]
#: What makes more of a refresh.
CHANGES: tuple[dict[str, object], ...] = (
    {"severity": "P1"}, {"severity": "P2"}, {"severity": "P3"}, {"memory": HOUR}, {"memory": 0}, {"owner": "x"}, {"owner": "y"},
    {"feature": "y"}, {"refresh_by": None}, {"refresh_by": T0}, {"refresh_by": T0 + 90 * DAY}, {"state": "ok"},
    {"state": "no_data"}, {"seen": T0 - DAY}, {"state": "removed"},
)  # fmt: skip
RARE = tuple(op for op in OPS if op not in ("wait", "send", "crash"))
REFRESHED = ("wave",) * 12 + ("wait", "send", "send") + RARE
WAITS = (0, 0, SECOND, MINUTE, 10 * MINUTE, HOUR)


def wave(world: World, number: int) -> None:
    """What fires, or fired a moment ago, is said again for a while; seldom it says something else."""
    rng = random.Random(number)
    odd = number % 3 * 0.03
    for _ in range(rng.randint(1, 25)):
        world.now += rng.choice(WAITS)
        said = [member.finding for incident in world.state.incidents.values() for member in incident.members.values()]
        if not said or rng.random() < 0.1:
            world.give(progress(rng.choice(MODELS), world.now))
            continue
        last = rng.choice(said)
        fields = {"value": rng.random(), "refresh_by": world.now + HOUR, "seen": world.now, "state": "firing"}
        more = rng.choice(CHANGES) if rng.random() < odd else {}
        world.give(edited(last, rev=(world.now, rank(world)), at=world.now, **(fields | more)))


def written(history: list[Op], world: World) -> History:
    """The inputs of a history, each with its time."""
    for op, number in history:
        if op == "wave":
            wave(world, number)
        else:
            play(world, op, number)
    return world.given


def stepped(state: State, history: History) -> State:
    """One after the other."""
    for given_, now in history:
        state = step(state, given_, now)
    return state


def together(state: State, history: History) -> tuple[State, int]:
    """As much as possible together; and how many findings were."""
    run, taken = Refreshes(state), 0
    for given_, now in history:
        if takes(run, given_, now):
            taken += isinstance(given_, Finding)
            continue
        run = Refreshes(step(run.finished(), given_, now))
    return run.finished(), taken


def takes(run: Refreshes, given_: Input, now: int) -> bool:
    match given_:
        case Finding():
            return run.take(given_, now)
        case Progress():
            return run.hear(given_, now)
        case _:
            return isinstance(given_, Tick) and run.pass_to(now)


def assert_same(one: State, other: State) -> None:
    """Everything that is stored, shown, told or decided by."""
    assert one == other
    assert one.index == other.index
    empty = new_state(one.policy)
    assert changed(empty, one) == changed(empty, other)
    assert timeline(empty, one, one.now) == timeline(empty, other, other.now)
    assert calls(one, one.now) == calls(other, other.now)
    for name in one.incidents:
        assert encode(view(one, name)) == encode(view(other, name))


def assert_summed(state: State) -> None:
    """What the tables remember of their members is what a new table says of them."""
    draft = Draft(state, state.now)
    for incident in state.incidents.values():
        rows = dict(incident.members.table.rows())
        fresh = replace(incident, members=Members.of(rows))
        assert totals(incident) == totals(fresh)
        assert wanted(incident) == wanted(fresh)
        assert earliest_deadline(draft, incident) == earliest_deadline(draft, fresh)
        kept, new = incident.members, fresh.members
        assert (kept.active, dict(kept.subjects)) == (new.active, dict(new.subjects))
        assert {model: dict(some) for model, some in kept.by_model.items()} == {
            model: dict(some) for model, some in new.by_model.items()
        }


HISTORIES = st.lists(st.tuples(st.sampled_from(REFRESHED), st.integers(0, 10**6)), min_size=3, max_size=25)
#: Owners are told apart, and what nobody speaks of is soon given up.
OWNERS = RouteMonitor(match=('owner="x"',), receiver="oncall", open_wait_ms=0, carry_on=True)


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(HISTORIES, st.sampled_from([1, 10]))
def test_what_is_taken_together_is_what_steps_make_one_after_the_other(history: list[Op], storm: int) -> None:
    way = route()
    way = route(repeat_interval_ms=4 * HOUR, routes=(OWNERS, *way.routes))
    policy_ = policy(way, storm=storm, blind_limit=6 * HOUR)
    inputs = written(history, World(policy_))
    state, _ = together(new_state(policy_), inputs)
    assert_same(stepped(new_state(policy_), inputs), state)
    assert_summed(state)


def test_a_day_of_refreshes_is_taken_together() -> None:
    world = World()
    for subject in ("a/w0", "b/w1", "c/t0"):
        world.fire(subject, refresh_by=world.now + HOUR)
    world.send()
    before, first = world.state, len(world.given)
    for _ in range(24):
        world.now += HOUR
        for subject in ("a/w0", "b/w1", "c/t0"):
            world.fire(subject, refresh_by=world.now + HOUR)
    state, taken = together(before, world.given[first:])
    assert taken == 60, "the others come after something was due"
    assert_same(world.state, state)


def fired(*subjects: str, storm: int = 10) -> World:
    """A world in which these fire and were opened."""
    world = World(policy(storm=storm))
    for subject in subjects:
        world.fire(subject, refresh_by=world.now + HOUR, memory=MINUTE)
    world.wait(MINUTE)
    world.send()
    return world


def is_refresh(world: World, subject: str, **more: object) -> bool:
    """Whether it is taken as one when it is said again, and says this besides."""
    at = world.now + MINUTE
    said = finding(subject, at, refresh_by=at + HOUR, memory=MINUTE)
    return Refreshes(world.state).take(edited(said, **more), at)


@pytest.mark.parametrize("more", [{"value": 9.0}, {"n": 7}, {"evidence": {"mean": 1.0}}], ids=str)
def test_other_numbers_are_a_refresh(more: dict[str, object]) -> None:
    assert is_refresh(fired("a/w0"), "a/w0", **more)


@pytest.mark.parametrize("more", CHANGES, ids=str)
def test_whatever_else_is_said_is_a_step_of_its_own(more: dict[str, object]) -> None:
    same = {"severity": "P2"}
    assert is_refresh(fired("a/w0"), "a/w0", **more) == (more == same)


def test_a_verdict_that_a_storm_speaks_for_is_a_step_of_its_own() -> None:
    world = fired("a/w0", "c/t0", storm=1)
    assert [is_refresh(world, subject) for subject in ("a/w0", "c/t0")] == [True, False]
