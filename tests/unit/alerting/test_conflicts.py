"""One rule for every conflict (reference/incidents.md, section 4): people, silences, and what the detector says."""

from __future__ import annotations

import pytest

from alerting.conduct import refusal
from alerting.document import message, view
from schemas.actions import Acknowledge, AddSilence, ExpireSilence, Matcher, Resolve
from schemas.findings import Severity
from tests.unit.alerting.world import DAY, HOUR, MINUTE, SECOND, T0, World, policy, route

ALL = Matcher("model", "=~", "[abc]")


def told(severity: Severity = "P1") -> World:
    """An incident on a/w0 that its receiver was told of."""
    world = World()
    world.fire("a/w0", severity=severity, onset=(T0 - HOUR, T0))
    world.wait(31 * SECOND)
    world.send()
    assert len(world.vendors.rings) == (2 if severity == "P0" else 1)
    return world


def silence(world: World, *matchers: Matcher, length: int = HOUR, name: str = "s") -> None:
    """A silence from now on."""
    given = AddSilence(
        silence=name, matchers=matchers or (ALL,), starts=world.now, ends=world.now + length, by="ann", at=world.now
    )
    world.give(given)


def test_a_silence_before_anybody_was_told_keeps_the_incident_quiet_and_its_end_opens_it() -> None:
    world = World()
    world.fire("a/w0", severity="P1")
    silence(world)
    world.wait(10 * MINUTE)
    world.send()
    assert world.vendors.calls == []
    world.wait(HOUR)
    world.send()
    assert world.vendors.rings == [("slack:#p1", f"{world.incident()}:1")]


def test_a_silence_over_a_told_incident_holds_it_and_says_until_when() -> None:
    world = told()
    silence(world, length=HOUR)
    world.send()
    assert world.vendors.kinds("slack:#p1") == ["open", "update"]
    shown = message(world.state, world.incident(), world.vendors.calls[-1], now=world.now)
    assert shown.silenced_until == world.now + HOUR
    world.wait(2 * HOUR)
    world.send()
    assert world.vendors.kinds("slack:#p1") == ["open", "update", "update"]
    assert len(world.vendors.rings) == 1


def test_what_is_over_inside_a_silence_is_closed_inside_it() -> None:
    world = told()
    silence(world, length=DAY)
    world.clear("a/w0")
    world.wait(11 * MINUTE)
    world.send()
    assert world.vendors.kinds("slack:#p1")[-1] == "close"
    assert world.vendors.still_open() == set()


def test_silenced_while_worsening_holds_and_an_unmatched_member_pages() -> None:
    world = told("P2")
    silence(world, Matcher("feature", "=", "w0"), length=DAY)
    world.fire("a/w0", severity="P0", onset=(T0 - HOUR, T0))
    world.wait(HOUR)
    world.send()
    assert [address for address, _ in world.vendors.rings] == ["slack:#p2"]
    world.fire("a/w1", severity="P1", onset=(T0 - HOUR, T0))
    world.send()
    assert [address for address, _ in world.vendors.rings] == ["slack:#p2", "slack:#p1"]
    shown = view(world.state, world.incident())
    assert shown.severity == "P1"
    assert shown.title == "a: w1 drifted, cause unclear (+1)"


@pytest.mark.parametrize(
    ("matchers", "said"),
    [
        ((Matcher("severity", "=", "P2"),), "severity is inferred"),
        ((Matcher("cause", "=", "source:weather"),), "cause is inferred"),
        ((Matcher("team", "=", "x"),), "no finding has the label 'team'"),
        ((Matcher("feature", "=~", "("),), "is no regular expression"),
        ((Matcher("feature", "!=", "x"),), "a matcher that not everything matches"),
        ((), "a matcher that not everything matches"),
    ],
)
def test_a_silence_that_cannot_hold_is_refused_in_words_and_changes_nothing(
    matchers: tuple[Matcher, ...], said: str
) -> None:
    world = told()
    action = AddSilence(silence="s", matchers=matchers, starts=0, ends=world.now + HOUR, by="ann", at=world.now)
    assert said in (refusal(world.state, action) or "")
    world.give(action)
    assert world.state.silences == {}


