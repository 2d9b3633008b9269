"""Alerts of an Alertmanager as incidents: one each, with the model's where they name one, over when they are resolved."""

from __future__ import annotations

from typing import Any

import msgspec

from alerting.document import message, view
from alerting.messages.incident import measured
from alerting.titles import title_of
from schemas.alertmanager import ALERTMANAGER
from schemas.findings import Finding
from stream.webhook.alerts import taken
from tests.support.alertmanager import alert, notification
from tests.unit.alerting.world import HOUR, MINUTE, T0, World


def told(name: str = "QueueFull", *, at: int = T0, began: str = "", **more: Any) -> Finding:
    """The finding of an alert that came at ``at``, and began then."""
    body = notification(alert(name, **more) | {"startsAt": began})
    [finding] = taken(body, at_ms=at, repeat_ms=HOUR).findings
    return finding


def pass_to(world: World, at: int) -> None:
    """The webhook says every quarter of a minute that time has passed; a mark an hour is enough here."""
    for reached in (*range(world.now + HOUR, at, HOUR), at):
        world.reach(reached, models=(ALERTMANAGER,))


def test_two_alerts_without_a_model_are_two_incidents_that_say_what_they_are() -> None:
    world = World()
    world.give(told("NodeDown"), T0)
    world.give(told("DiskFull"), T0)
    first, second = world.state.incidents.values()
    assert [title_of(one) for one in (first, second)] == ["NodeDown at Alertmanager", "DiskFull at Alertmanager"]
    assert first.severity == "P1"
    assert first.classes == {"serving"}


def test_one_that_names_a_model_joins_what_is_wrong_with_it() -> None:
    world = World()
    world.fire("a/w0", T0, severity="P2")
    world.give(told(model="a"), T0 + MINUTE)
    world.give(told("NodeDown", model="b", at=T0 + 1), T0 + MINUTE)
    [incident] = world.state.incidents.values()
    assert [member.joined_by for member in incident.members.values()] == ["first", "onset", "onset"]
    assert title_of(incident).startswith("a: QueueFull at Alertmanager")
    assert view(world.state, incident.id).models == ("a", "b")


def test_one_that_names_a_model_that_nobody_watches_stands_alone() -> None:
    world = World()
    world.give(told(model="z"), T0)
    world.give(told("NodeDown", model="z"), T0)
    assert len(world.state.incidents) == 2


def test_an_alert_moves_no_models_event_time() -> None:
    world = World()
    world.fire("a/w0", T0)
    world.give(told(model="a", at=T0 + 9 * HOUR), T0 + 9 * HOUR)
    assert world.state.models["a"].clock == T0


def test_what_is_sent_again_rings_nobody_and_stays_one_incident() -> None:
    world = World()
    world.give(told(), T0)
    world.wait(MINUTE)
    world.send()
    for hour in range(1, 20):
        pass_to(world, T0 + hour * HOUR)
        world.give(told(at=world.now + 1), world.now + 1)
    [incident] = world.state.incidents.values()
    assert (incident.state, incident.flips, world.todo()) == ("open", 0, [])


def test_a_resolve_ends_it_after_the_shortest_hold_however_seldom_alerts_are_repeated() -> None:
    world = World()
    world.give(told(), T0)
    world.give(told(at=T0 + HOUR, status="resolved"), T0 + HOUR)
    pass_to(world, T0 + HOUR + 9 * MINUTE)
    assert world.state.incidents[world.incident()].ended is None
    pass_to(world, T0 + HOUR + 10 * MINUTE)
    assert world.state.incidents[world.incident()].reason == "recovered"


def test_a_resolve_that_is_older_than_a_refire_changes_nothing_and_the_next_one_does() -> None:
    world = World()
    world.give(told(), T0)
    world.give(told(at=T0 + 3), T0 + 3)
    world.give(told(at=T0 + 2, status="resolved"), T0 + 4)
    assert world.state.incidents[world.incident()].firing
    world.give(told(at=T0 + 5, status="resolved"), T0 + 5)
    assert not world.state.incidents[world.incident()].firing


def test_one_that_is_not_said_again_is_unknown_after_three_repeats_and_only_while_somebody_listens() -> None:
    world = World()
    world.give(told(), T0)
    world.reach(T0 + 12 * HOUR)
    [member] = world.state.incidents[world.incident()].members.values()
    assert member.state == "firing"
    pass_to(world, T0 + 12 * HOUR + MINUTE)
    [member] = world.state.incidents[world.incident()].members.values()
    assert member.state == "blind"
    world.give(told(at=world.now + 1), world.now + 1)
    [member] = world.state.incidents[world.incident()].members.values()
    assert member.state == "firing"


def test_a_message_says_the_alerts_own_words() -> None:
    world = World()
    world.give(told(model="a"), T0)
    world.wait(MINUTE)
    [call] = world.todo()
    made = message(world.state, world.incident(), call, now=world.now)
    assert [measured(member) for member in made.members] == ["QueueFull; QueueFull since a while"]
    assert (
        view(world.state, world.incident()).members[0].evidence["labels"]
        == "alertname=QueueFull, model=a, severity=critical"
    )


def test_a_worse_severity_counts_at_once() -> None:
    world = World()
    world.give(told(), T0)
    world.give(msgspec.structs.replace(told(at=T0 + 1), severity="P0"), T0 + 1)
    assert world.state.incidents[world.incident()].severity == "P0"
