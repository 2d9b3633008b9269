"""A token that was revoked and replaced: what was given up is told again, with what is true by then."""

from __future__ import annotations

from alerting.document import view
from alerting.inputs import Began, Configure, Failed
from alerting.policy import Address, Policy
from tests.unit.alerting.world import DAY, HOUR, P1, P2, RECEIVERS, SECOND, T0, World, policy, route


def under(secret: str) -> Policy:
    """The team's channel with such a token; #p2 is the fallback."""
    team = (Address(P1.name, "slack", secret),)
    return policy(route(receiver="quiet"), RECEIVERS | {"team": team, "quiet": (Address(P2.name, "slack", "p2"),)})


def given_up() -> World:
    """An incident whose channel refused the old token: the fallback has it."""
    world = World(under("old"))
    world.vendors.refuses[P1.name] = "token_revoked"
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(31 * SECOND)
    world.send()
    assert calls(world) == [("open", P1.name), ("open", P2.name)]
    del world.vendors.refuses[P1.name]
    return world


def calls(world: World) -> list[tuple[str, str]]:
    """(kind, address) of every call."""
    return [(call.kind, call.address) for call in world.vendors.calls]


def test_under_a_new_secret_it_is_told_there_and_then_taken_back_from_the_fallback() -> None:
    world = given_up()
    world.restart()  # another worker, which reads the new token from its file
    world.give(Configure(under("new")))
    world.send()
    assert calls(world)[2:] == [("open", P1.name), ("close", P2.name)]
    assert "team (slack) is tried again: its secret has changed" in [
        line.text for line in world.state.incidents[world.incident()].lines
    ]
    world.clear("a/w0")
    world.wait(HOUR)
    world.send()
    assert calls(world)[4:] == [("close", P1.name)]


def test_under_the_same_secret_or_one_that_cannot_be_read_nothing_is_tried_again() -> None:
    world = given_up()
    for secret in ("old", "", "old"):
        world.give(Configure(under(secret)))
        world.send()
    assert len(calls(world)) == 2
    assert [each.failed for each in view(world.state, world.incident()).deliveries] == ["token_revoked", None]


def test_a_new_secret_that_is_refused_too_is_given_up_once_more() -> None:
    world = given_up()
    world.vendors.refuses[P1.name] = "invalid_auth"
    for _ in range(2):
        world.give(Configure(under("new")))
        world.send()
    assert calls(world).count(("open", P1.name)) == 2
    assert ("close", P2.name) not in calls(world), "the fallback keeps what nobody else took"
    assert [each.failed for each in view(world.state, world.incident()).deliveries] == ["invalid_auth", None]


def test_a_refusal_of_the_old_secret_that_arrives_after_the_new_one_gives_nothing_up() -> None:
    world = World(under("old"))
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(31 * SECOND)
    [call] = world.todo()
    world.give(Began(call.entry, call))
    world.give(Configure(under("new")))
    world.give(Failed(call.entry, call, permanent=True, why="token_revoked", secret="old"))
    world.send()
    assert calls(world) == [("open", P1.name)]
    assert [each.failed for each in view(world.state, world.incident()).deliveries] == [None]


def test_a_close_that_was_refused_is_made_up_for_after_the_incident_has_ended() -> None:
    world = World(under("old"))
    world.fire("a/w0", severity="P1", onset=(T0 - HOUR, T0))
    world.wait(31 * SECOND)
    world.send()
    world.vendors.refuses[P1.name] = "token_revoked"
    world.clear("a/w0")
    world.wait(HOUR)
    world.send()
    assert [root.open for root in world.vendors.roots] == [True]
    del world.vendors.refuses[P1.name]
    world.give(Configure(under("new")))
    world.send()
    assert [root.open for root in world.vendors.roots if root.address == P1.name] == [False]
    world.wait(3 * DAY)
    assert world.state.incidents == {}
