"""Where two rules meet: a storm and a silence, a merge and catching up, a digest and a channel that fails; and all at random."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import HealthCheck, example, given, settings

from alerting.digest import Batch, Digest, Missed, begun, message_of
from alerting.inputs import Configure, Tick
from alerting.policy import Policy
from alerting.records import restored
from alerting.register import entries
from alerting.shift import shifted
from alerting.step import fire, next_due
from schemas.actions import AddSilence, Matcher
from schemas.monitored import RouteMonitor
from tests.unit.alerting.histories import Op, settle
from tests.unit.alerting.test_invariants import check_step
from tests.unit.alerting.test_storm import fault, rollup, told
from tests.unit.alerting.test_storm_invariants import SUBJECTS, act, histories
from tests.unit.alerting.test_work_of_a_step import calls
from tests.unit.alerting.world import (
    DAY,
    HOUR,
    MINUTE,
    P1,
    P2,
    PD,
    SECOND,
    T0,
    World,
    finding,
    policy,
    route,
)

ONE = Missed("P1", T0, "inc-1", "a: w0 drifted", T0 + HOUR)
TWO = Missed("P2", T0, "inc-2", "b: w0 drifted", T0 + HOUR)


def stormy(world: World, size: int) -> World:
    for number in range(size):
        fault(world, number)
    world.wait(31 * SECOND)
    world.send()
    return world


def silence(world: World, *matchers: Matcher) -> None:
    ends = world.now + 5 * HOUR
    world.give(AddSilence(silence="s", matchers=matchers, starts=world.now, ends=ends, by="x", at=world.now))


def silenced_until(world: World) -> int | None:
    storm = rollup(world).rollup
    assert storm is not None
    return storm.silenced


def test_a_storm_is_silenced_while_all_that_it_still_speaks_for_is() -> None:
    """It rang its repeats for what somebody had silenced."""
    world = stormy(World(policy(route(repeat_interval_ms=HOUR), storm=3)), 4)
    silence(world, Matcher("model", "=~", "[abc]"))
    world.send()
    notes = len(world.vendors.notes)
    assert silenced_until(world) == world.now + 5 * HOUR
    world.wait(4 * HOUR)
    world.send()
    assert (len(world.vendors.notes), len(told(world)), rollup(world).live) == (notes, 4, True)
    assert restored(world.records, world.state.policy) == world.state
    world.wait(HOUR + MINUTE)
    world.send()
    assert [kind for kind, _ in told(world)[4:]] == ["open", "close"]


def test_a_storm_of_which_one_part_is_silenced_goes_on() -> None:
    world = stormy(World(policy(storm=3)), 5)
    silence(world, Matcher("model", "=", "b"), Matcher("feature", "=", "w3"))
    assert silenced_until(world) is None


def test_to_begin_a_storm_is_little_work() -> None:
    """It made a million names to choose one of: 130 ms in which nobody else got a turn."""
    world = World(policy(storm=3))
    for number in range(4):
        fault(world, number)
    due = next_due(world.state)
    assert due is not None
    assert calls(partial(fire, world.state)) < 20_000
    assert len(fire(world.state).incidents) == 5


@pytest.mark.parametrize("punctual_first", [True, False])
def test_what_was_late_merged_with_what_was_not_is_told_as_soon_as_that(punctual_first: bool) -> None:
    """The one that is kept may be either: what is on time was held for two minutes with the other."""
    begun, onsets = T0 + HOUR, ((T0 - 6 * HOUR, T0 - 6 * HOUR + MINUTE), (T0 - 4 * HOUR, T0 - 4 * HOUR + MINUTE))
    world = World()
    ats = (begun, begun - 30 * MINUTE) if punctual_first else (begun - 30 * MINUTE, begun)
    for subject, at, onset in zip(("a/w0", "b/w1"), ats, onsets, strict=True):
        world.give(finding(subject, at, severity="P1", onset=onset), begun)
    assert len([one for one in world.state.incidents.values() if one.held is not None]) == 1
    world.fire("c/w2", severity="P1", onset=(T0 - 6 * HOUR, T0 - 4 * HOUR))
    [kept] = [one for one in world.state.incidents.values() if one.live]
    assert (len(kept.members), kept.held, kept.late) == (3, None, None)
    world.give(Tick(), begun + 30 * SECOND)
    assert [call.kind for call in world.todo()] == ["open"]


def test_two_that_were_late_are_held_no_longer_than_the_first_of_them() -> None:
    world = World()
    for wait, subject, hours in ((0, "a/w0", 6), (MINUTE, "b/w1", 4)):
        world.now += wait
        onset = (T0 - hours * HOUR, T0 - hours * HOUR + MINUTE)
        world.give(finding(subject, T0 - 30 * MINUTE, severity="P1", onset=onset), world.now)
    world.fire("c/w2", severity="P1", onset=(T0 - 6 * HOUR, T0 - 4 * HOUR), at=world.now)
    [kept] = [one for one in world.state.incidents.values() if one.live]
    assert kept.held == T0 + 2 * MINUTE


def test_a_merged_incident_was_as_bad_as_the_worse_of_both() -> None:
    world = World()
    world.fire("a/w0", severity="P2", onset=(T0 - 6 * HOUR, T0 - 6 * HOUR + MINUTE))
    world.fire("b/w1", severity="P1", onset=(T0 - 4 * HOUR, T0 - 4 * HOUR + MINUTE))
    world.fire("c/w2", severity="P2", onset=(T0 - 6 * HOUR, T0 - 4 * HOUR))
    [kept] = [one for one in world.state.incidents.values() if one.live]
    assert (kept.severity, kept.worst) == ("P1", "P1")


def test_a_digest_that_was_begun_says_what_it_was_begun_with_and_the_next_one_the_rest() -> None:
    """It said both, and the next one said the rest again."""
    digest = replace(begun(Digest("slack:#ml", T0, waiting=Batch((ONE,)))), waiting=Batch((TWO,)))
    assert [line[-7:] for line in message_of(digest).history] == ["(inc-1)"]
    assert message_of(digest).total == 1
    assert [line[-7:] for line in message_of(Digest("slack:#ml", T0, waiting=Batch((TWO,)))).history] == ["(inc-2)"]


def test_an_incident_missed_at_two_channels_of_which_one_fails_is_one_line_at_the_other() -> None:
    both = Batch((ONE, TWO)).joined(Batch((ONE,), more=3))
    assert ([one.incident for one in both.named], both.total) == (["inc-1", "inc-2"], 5)


def under(secret: str) -> Policy:
    """Most is told at two addresses, both with this secret; P2 at the channel that is the fallback too."""
    own = {"oncall": (replace(PD, secret=secret), replace(P1, secret=secret)), "quiet": (replace(P2, secret="p2"),)}
    routes = (RouteMonitor(match=('severity="P2"',), receiver="quiet"), RouteMonitor(receiver="oncall"))
    return policy(route(receiver="quiet", routes=routes, repeat_interval_ms=6 * HOUR), own, storm=2)


OPS = ("apart", "apart", "apart", "apart", "late", "late", "well", "silence", "expire", "ack", "resolve", "wait", "wait",
       "wait", "send", "send", "crash", "revoke", "renew", "set back", "restart")  # fmt: skip
BURST: list[Op] = [("apart", number) for number in range(8)]
#: A storm at addresses that fail, and take again; one over which the clock is set back; one that is late, and silenced.
FAILS: list[Op] = [*BURST, ("revoke", 0), ("wait", 1), ("send", 3), ("wait", 2), ("send", 3), ("renew", 0), ("send", 3),
                   ("wait", 3), ("send", 3)]  # fmt: skip
BACK: list[Op] = [
    *BURST,
    ("wait", 1),
    ("send", 3),
    ("set back", 0),
    ("crash", 1),
    ("wait", 2),
    ("send", 3),
    ("wait", 3),
]
LATE: list[Op] = [*[("late", number) for number in range(8)], ("silence", 0), ("wait", 2), ("send", 3), ("expire", 0),
                  ("revoke", 0), ("wait", 1), ("send", 3), ("restart", 0), ("renew", 0), ("wait", 3)]  # fmt: skip


def play(world: World, op: str, number: int) -> None:
    """Do one operation of storms, or of what they meet here."""
    match op:
        case "late":
            subject, begun = SUBJECTS[number % len(SUBJECTS)], T0 - (number % len(SUBJECTS) + 1) * 5 * DAY
            world.give(finding(subject, world.now - HOUR, severity="P1", onset=(begun, begun + MINUTE),
                               rev=(world.now, len(world.given))), world.now)  # fmt: skip
        case "revoke":
            world.vendors.refuses = {PD.name: "revoked", P1.name: "revoked"}
        case "renew":
            world.vendors.refuses = {}
            world.give(Configure(under(f"secret-{len(world.given)}")))
        case "set back":
            before, world.now = world.state, world.now - HOUR
            world.state = shifted(before, world.now - before.now)
            world.store(before)
            world.send(number % 3)
            world.wait(HOUR)  # event time was never wrong, and goes on from where it was
        case "restart":
            world.restart()
        case _:
            act(world, op, number)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories(OPS, 40))
@example(FAILS)
@example(BACK)
@example(LATE)
def test_whatever_meets_all_closes_nothing_rings_twice_and_the_records_are_the_state(history: list[Op]) -> None:
    world = World(under("first"))
    for op, number in history:
        before = world.state
        play(world, op, number)
        if op not in ("set back", "restart"):
            check_step(before, world.state)
        assert restored(world.records, world.state.policy) == world.state
    play(world, "renew", 0)
    for subject in SUBJECTS:
        world.clear(subject, rev=(world.now, len(world.given)))
    settle(world)
    assert world.vendors.still_open() == set()
    assert list(entries(world.state)) == []
    assert world.state.digests == {}
    assert not any(incident.live for incident in world.state.incidents.values())
    assert all(storm.rollup is None and not storm.waiting for storm in world.state.storms.values())
    pages = [ring for ring in world.vendors.rings if ring[0] == PD.name]
    assert len(pages) == len(set(pages)), "a key that was closed is never opened again"
