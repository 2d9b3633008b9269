"""How a finding joins: by subject, onset, tail or continuation, in this order, and never by when it was detected."""

from __future__ import annotations

import dataclasses

import pytest

from alerting.document import view
from alerting.lineage import Lineage
from alerting.step import step
from schemas.actions import Resolve
from schemas.findings import Kind, Severity
from schemas.monitored import SourceMonitor
from tests.unit.alerting.world import DAY, HOUR, LINEAGE, MINUTE, T0, World, finding, policy, progress

WEEK = 7 * DAY


def joined(world: World) -> dict[str, list[str]]:
    """By incident, in order of their beginning: how each finding came to it."""
    return {i.id: [m.joined_by for m in i.members.values()] for i in world.state.incidents.values()}


def ways(world: World) -> list[list[str]]:
    """The same without ids."""
    return list(joined(world).values())


def test_the_lineage_runs_from_upstream_sources_to_models_with_lags() -> None:
    above = LINEAGE.above("model:b")
    assert {"source:noaa", "source:weather", "source:tickets", "feature:b/t0", "model:b"} <= set(above)
    assert (above["source:noaa"].hi, above["source:noaa"].hops) == (HOUR + MINUTE + 2 * MINUTE, 3)
    assert LINEAGE.below("source:tickets") >= {"feature:b/t0", "feature:c/t0", "model:b", "model:c"}
    assert "model:a" not in LINEAGE.below("source:tickets")


def test_sources_in_a_circle_are_refused_with_the_circle() -> None:
    circle = {"x": SourceMonitor(upstream=("y",)), "y": SourceMonitor(upstream=("x",))}
    with pytest.raises(ValueError, match="source:x <- source:y <- source:x"):
        Lineage.of({}, circle)


