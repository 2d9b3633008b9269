"""What a change looks like is in the first message where it is known by then, and in the edited one where it comes later."""

from __future__ import annotations

from alerting.document import rendered
from alerting.messages.incident import measured
from alerting.refreshes import Refreshes
from tests.unit.alerting.world import HOUR, MINUTE, SECOND, World, edited, finding

LOOKS = "looks like °F sent where °C was: x -> 1.8 x + 32"


def sent(world: World) -> list[tuple[str, bool]]:
    """Of what is sent now, the kind, and whether the first finding's line says what it looks like."""
    planned = [(call.kind, rendered(world.state, call, now=world.now)) for call in world.todo()]
    world.send()
    return [(kind, measured(shown.members[0]).endswith(LOOKS)) for kind, shown in planned if shown is not None]


def test_the_first_message_says_it_where_the_finding_does() -> None:
    world = World()
    world.fire("a/w0", severity="P1", evidence={"cause": LOOKS})
    world.wait(31 * SECOND)
    assert sent(world) == [("open", True)]


def test_what_is_found_later_is_shown_once_by_an_edit_at_the_next_update() -> None:
    """A window can be judged before it is full of the change."""
    world = World()
    world.fire("a/w0", severity="P1")
    world.wait(MINUTE)
    assert sent(world) == [("open", False)]
    world.fire("a/w0", severity="P1", evidence={"cause": LOOKS})
    assert sent(world) == []
    world.wait(5 * MINUTE)
    assert sent(world) == [("update", True)]
    world.fire("a/w0", severity="P1", evidence={"cause": LOOKS})
    world.wait(HOUR)
    assert sent(world) == []


def test_a_verdict_that_is_explained_only_now_repeats_nothing() -> None:
    """Or the quick way of refreshes would keep it from the message."""
    world = World()
    world.fire("a/w0", severity="P1", refresh_by=world.now + HOUR)
    world.wait(MINUTE)
    again = finding("a/w0", world.now, severity="P1", refresh_by=world.now + HOUR)
    plain, explained = edited(again, evidence={"mean": 1.0}), edited(again, evidence={"cause": LOOKS})
    assert Refreshes(world.state).take(plain, world.now)
    assert not Refreshes(world.state).take(explained, world.now)
