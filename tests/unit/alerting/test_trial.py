"""What would become of a finding: the trial says what the core then does, and changes nothing."""

from __future__ import annotations

import pytest

from alerting.inputs import Failed
from alerting.records import changed
from alerting.trial import Told, Trial, tried
from schemas.actions import Acknowledge, AddSilence, Matcher, Resolve
from schemas.findings import Severity
from tests.unit.alerting.world import HOUR, MINUTE, P0, P1, PD, SECOND, T0, World, finding, policy, route


def tried_on(world: World, subject: str = "a/w0", *, severity: Severity = "P1") -> Trial:
    """The trial of a finding of now; afterwards the state is as it was."""
    before = world.state
    found = tried(before, finding(subject, world.now, severity=severity), world.now)
    assert not changed(before, world.state)
    return found


def verdicts(trial: Trial) -> list[tuple[str, str]]:
    return [(one.address, one.verdict) for one in trial.told]


def test_a_finding_that_begins_an_incident_opens_where_it_is_routed_after_the_wait() -> None:
    trial = tried_on(World())

    assert (trial.joined_by, trial.severity, trial.links) == ("first", "P1", ())
    assert trial.told == (Told("team", P1.name, "slack", "opens", at=T0 + 30 * SECOND),)
    assert [(way.receiver, way.matchers, way.wait, way.repeat) for way in trial.ways] == [
        ("team", ('severity="P1"',), 30 * SECOND, None)
    ]


def test_what_no_route_takes_is_the_roots() -> None:
    trial = tried_on(World(), severity="P3")

    assert ([(way.receiver, way.matchers) for way in trial.ways], trial.told) == ([("console", ())], ())


def test_it_is_what_then_happens() -> None:
    world = World()
    trial = tried_on(world)
    world.fire("a/w0", severity="P1")
    world.wait(30 * SECOND)

    assert list(world.state.incidents) == [trial.incident]
    assert [(call.address, call.kind) for call in world.todo()] == [(P1.name, "open")]


@pytest.fixture
def told() -> World:
    """An incident of the weather that the team was told of."""
    world = World()
    world.fire("a/w0", severity="P1")
    world.wait(MINUTE)
    world.send()
    return world


def test_what_joins_an_incident_that_was_told_of_rings_nobody(told: World) -> None:
    [incident] = told.state.incidents
    trial = tried_on(told, "a/w1")

    assert (trial.incident, trial.joined_by) == (incident, "onset")
    assert trial.told == (Told("team", P1.name, "slack", "joins", by=incident),)


def test_what_makes_it_worse_opens_where_that_is_routed(told: World) -> None:
    assert verdicts(tried_on(told, "a/w1", severity="P0")) == [(PD.name, "opens"), (P0.name, "opens")]


def test_what_makes_it_worse_at_the_same_address_rings_again() -> None:
    world = World(policy(route(routes=(), receiver="team")))
    world.fire("a/w0", severity="P2")
    world.wait(MINUTE)
    world.send()

    assert verdicts(tried_on(world, "a/w1", severity="P1")) == [(P1.name, "rings")]
    assert verdicts(tried_on(world, "a/w1", severity="P2")) == [(P1.name, "joins")]


def test_a_finding_that_was_heard_is_tried_as_its_next_word(told: World) -> None:
    trial = tried_on(told, "a/w0")

    assert (trial.joined_by, verdicts(trial)) == ("first", [(P1.name, "joins")])


def test_a_silence_holds_it_and_is_named() -> None:
    world = World()
    until = T0 + HOUR
    matchers = (Matcher("feature", "=", "w0"),)
    world.give(AddSilence(silence="s-1", matchers=matchers, starts=T0, ends=until, by="ann", at=T0))
    trial = tried_on(world)

    assert trial.told == (Told("team", P1.name, "slack", "silenced", until=until),)
    assert [one.id for one in trial.silences] == ["s-1"]
    assert (verdicts(tried_on(world, "a/w1")), tried_on(world, "a/w1").silences) == ([(P1.name, "opens")], ())


def test_a_storm_speaks_for_it() -> None:
    world = World(policy(storm=1, slack=0))
    world.fire("a/w0", severity="P1")
    world.wait(MINUTE)
    world.send()
    trial = tried_on(world, "b/t0")

    assert (trial.joined_by, verdicts(trial)) == ("first", [(P1.name, "storm")])
    assert trial.told[0].by not in (None, trial.incident)


def test_what_somebody_resolved_stays_quiet_until_it_is_worse(told: World) -> None:
    [incident] = told.state.incidents
    told.give(Resolve(incident=incident, by="ann", at=told.now))

    assert (tried_on(told).incident, verdicts(tried_on(told))) == (None, [(P1.name, "resolved")])
    assert verdicts(tried_on(told, severity="P0")) == [(PD.name, "opens"), (P0.name, "opens")]


def test_who_has_the_incident_is_said(told: World) -> None:
    [incident] = told.state.incidents
    told.give(Acknowledge(incident=incident, by="ann", at=told.now))

    assert tried_on(told, "a/w1").acknowledged_by == "ann"


def test_an_address_that_was_given_up_is_named_with_why(told: World) -> None:
    told.fire("a/w1", severity="P0")
    [call] = [one for one in told.todo() if one.address == PD.name]
    told.give(Failed(call.entry, call, permanent=True, why="no such key"))

    assert tried_on(told, "a/w2", severity="P0").told[0] == Told(
        "oncall", PD.name, "pagerduty", "failed", by="no such key"
    )


def test_what_is_due_by_then_has_happened_before() -> None:
    world = World()
    world.fire("a/w0", severity="P1")

    early = tried(world.state, finding("a/w1", world.now, severity="P1"), world.now)
    late = tried(world.state, finding("a/w1", world.now, severity="P1"), world.now + MINUTE)
    assert ([one.verdict for one in early.told], [one.verdict for one in late.told]) == (["opens"], ["joins"])
