"""A model that says on which hosts it is served has their GPUs for a likely cause; any other shares nothing with them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alerting.cause import likely
from alerting.document import view
from alerting.inputs import Configure
from alerting.lineage import Lineage
from schemas.findings import Finding
from schemas.gpus import FLEET
from schemas.monitored import ModelMonitor, ServingMonitor
from tests.unit.alerting.test_gpu_incidents import found
from tests.unit.alerting.world import MINUTE, SOURCES, T0, WEATHER, World, finding, monitor, policy


def served_on(*hosts: str) -> ModelMonitor:
    return monitor(dict.fromkeys(WEATHER, "weather")).model_copy(update={"serving": ServingMonitor(gpus=hosts)})


def world(*hosts: str) -> World:
    """The model ``a``, served on these hosts."""
    return World(replace(policy(), lineage=Lineage.of({"a": served_on(*hosts)}, SOURCES)))


def latency(at: int = T0 + MINUTE) -> Finding:
    return finding("a", at, kind="latency", rule="latency", severity="P1", onset=(at - 2 * MINUTE, at))


def throttled(place: str = "gpu:n7/0", at: int = T0) -> Finding:
    return found("gpu_throttled", place, at=at, severity="P3", value=64.0)


def incidents(of: World) -> list[tuple[list[str], str]]:
    """Of each what it is about, and its likely cause."""
    return [
        (sorted(member.finding.subject for member in one.members.values()), likely(one))
        for one in of.state.incidents.values()
    ]


@pytest.mark.parametrize("first", ["gpu", "model"])
def test_latency_and_a_gpu_of_its_host_at_one_time_are_one_incident_with_the_host_as_the_cause(first: str) -> None:
    there = world("n6", "n7")
    given = [throttled(), latency()] if first == "gpu" else [latency(), throttled()]
    for one in given:
        there.give(one, T0 + MINUTE)
    assert incidents(there) == [(["gpu:n7/0", "model:a"], "host:n7")]
    shown = view(there.state, there.incident())
    assert shown.title == "a slow, cause likely host n7 (+1)"
    assert (shown.causes[0].node, shown.causes[0].probability > 0.9) == ("host:n7", True)


def test_a_host_of_which_nothing_is_heard_is_the_cause_too() -> None:
    there = world("n7")
    there.give(found("gpu_silent", "host:n7", scope="", severity="P2", value=360.0), T0 + MINUTE)
    there.give(latency(), T0 + MINUTE)
    assert incidents(there) == [(["host:n7", "model:a"], "host:n7")]


def test_gpus_of_one_host_that_fail_together_are_one_incident_where_a_model_is_served_there() -> None:
    there = world("n7")
    for place in ("gpu:n7/0", "gpu:n7/1", "gpu:n8/0"):
        there.give(found("gpu_lost", place), T0)
    assert incidents(there) == [(["gpu:n7/0", "gpu:n7/1"], "host:n7"), (["gpu:n8/0"], "gpu:n8/0")]


@pytest.mark.parametrize("hosts", [(), ("n6",), ("n70",)])
def test_where_the_model_is_not_said_to_be_served_there_they_are_two(hosts: tuple[str, ...]) -> None:
    there = world(*hosts)
    there.give(throttled(), T0 + MINUTE)
    there.give(latency(), T0 + MINUTE)
    assert [about for about, _ in incidents(there)] == [["gpu:n7/0"], ["model:a"]]


def test_what_began_an_hour_before_is_no_cause() -> None:
    there = world("n7")
    there.give(throttled(), T0)
    there.give(latency(T0 + 60 * MINUTE), T0 + 60 * MINUTE)
    assert [about for about, _ in incidents(there)] == [["gpu:n7/0"], ["model:a"]]


def test_a_file_that_names_the_host_later_leaves_what_is_open_and_relates_what_comes() -> None:
    there = world()
    there.give(throttled(), T0)
    there.give(Configure(replace(policy(), lineage=Lineage.of({"a": served_on("n7")}, SOURCES))), T0)
    there.give(throttled("gpu:n7/1"), T0)
    there.give(latency(), T0 + MINUTE)
    assert incidents(there) == [(["gpu:n7/0"], "gpu:n7/0"), (["gpu:n7/1", "model:a"], "host:n7")]


def test_a_gpu_has_its_host_above_it_whatever_the_host_is_called() -> None:
    lineage = Lineage.of({"a": served_on("rack/7", "model:a")}, {})
    assert set(lineage.above("gpu:rack/7/0")) == {"gpu:rack/7/0", "host:rack/7"}
    assert set(lineage.above("gpu:model:a/0")) == {"gpu:model:a/0", "host:model:a"}
    assert lineage.above("model:a")["host:rack/7"].hi == 2 * MINUTE
    assert lineage.below("host:rack/7") == {"model:a"}
    assert FLEET in lineage.panes