def test_onsets_that_overlap_join_and_the_anchor_becomes_the_intersection() -> None:
    world = World()
    world.fire("a/w0", onset=(T0 - 2 * HOUR, T0))
    before = world.state.incidents[world.incident()].anchor["source:weather"]
    world.fire("b/w1", T0 + 5 * HOUR, onset=(T0 - HOUR, T0 - HOUR // 2))
    after = world.state.incidents[world.incident()].anchor["source:weather"]
    assert ways(world) == [["first", "onset"]]
    assert before == (T0 - 2 * HOUR - 6 * MINUTE, T0 + 5 * MINUTE)
    assert after == (T0 - HOUR - 6 * MINUTE, T0 - HOUR // 2 + 5 * MINUTE)


def test_an_anchor_keeps_two_panes() -> None:
    world = World()
    world.fire("a/w0", onset=(T0 - HOUR, T0 - 30 * MINUTE))
    world.fire("b/w1", onset=(T0 - 19 * MINUTE, T0 - 10 * MINUTE))
    [incident] = world.state.incidents.values()
    lo, hi = incident.anchor["source:weather"]
    assert (ways(world), hi - lo) == ([["first", "onset"]], MINUTE)
    assert hi == T0 - 25 * MINUTE


def test_a_gap_of_half_the_findings_own_width_joins_as_a_tail_and_one_more_does_not() -> None:
    # Anchor of source:weather ends at T0 + 5 min; the finding's begins 6 min before its onset.
    for gap, expected in ((30 * MINUTE, [["first", "tail"]]), (30 * MINUTE + 2, [["first"], ["first"]])):
        world = World()
        world.fire("a/w0", onset=(T0 - MINUTE, T0), severity="P1")
        lo = (
            T0 + 5 * MINUTE + 66 * MINUTE + gap
        )  # source:noaa, whose lag is an hour more, is the candidate nearest in time.
        world.fire("b/w1", lo + HOUR, onset=(lo, lo + HOUR), severity="P1")
        assert ways(world) == expected
        anchor = next(iter(world.state.incidents.values())).anchor
        assert anchor["source:weather"] == (T0 - MINUTE - 6 * MINUTE, T0 + 5 * MINUTE)


def long_window(kind: Kind = "drift") -> World:
    """A day's window opens a P2 on a feature; three weeks on a longer window says the same of it."""
    world = World()
    world.fire("a/w0", onset=(T0 - HOUR, T0), window="day")
    world.wait(HOUR)
    world.send()
    world.reach(T0 + 3 * WEEK)
    world.fire("a/w0", window="long", onset=(T0 + 2 * WEEK, T0 + 3 * WEEK - DAY), severity="P1", kind=kind)
    return world


def test_a_longer_window_of_the_same_symptom_joins_and_rings_as_a_worsening() -> None:
    world = long_window()
    anchor = world.state.incidents[world.incident()].anchor["source:weather"]
    world.send()
    assert ways(world) == [["first", "subject"]]
    assert anchor == (T0 - HOUR - 6 * MINUTE, T0 + 5 * MINUTE)
    assert [address for address, _ in world.vendors.rings] == ["slack:#p2", "slack:#p1"]
    assert view(world.state, world.incident()).severity == "P1"


def test_the_incident_of_the_subject_comes_before_one_whose_onset_fits() -> None:
    """The score's incident is downstream of everything: a week's window must not go there for its later onset."""
    world = World()
    world.fire("a/w0", onset=(T0 - HOUR, T0), window="day")
    world.fire("a", T0 + DAY, severity="P1", onset=(T0 + DAY - HOUR, T0 + DAY))
    weather, score = world.state.incidents
    world.wait(MINUTE)
    world.send()
    world.fire("a/w0", window="week", onset=(T0 + DAY - 2 * HOUR, T0 + DAY))
    assert joined(world) == {weather: ["first", "subject"], score: ["first"]}
    assert world.state.incidents[weather].anchor["source:weather"] == (T0 - HOUR - 6 * MINUTE, T0 + 5 * MINUTE)


def test_a_further_window_whose_onset_fits_narrows_the_anchor() -> None:
    world = World()
    world.fire("a/w0", onset=(T0 - 2 * HOUR, T0), window="day")
    world.fire("a/w0", onset=(T0 - HOUR, T0 + HOUR), window="week")
    assert ways(world) == [["first", "subject"]]
    assert world.state.incidents[world.incident()].anchor["source:weather"] == (T0 - HOUR - 6 * MINUTE, T0 + 5 * MINUTE)


def test_the_incident_of_the_subject_is_found_after_its_anchor_has_left_the_subject_behind() -> None:
    """A tail joins by one shared candidate, and a later finding may leave only the others."""
    world = World()
    world.fire("b", onset=(T0 - MINUTE, T0), severity="P1")
    gap = 6 * MINUTE + 66 * MINUTE
    world.fire("b/w1", T0 + 4 * HOUR, onset=(T0 + gap, T0 + gap + 4 * HOUR), severity="P1")
    world.fire("b/t0", onset=(T0 - MINUTE, T0), severity="P1")
    [incident] = world.state.incidents.values()
    assert "source:tickets" in incident.anchor
    assert not [node for node in incident.anchor if node in ("source:weather", "source:noaa", "feature:b/w1")]
    world.fire("b/w1", window="week", onset=(T0 + WEEK, T0 + WEEK + HOUR), severity="P1")
    assert ways(world) == [["first", "tail", "onset", "subject"]]


def test_another_class_on_the_same_subject_does_not() -> None:
    assert ways(long_window(kind="error")) == [["first"], ["first"]]


def test_a_subject_that_was_clear_for_a_hold_draws_nothing_in() -> None:
    world = World()
    world.fire("a/w0", onset=(T0 - HOUR, T0), window="day")
    world.fire("a/w1", onset=(T0 - HOUR, T0))
    world.wait(MINUTE)
    world.clear("a/w0", window="day")
    world.reach(T0 + WEEK)
    world.fire("a/w0", window="day", severity="P1", onset=(T0 + WEEK - MINUTE, T0 + WEEK))
    assert ways(world) == [["first", "onset"], ["first"]]


def test_a_continuation_needs_three_subjects_a_shared_source_and_a_mild_finding() -> None:
    later = T0 + WEEK
    cases: tuple[tuple[int, Severity, str, list[list[str]]], ...] = (
        (3, "P2", "b/w5", [["first", "onset", "onset", "continuation"]]),
        (3, "P3", "b/w5", [["first", "onset", "onset", "continuation"]]),
        (3, "P1", "b/w5", [["first", "onset", "onset"], ["first"]]),
        (2, "P2", "b/w5", [["first", "onset"], ["first"]]),
        (3, "P2", "b/t0", [["first", "onset", "onset"], ["first"]]),
        (3, "P2", "b", [["first", "onset", "onset"], ["first"]]),
    )
    for count, severity, subject, expected in cases:
        world = World()
        for number in range(count):
            world.fire(f"a/w{number}", onset=(T0 - HOUR, T0))
        world.give(finding(subject, later, severity=severity, onset=(later - MINUTE, later)), later)
        assert ways(world) == expected, (count, severity, subject)


def test_a_new_incident_on_a_feed_that_has_one_is_linked_to_it() -> None:
    world = World()
    world.fire("a/w0", onset=(T0 - HOUR, T0))
    world.fire("b/w1", T0 + WEEK, onset=(T0 + WEEK - MINUTE, T0 + WEEK), severity="P1")
    first, second = world.state.incidents.values()
    assert (first.links, second.links) == ((), (first.id,))


def test_told_incidents_are_never_merged_a_bridge_links_them() -> None:
    world = World()
    world.fire("a/w0", onset=(T0 - 4 * HOUR, T0 - 4 * HOUR), severity="P1")
    world.fire("b/w1", onset=(T0, T0), severity="P1")
    world.wait(MINUTE)
    world.send()
    world.fire("c/w2", onset=(T0 - 4 * HOUR, T0), severity="P1")
    first, second = world.state.incidents.values()
    assert ways(world) == [["first", "onset"], ["first"]]
    assert second.id in first.links
    assert first.live
    assert second.live


def test_above_the_cap_one_overflow_incident_takes_what_would_begin_another() -> None:
    world = World(policy(cap=1))
    world.fire("a/w0", onset=(T0 - HOUR, T0))
    world.fire("b/t0", onset=(T0 - HOUR, T0))
    world.fire("a", T0 + WEEK, severity="P1", onset=(T0 + WEEK, T0 + WEEK))
    world.fire("c", T0 + WEEK, severity="P0", onset=(T0 + WEEK, T0 + WEEK))
    assert ways(world) == [["first"], ["first", "overflow", "overflow"]]
    overflow = list(world.state.incidents.values())[1]
    assert (overflow.overflow, overflow.severity) == (True, "P0")


def test_the_same_verdict_after_its_incident_ended_gets_an_id_of_its_own() -> None:
    world = World()
    world.fire("a/w0", T0)
    world.give(Resolve(incident=world.incident(), by="ann", at=T0))
    world.give(finding("a/w0", T0, rev=(T0, 1), severity="P1"))
    first, second = world.state.incidents
    assert second == f"{first}-2"


def test_a_step_shares_what_it_does_not_change() -> None:
    world = World()
    world.fire("a/w0", onset=(T0 - HOUR, T0))
    world.fire("a/w1", onset=(T0 - HOUR, T0))
    world.fire("b/t0", onset=(T0 - HOUR, T0))
    before = world.state
    first, second = before.incidents.values()
    after = step(before, finding("a/w0", T0 + 1, onset=(T0 - HOUR, T0)), T0 + 1)
    assert after.incidents[second.id] is second
    assert after.incidents[first.id].members["psi|feature:a/w1||"] is first.members["psi|feature:a/w1||"]
    assert after.incidents[first.id].members["psi|feature:a/w0||"] is not first.members["psi|feature:a/w0||"]
    assert (after.entries, after.models["b"]) == (before.entries, before.models["b"])
    assert after.models["b"] is before.models["b"]
    moved = step(after, progress("b", T0 + 1), T0 + 1)
    assert moved.incidents is after.incidents
    with pytest.raises(dataclasses.FrozenInstanceError):
        before.now = 0  # type: ignore[misc]
