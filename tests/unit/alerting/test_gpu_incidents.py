"""Findings about GPUs as incidents: one a place, said in words that need no manual, routed by their class."""

from __future__ import annotations

from typing import Any

import pytest

from alerting.cause import likely
from alerting.document import message, view
from alerting.messages.incident import headline, measured, subject
from schemas.findings import Finding, Onset, finding_key
from schemas.gpus import FLEET
from schemas.monitored import RouteMonitor
from tests.unit.alerting.world import MINUTE, T0, World, policy


def found(rule: str, place: str = "gpu:n7/0", *, scope: str = "GPU-1", at: int = T0, **more: Any) -> Finding:
    fields: dict[str, Any] = {"state": "firing", "severity": "P1", "value": 1.0, "threshold": None, "n": 1}
    return Finding(
        key=finding_key(rule, place, segment=scope), rev=(at, 0), model=FLEET, rule=rule, kind="gpu", subject=place,
        at=at, seen=at, onset=Onset(at - MINUTE, at), memory=MINUTE, refresh_by=at + MINUTE, **(fields | more),
    )  # fmt: skip


def title(*findings: Finding) -> str:
    world = World()
    for one in findings:
        world.give(one, one.at)
    return view(world.state, world.incident()).title


@pytest.mark.parametrize(
    ("finding", "said"),
    [
        (found("gpu_memory", value=0.97), "GPU n7/0: memory nearly full"),
        (found("gpu_temperature", value=93.0), "GPU n7/0: too hot"),
        (found("gpu_throttled", value=72.0), "GPU n7/0: slowed down by heat or power"),
        (found("gpu_lost", value=0.0), "GPU n7/0: lost"),
        (found("gpu_ecc", value=2.0), "GPU n7/0: uncorrectable memory errors"),
        (found("gpu_xid", value=79.0), "GPU n7/0: Xid 79"),
        (found("gpu_silent", value=360.0), "GPU n7/0: not heard of"),
        (found("gpu_silent", "host:n7", value=360.0, n=8), "GPUs of n7: not heard of"),
        (found("gpu_lost", "gpu:" + "n" * 99 + "/0"), "GPU …" + "n" * 37 + "/0: lost"),
    ],
)
def test_a_title_says_which_gpu_and_what_is_wrong(finding: Finding, said: str) -> None:
    assert title(finding) == said


def test_findings_about_one_gpu_are_one_incident_and_of_another_another() -> None:
    world = World()
    world.give(found("gpu_temperature", severity="P2", value=93.0), T0)
    world.give(found("gpu_lost"), T0)
    world.give(found("gpu_lost", "gpu:n7/1", scope="GPU-2"), T0)
    first, second = world.state.incidents.values()
    assert (len(first.members), len(second.members), first.severity) == (2, 1, "P1")
    assert likely(first) == "gpu:n7/0"
    assert view(world.state, first.id).title == "GPU n7/0: lost"


def test_a_route_and_its_message_know_the_class() -> None:
    way = RouteMonitor(receiver="console", routes=(RouteMonitor(match=('class="gpu"',), receiver="team"),))
    world = World(policy(way))
    evidence = {"cause": "Xid 79: the GPU has fallen off the bus"}
    world.give(found("gpu_xid", value=79.0, evidence=evidence), T0)
    world.wait(MINUTE)
    [call] = world.todo()
    assert call.address == "slack:#p1"
    made = message(world.state, world.incident(), call, now=world.now)
    assert headline(made) == "P1 FIRING · GPU n7/0: Xid 79"
    assert subject(made.members[0]) == "n7/0"
    assert measured(made.members[0]) == "gpu_xid 79, n 1; Xid 79: the GPU has fallen off the bus"


def test_it_ends_once_it_was_clear_for_the_hold_by_the_minutes_judged() -> None:
    world = World()
    world.give(found("gpu_temperature", severity="P2"), T0)
    world.give(found("gpu_temperature", severity="P2", state="ok", at=T0 + MINUTE), T0 + MINUTE)
    world.reach(T0 + 12 * MINUTE, models=(FLEET,))
    assert world.state.incidents[world.incident()].ended is not None
