"""What the tests of an operator's merge and split share: two incidents that everybody was told of, and both actions."""

from __future__ import annotations

from alerting.entry import Entry
from alerting.incident import Incident, Interval
from alerting.inputs import Began
from alerting.register import plan
from schemas.actions import MergeIncidents, SplitIncident
from schemas.findings import Severity
from stream.incidents.answers import answer
from tests.unit.alerting.world import HOUR, MINUTE, SECOND, World, policy, route


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


def in_doubt_of_a_storm(third: str, onset: Interval | None = None) -> tuple[World, Entry]:
    """A storm has room again for what it spoke for, and how that one's opening ended is not known; the third is a ticket."""
    world = World(policy(storm=1))
    world.fire("a/w0", severity="P1")
    world.fire("b/t0", severity="P1")
    world.wait(31 * SECOND)
    world.send()
    world.fire(third, severity="P2", onset=onset)
    for _ in range(20):
        world.wait(MINUTE)
        released = [entry for entry in world.state.entries.values() if entry.rolled is not None and entry.want]
        if released:
            break
    [entry] = released
    call = plan(world.state, entry.id, world.now)
    assert call is not None
    world.give(Began(entry.id, call))
    return world, entry


def calm_and_forgotten(world: World, *subjects: str) -> None:
    """It is all well again, and everything has left the state."""
    for _ in range(40):
        over(world, *subjects)
    assert [storm for storm in world.state.storms.values() if storm.rollup is not None or storm.waiting] == []
    assert (live(world), world.vendors.still_open()) == ([], set())


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