def test_a_silence_by_incident_holds_that_one_only_and_expires_by_hand() -> None:
    world = told()
    world.fire("b/t0", severity="P1")
    name = world.incident_of("a")
    silence(world, Matcher("incident", "=", name), length=DAY)
    members = {i.id: [m.silenced is not None for m in i.members.values()] for i in world.state.incidents.values()}
    assert members == {name: [True], world.incident_of("b"): [False]}
    world.give(ExpireSilence(silence="s", by="ann", at=world.now))
    assert all(m.silenced is None for i in world.state.incidents.values() for m in i.members.values())


def test_an_ack_covers_what_was_there_and_ends_repeats_until_something_new_fires() -> None:
    world = World(policy(route(repeat_interval_ms=HOUR)))
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(HOUR + MINUTE)
    world.send()
    world.wait(HOUR)
    world.send()
    assert world.vendors.notes == [("slack:#p1", "still open")]
    world.give(Acknowledge(incident=world.incident(), by="ann", at=world.now))
    world.wait(5 * HOUR)
    world.send()
    assert len(world.vendors.notes) == 1
    world.fire("a/w1", severity="P2", onset=(T0 - HOUR, T0))
    world.wait(HOUR)
    world.send()
    assert len(world.vendors.notes) >= 2
    assert view(world.state, world.incident()).acknowledged_by == "ann"


def test_an_ack_of_an_older_revision_covers_only_what_was_seen() -> None:
    world = told("P2")
    seen = world.state.incidents[world.incident()].revision
    world.fire("a/w1", severity="P1", onset=(T0 - HOUR, T0))
    world.give(Acknowledge(incident=world.incident(), by="ann", at=world.now, revision=seen))
    taken = world.state.incidents[world.incident()].acknowledged
    assert taken is not None
    assert (taken.severity, sorted(taken.keys)) == ("P2", ["psi|feature:a/w0||"])


def test_an_ack_of_an_ended_incident_is_refused_in_words() -> None:
    world = told()
    world.clear("a/w0")
    world.wait(HOUR)
    late = Acknowledge(incident=world.incident(), by="ann", at=world.now)
    assert refusal(world.state, late) == f"{world.incident()} has ended: recovered"
    assert refusal(world.state, Acknowledge(incident="inc-0", by="ann", at=0)) == "there is no incident inc-0"
    world.give(late)
    assert view(world.state, world.incident()).acknowledged_by is None


def test_what_an_operator_resolved_stays_closed_through_refreshes() -> None:
    world = told()
    world.give(Resolve(incident=world.incident(), by="ann", at=world.now))
    world.send()
    assert (view(world.state, world.incident()).end_reason, world.vendors.still_open()) == ("operator", set())
    for _ in range(5):
        world.wait(HOUR)
        world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))  # it is the same episode
        world.send()
    assert [call.kind for call in world.vendors.calls] == ["open", "close"]


@pytest.mark.parametrize(("state", "severity"), [("ok", "P1"), ("firing", "P0")])
def test_it_opens_anew_once_it_was_ok_or_got_worse(state: str, severity: Severity) -> None:
    world = told()
    world.give(Resolve(incident=world.incident(), by="ann", at=world.now))
    world.wait(MINUTE)
    world.fire("a/w0", state=state, severity=severity)
    world.wait(MINUTE)
    world.fire("a/w0", severity=severity)
    assert len([i for i in world.state.incidents.values() if i.live]) == 1


def test_a_resolve_of_an_older_revision_does_not_shut_what_came_or_got_worse_since() -> None:
    world = told("P2")
    seen = world.state.incidents[world.incident()].revision
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.fire("a/w1", onset=(T0 - HOUR, T0))
    world.give(Resolve(incident=world.incident(), by="ann", at=world.now, revision=seen))
    known = world.state.models["a"].keys
    assert {key: entry.shut for key, entry in known.items()} == {"psi|feature:a/w0||": "P2", "psi|feature:a/w1||": None}


def test_repeats_are_exact_and_stop_while_it_is_unstable_and_while_it_is_silenced() -> None:
    world = World(policy(route(repeat_interval_ms=HOUR)))
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.reach(T0 + 30 * SECOND)
    world.send()
    world.reach(T0 + 30 * SECOND + HOUR - 1)
    world.send()
    assert world.vendors.notes == []
    world.reach(T0 + 30 * SECOND + HOUR)
    world.send()
    assert len(world.vendors.notes) == 1
    silence(world, length=3 * HOUR)
    world.wait(2 * HOUR)
    world.send()
    assert len(world.vendors.notes) == 1
