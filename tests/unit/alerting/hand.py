"""What the tests of an operator's merge and split share: two incidents that everybody was told of, and both actions."""

from __future__ import annotations

from alerting.incident import Incident
from schemas.actions import MergeIncidents, SplitIncident
from schemas.findings import Severity
from stream.incidents.answers import answer
from tests.unit.alerting.world import HOUR, MINUTE, World, policy, route


def two(
    weather: Severity = "P1", tickets: Severity = "P1", *, world: World | None = None
) -> tuple[World, Incident, Incident]:
    """An incident of the weather and one of the tickets; everybody was told of both."""
    made = world or World()
    made.fire("a/w0", severity=weather)
    made.fire("b/t0", severity=tickets)
    made.wait(MINUTE)
    made.send()
    first, second = live(made)
    return made, first, second


def one_receiver() -> World:
    return World(policy(route(routes=(), receiver="oncall")))


def live(world: World) -> list[Incident]:
    return [incident for incident in world.state.incidents.values() if incident.live]


def merge(world: World, other: str, into: str, comment: str = "") -> None:
    world.give(MergeIncidents(incident=other, into=into, by="ann", at=world.now, comment=comment))


def split(world: World, incident: str, *subjects: str) -> None:
    members = world.state.incidents[incident].members
    keys = tuple(key for key, member in members.items() if member.finding.subject in subjects)
    world.give(SplitIncident(incident=incident, findings=keys, by="ann", at=world.now, comment="two faults"))


def lines(world: World, name: str) -> list[str]:
    return [line.text for line in world.state.incidents[name].lines]


def over(world: World, *subjects: str) -> None:
    """It is all well again, and the senders are done."""
    for subject in subjects:
        world.clear(subject)
    world.wait(3 * HOUR)
    world.send()


def refused(world: World, action: MergeIncidents | SplitIncident) -> str:
    """The answer; nothing has changed."""
    before, said = world.state, answer(world.state, action)
    world.give(action)
    assert not said.done
    assert world.state.incidents == before.incidents
    return said.said.removesuffix("; nothing was changed")
