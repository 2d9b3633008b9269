"""What began and ended before anybody could be told of it: opened nowhere, and named in one digest."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from alerting.digest import KEPT, Batch, Digest, Missed, added
from alerting.entry import Entry
from alerting.inputs import Began, Confirmed, Failed, Tick
from alerting.messages import slack
from alerting.messages.place import Place
from alerting.shift import shifted
from alerting.step import next_due
from schemas.actions import AddSilence, Matcher, Resolve
from schemas.findings import Severity
from tests.unit.alerting.histories import Op, histories, play
from tests.unit.alerting.world import DAY, HOUR, MINUTE, P1, PD, SECOND, T0, World, finding, policy, progress, route

TITLE = "over before this channel could be told"


def came_and_went(world: World, subject: str = "a/w0", severity: Severity = "P1", **more: tuple[int, int]) -> str:
    """An incident that begins and ends while nothing is sent; its name."""
    world.fire(subject, severity=severity, **more)  # type: ignore[arg-type]
    world.wait(MINUTE)
    world.clear(subject)
    world.wait(11 * MINUTE)
    return [name for name, incident in world.state.incidents.items() if not incident.live][-1]


def said(world: World) -> list[tuple[str, str, tuple[str, ...]]]:
    """What digests said: the channel, the title and the lines."""
    return [(channel, message.title, message.history) for channel, message in world.digests]


def test_an_incident_inside_an_outage_is_opened_nowhere_and_named_in_one_message_two_minutes_later() -> None:
    world = World()
    name = came_and_went(world)
    ended = world.now
    assert next_due(world.state) == ended + 2 * MINUTE
    world.give(Tick(), ended + 2 * MINUTE - 1)
    assert world.todo() == []
    world.give(Tick(), ended + 2 * MINUTE)
    world.send()
    assert [(call.kind, call.address) for call in world.vendors.calls] == [("digest", P1.name)]
    line = f"P1 a: w0 drifted, 1970-04-11 00:00 UTC to 1970-04-11 00:01 UTC ({name})"
    assert said(world) == [(P1.name, f"1 incident was {TITLE}", (line,))]
    assert (world.vendors.rings, world.state.digests, world.todo()) == ([], {}, [])


def test_the_incident_says_itself_that_nobody_was_told() -> None:
    world = World()
    name = came_and_went(world, severity="P0")
    lines = [line.text for line in world.state.incidents[name].lines]
    assert lines[-2:] == ["ended: recovered", "over before it could be told: oncall (pagerduty), oncall (slack)"]


def test_all_of_an_outage_are_one_message_the_p0_first_and_nothing_goes_to_pagerduty() -> None:
    world = World(policy(route(receiver="oncall", routes=())))
    mild = came_and_went(world, "a/w0", "P2")
    world.wait(DAY)
    grave = came_and_went(world, "a/w1", "P0")
    world.send()
    [(channel, title, lines)] = said(world)
    assert (channel, title) == ("slack:#p0", f"2 incidents were {TITLE}")
    assert [line[:2] for line in lines] == ["P0", "P2"]
    assert (grave in lines[0], mild in lines[1]) == (True, True)
    assert [call.kind for call in world.vendors.calls] == ["digest"]
    assert world.vendors.kinds(PD.name) == []


def test_who_was_told_is_told_the_end_and_gets_no_digest() -> None:
    world = World()
    world.fire("a/w0", severity="P0")
    [opening] = [call for call in world.todo() if call.receiver_kind == "slack"]
    world.give(Began(opening.entry, opening))
    world.give(Confirmed(opening.entry, opening, thread="1"))
    world.wait(MINUTE)
    world.clear("a/w0")
    world.wait(11 * MINUTE)
    assert [(call.kind, call.receiver_kind) for call in world.todo()] == [("close", "slack")]
    incident = world.state.incidents[world.incident()]
    assert incident.lines[-1].text == "over before it could be told: oncall (pagerduty)"
    assert world.state.digests == {}


def test_what_may_have_arrived_is_closed_and_not_named() -> None:
    world = World()
    world.fire("a/w0", severity="P1")
    world.wait(MINUTE)
    world.send(1, crash="before")
    world.clear("a/w0")
    world.wait(11 * MINUTE)
    world.wait(HOUR)
    assert ([call.kind for call in world.todo()], world.state.digests) == (["close"], {})


def test_what_was_held_for_catching_up_and_is_over_is_named() -> None:
    world = World()
    world.give(finding("a/w0", T0, severity="P1", onset=(T0 - HOUR, T0)), T0 + 3 * HOUR)
    world.give(finding("a/w0", T0 + 5 * MINUTE, state="ok"), world.now + SECOND)
    world.give(progress("a", T0 + 20 * MINUTE), world.now + SECOND)
    world.give(Tick(), world.now + 2 * MINUTE)
    world.send()
    [(channel, title, _)] = said(world)
    assert (channel, title) == (P1.name, f"1 incident was {TITLE}")
    assert world.state.incidents[world.incident()].lines[-1].text == "over before it could be told: team (slack)"


def test_what_was_not_to_be_told_is_not_named() -> None:
    """Over within its wait; silenced; resolved by somebody; of a severity that is told to nobody."""
    world = World(policy(route(open_wait_ms=HOUR, routes=(), receiver="team")))
    came_and_went(world)
    assert world.state.digests == {}
    world = World()
    everything = (Matcher("model", "=", "a"),)
    world.give(AddSilence(silence="s", matchers=everything, starts=T0, ends=T0 + DAY, by="x", at=T0))
    came_and_went(world)
    assert world.state.digests == {}
    world = World()
    world.fire("a/w0", severity="P1")
    world.wait(MINUTE)
    world.give(Resolve(incident=world.incident(), by="ann", at=world.now))
    assert world.state.digests == {}
    world = World()
    came_and_went(world, severity="P3")
    assert world.state.digests == {}


def test_a_silenced_one_that_was_held_for_catching_up_is_not_named_and_neither_is_one_without_a_rule() -> None:
    world = World()
    everything = (Matcher("model", "=", "a"),)
    world.give(AddSilence(silence="s", matchers=everything, starts=T0, ends=T0 + DAY, by="x", at=T0))
    world.give(finding("a/w0", T0, severity="P1", onset=(T0 - HOUR, T0)), T0 + 3 * HOUR)
    world.give(finding("a/w0", T0 + 5 * MINUTE, state="ok"), world.now + SECOND)
    world.give(progress("a", T0 + 20 * MINUTE), world.now + SECOND)
    assert (world.state.incidents[world.incident()].reason, world.state.digests) == ("recovered", {})
    world = World()
    world.fire("a/w0", severity="P1")
    world.wait(MINUTE)
    world.fire("a/w0", state="removed")
    assert (world.state.incidents[world.incident()].reason, world.state.digests) == ("removed", {})


def test_who_was_told_before_and_not_of_its_return_is_not_named_again() -> None:
    world = World()
    onset = (T0 - HOUR, T0)
    world.fire("a/w0", severity="P1", onset=onset)
    world.wait(MINUTE)
    world.send()
    world.fire("a/w0", severity="P2", onset=onset)
    world.wait(11 * MINUTE)
    world.send()
    assert {address for address, _ in world.vendors.still_open()} == {"slack:#p2"}
    world.fire("a/w0", severity="P1", onset=onset)
    assert {call.address for call in world.todo() if call.kind == "open"} == {P1.name}
    world.wait(MINUTE)
    world.clear("a/w0")
    world.wait(HOUR)
    assert (world.state.incidents[world.incident()].reason, world.state.digests) == ("recovered", {})


def test_a_digest_is_kept_until_it_is_taken_and_after_a_crash_said_again() -> None:
    world = World()
    came_and_went(world)
    world.wait(2 * MINUTE)
    world.send(1, crash="before")
    [again] = world.todo()
    assert (again.kind, again.doubt) == ("digest", True)
    world.send()
    assert len(said(world)) == 1
    world.restart()
    assert world.todo() == []


def test_what_comes_while_a_digest_is_on_its_way_is_said_in_the_next_one_or_with_its_next_try() -> None:
    world = World()
    came_and_went(world)
    world.wait(2 * MINUTE)
    [call] = world.todo()
    world.give(Began(call.entry, call))
    world.give(Failed(call.entry, call, permanent=False, why="Slack did not answer"))
    came_and_went(world, "a/w1")
    [again] = world.todo()
    world.give(Began(again.entry, again))
    assert world.state.digests[P1.name].sending.total == 2
    came_and_went(world, "a/w2")
    world.give(Confirmed(again.entry, again))
    world.wait(2 * MINUTE)
    world.send()
    [(_, title, _)] = said(world)
    assert title == f"1 incident was {TITLE}"


def test_a_channel_that_is_gone_for_good_hands_its_digest_to_the_fallback() -> None:
    world = World(policy(route(receiver="quiet")))
    world.vendors.refuses[P1.name] = "Slack answered channel_not_found"
    came_and_went(world)
    world.wait(2 * MINUTE)
    world.send()
    world.wait(2 * MINUTE)
    world.send()
    assert [channel for channel, _, _ in said(world)] == [P1.name, "slack:#p2"]
    assert (world.state.digests, world.vendors.notes) == ({}, [])


def test_the_worst_twenty_are_named_and_the_others_counted() -> None:
    digest: Digest | None = None
    for number in range(30):
        one = Missed("P0" if number == 29 else "P2", number * MINUTE, f"inc-{number}", "a: w0 drifted", HOUR)
        digest = added(digest, "slack:#ml", Batch((one,)), now=number)
    assert digest is not None
    assert (digest.since, len(digest.waiting.named), digest.waiting.more) == (0, KEPT, 10)
    assert [one.incident for one in digest.waiting.named[:3]] == ["inc-29", "inc-0", "inc-1"]


def test_slack_gets_a_line_each_with_nothing_that_mentions_or_links() -> None:
    world = World()
    came_and_went(world)
    world.wait(2 * MINUTE)
    world.send()
    [(_, message)] = world.digests
    post = slack.digest(message, place=Place("prod", "https://console.example"))
    assert post.text.startswith(f"1 incident was {TITLE} · P1 a: w0 drifted, ")
    kinds = [block["type"] for block in post.blocks]
    assert kinds == ["header", "section", "section", "context"]
    assert "driftline incident ls --all" in str(post.blocks)
    assert "https://console.example/incidents|open in the console" in str(post.blocks)


def test_a_clock_that_is_set_back_takes_a_digest_along() -> None:
    world = World()
    came_and_went(world)
    state = shifted(world.state, -6 * HOUR)
    assert state.digests[P1.name].since == world.now - 6 * HOUR
    assert next_due(state) == world.now - 6 * HOUR + 2 * MINUTE


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(histories(("fire", "fire", "clear", "clear", "wait", "wait", "wait", "send"), 30))
def test_whoever_should_have_known_at_the_end_was_told_or_hears_of_it_in_one_digest_never_both(
    history: list[Op],
) -> None:
    world = World()
    ended: dict[tuple[str, str], Entry] = {}
    told: list[tuple[str, str]] = []
    for op, number in (*history, ("wait", 3), ("wait", 4), ("wait", 4)):
        play(world, op, number)
        ended |= {(e.incident, e.address): e for e in world.state.entries.values() if e.motive == "recovered"}
    world.wait(2 * MINUTE)
    world.send()
    for channel, message in world.digests:
        told += [(line.rpartition("(")[2].rstrip(")"), channel) for line in message.history if "more" not in line]
    assert len(told) == len(set(told))
    missed = {place for place, entry in ended.items() if entry.told is None and entry.kind == "slack"}
    assert set(told) >= missed
    assert not set(told) & {place for place, entry in ended.items() if entry.told is not None}


@pytest.mark.parametrize("severity", ["P1", "P0"])
def test_the_digest_is_the_least_urgent_request(severity: Severity) -> None:
    world = World()
    came_and_went(world, severity=severity)
    world.wait(2 * MINUTE)
    assert [call.severity for call in world.todo()] == ["P3"]
