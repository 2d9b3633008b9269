"""A finding about a source itself: its features tested together."""

from __future__ import annotations

import msgspec

from alerting.document import message, view
from alerting.messages.incident import measured
from schemas.findings import Finding
from tests.unit.alerting.world import DAY, HOUR, T0, World, finding


def of_source(model: str, at: int = T0) -> Finding:
    """What `stream.evaluate.calibration.source_verdicts` tells: a subject that models share, and a key that names the model."""
    return msgspec.structs.replace(
        finding(f"{model}/w0", at, onset=(T0 - HOUR, T0), rule="shift_of_source"),
        key=f"shift_of_source|source:weather|{model}|week", subject="source:weather", feature=None, source="weather",
    )  # fmt: skip


def test_a_source_that_moved_is_what_the_incident_is_about_and_its_own_cause() -> None:
    world = World()
    world.give(of_source("a"))
    shown = view(world.state, world.incident())
    assert shown.title == "a: weather drifted"
    assert (shown.causes[0].node, shown.members[0].subject) == ("source:weather", "source:weather")


def test_the_same_source_of_two_models_is_one_incident_of_two_findings_with_its_features() -> None:
    world = World()
    world.give(of_source("a"))
    world.give(of_source("b"))
    world.fire("b/w1", onset=(T0 - HOUR, T0))
    shown = view(world.state, world.incident())
    assert [(one.subject, one.model) for one in shown.members] == [
        ("feature:b/w1", "b"), ("source:weather", "a"), ("source:weather", "b"),
    ]  # fmt: skip
    assert shown.causes[0].node == "source:weather"
    world.give(msgspec.structs.replace(of_source("a", T0 + DAY), state="ok"), T0 + DAY)
    assert {one.model: one.state for one in view(world.state, world.incident()).members if one.rule != "psi"} == {
        "a": "clear", "b": "firing",
    }  # fmt: skip


def test_what_may_have_happened_stands_in_the_line_of_its_finding() -> None:
    world = World()
    world.fire("a/w0", window="day", evidence={"cause": "looks like °F sent where °C was: x -> 1.8 x + 32"})
    world.fire("a/w1", window="day")
    world.wait(HOUR)
    shown = message(world.state, world.incident(), world.todo()[0], now=world.now)
    assert [measured(member) for member in shown.members] == [
        "psi 0.4 (limit 0.25), n 1 000, window day; looks like °F sent where °C was: x -> 1.8 x + 32",
        "psi 0.4 (limit 0.25), n 1 000, window day",
    ]
