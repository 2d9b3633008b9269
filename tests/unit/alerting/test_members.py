"""What is summed over an incident's members is what loops over all of them find, after every step of any history."""

from __future__ import annotations

import random
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerting import outliving
from alerting.cause import explained
from alerting.document import since
from alerting.draft import Draft
from alerting.incident import Incident
from alerting.members import ACTIVE, Members
from alerting.outliving import outlived_due
from alerting.recovery import blind_until, earliest_deadline, rests_until
from alerting.severity import hold_of
from alerting.titles import strongest
from alerting.totals import LATE, totals
from alerting.wanted import all_silenced_until, seen_severity, wanted
from schemas.findings import SEVERITIES
from tests.unit.alerting import naive
from tests.unit.alerting.histories import OPS, Op, histories, play, rank
from tests.unit.alerting.world import HOUR, MINUTE, MODELS, TICKETS, WEATHER, World, edited, finding

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def storm(world: World, number: int) -> None:
    """Many findings at once: features, models, two windows, refreshed at different intervals, some clear or blind."""
    rng = random.Random(number)
    subjects = [f"{model}/{name}" for model in MODELS for name in (WEATHER if model == "a" else WEATHER + TICKETS)]
    for subject in rng.sample([*subjects, *MODELS], rng.randrange(1, 12)):
        world.fire(
            subject, state=rng.choice(["firing", "firing", "ok", "no_data"]), severity=rng.choice(SEVERITIES),
            kind=rng.choice(["drift", "missing"]) if "/" in subject else "prediction_drift",
            onset=(world.now - rng.randrange(HOUR) - MINUTE, world.now), window=rng.choice([None, "day"]),
            memory=rng.choice([0, HOUR]), refresh_by=rng.choice([None, world.now + MINUTE, world.now + HOUR]),
            rev=(world.now, rank(world)),
        )  # fmt: skip


def check_members(incident: Incident) -> None:
    """What is counted and found of the members themselves."""
    members, every = incident.members, naive.members(incident)
    counts = totals(incident).counts
    assert members.active == len(naive.active(incident))
    assert counts.saying == sum(m.counts for m in every)
    assert counts.heard == sum(m.counts and m.silenced is None for m in every)
    assert counts.blind == sum(m.state == "blind" for m in every)
    assert counts.muted == sum(m.silenced is not None for m in naive.active(incident))
    assert members.subjects_with(ACTIVE) == len({m.finding.subject for m in naive.active(incident)})
    for kind in ("drift", "missing", "prediction_drift"):
        saying = {m.finding.subject for m in every if m.finding.kind == kind and m.counts and m.silenced is None}
        assert members.subjects_with(kind) == len(saying)
    for subject in {m.finding.subject for m in every}:
        assert list(members.about(subject)) == [m for m in every if m.finding.subject == subject]
    assert set(members.by_model) == {m.finding.model for m in every}
    assert [m for one in members.by_model.values() for m in one.values()] == sorted(
        every, key=lambda m: list(members.by_model).index(m.finding.model)
    )


def check_incident(draft: Draft, incident: Incident) -> None:
    """What follows from them for the incident."""
    every = naive.members(incident)
    assert seen_severity(incident) == (naive.severity(incident) or incident.severity)
    assert all_silenced_until(incident) == naive.silenced_until(incident)
    wait = totals(incident).least.wait
    assert (None if wait == LATE else wait) == naive.shortest_wait(incident)
    if incident.live:
        expected = [(name, held, severity, wait) for name, held, severity, _, wait in naive.audience(incident)]
        found = wanted(incident).items()
        assert [(name, want.held, want.severity, want.ready - incident.opened) for name, want in found] == expected
        receivers = [reach.receiver for _, _, _, reach, _ in naive.audience(incident)]
        assert [want.receiver for _, want in found] == receivers
    assert blind_until(draft, incident) == naive.blind_until(draft, incident)
    assert outlived_due(draft, incident) == naive.outlived(draft, incident)
    assert earliest_deadline(draft, incident) == min(naive.deadlines(draft, incident), default=None)
    assert explained(incident, draft) == naive.explained(draft, incident)
    onsets = [member.began or member.finding.onset for member in every]
    assert since(incident)[::-1] == min((onset.hi, onset.lo) for onset in onsets)
    waiting = [m for m in every if m.counts and m.finding.state != "removed"]
    if not incident.firing and waiting:
        step = max(member.step for member in every)
        hold = hold_of(step, draft.policy.timings) * min(draft.policy.timings.hold_cap, 2**incident.flips)
        assert rests_until(draft, incident) == max(m.cleared or 0 for m in waiting) + hold
    first = strongest(incident, 3)
    assert first == strongest(incident, len(every))[:3]
    assert len(strongest(incident, 999)) == len(every)


@SETTINGS
@given(histories((*OPS, "storm", "storm", "storm"), 25), st.sampled_from([0, outliving.FEW]))
def test_after_every_step_the_sums_are_what_loops_find(history: list[Op], few: int) -> None:
    """``few``: a model that is made of more is searched, and the models of this world are small."""
    world = World()
    with patch.object(outliving, "FEW", few):
        for op, number in history:
            if op == "storm":
                storm(world, number)
            else:
                play(world, op, number)
            for incident in world.state.incidents.values():
                if incident.rollup is not None:
                    continue  # It speaks for others and has no members.
                check_members(incident)
                check_incident(Draft(world.state, world.now), incident)


@SETTINGS
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=6))
def test_members_put_one_by_one_at_once_or_read_again_are_the_same(numbers: list[int]) -> None:
    world = World()
    for number in numbers:
        storm(world, number)
    for incident in world.state.incidents.values():
        again = Members.of(dict(incident.members))
        assert (again, again.active) == (incident.members, incident.members.active)
        assert [again.subjects_with(tag) for tag in (ACTIVE, "drift")] == [
            incident.members.subjects_with(tag) for tag in (ACTIVE, "drift")
        ]


def test_a_key_that_says_another_subject_is_counted_there() -> None:
    """No rule does so; if one ever does, nothing is counted twice."""
    world = World()
    world.fire("a/w0")
    world.fire("a/w1")
    first, second = naive.members(world.state.incidents[world.incident()])
    moved = edited(finding("a/w1", world.now), key=first.finding.key)
    world.give(edited(moved, rev=(world.now, 9)))
    incident = world.state.incidents[world.incident()]
    assert [one.finding.subject for one in naive.members(incident)] == [second.finding.subject] * 2
    check_members(incident)
    assert incident.members.subjects_with(ACTIVE) == 1
