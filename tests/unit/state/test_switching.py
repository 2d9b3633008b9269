"""When a release begins, changes or ends: it changes over at a boundary of panes by itself, and streams' panes stay as they are."""

from __future__ import annotations

from typing import Any

from schemas.config import InForce
from schemas.release import ReleaseMonitor
from stream.state.arms import arms_layout, is_of_arms
from stream.state.columns import layouts_of
from stream.state.switching import Standing, Switch, Version, changed_over
from tests.support.models import HOUR, monitor, numeric, reference

CLOCK = 10 * HOUR + 1
FIRST = ReleaseMonitor(champion="1", challenger="2")
SECOND = ReleaseMonitor(champion="2", challenger="3")


def version(
    release: ReleaseMonitor | None = None, *, edges: tuple[float, ...] = (0.0, 20.0), **changed: Any
) -> Version:
    of = reference(temp=numeric(*edges))
    found = monitor().model_copy(update={"release": release} | changed)
    layouts = layouts_of("m", found, of, digest=of.hash)
    arms = {stream: arms_layout(layout, release) for stream, layout in layouts.items()}
    return Version(
        of.hash, found, {stream: layout.hash for stream, layout in layouts.items()},
        {stream: layout.hash for stream, layout in arms.items() if layout is not None},
    )  # fmt: skip


def switches(force: InForce) -> tuple[int | None, int | None]:
    return force.from_ms, force.arms_from_ms


def test_a_release_leaves_the_panes_of_its_streams_alone() -> None:
    assert version().layouts == version(FIRST).layouts == version(SECOND).layouts
    assert (version().arms, sorted(version(FIRST).arms)) == ({}, ["labels", "predictions", "serving"])


def test_limits_and_shares_are_no_other_layout() -> None:
    patient = FIRST.model_copy(update={"least": 7, "shares": (1.0,), "every_ms": 5 * HOUR, "errors": 0.5})
    assert version(patient).arms == version(FIRST).arms
    force = changed_over(version(patient), Standing(version(FIRST)), clock_ms=CLOCK)
    assert switches(force) == (None, None)


def test_a_release_begins_a_whole_pane_after_the_greatest_clock() -> None:
    force = changed_over(version(FIRST), Standing(version()), clock_ms=CLOCK)
    assert (*switches(force), force.previous) == (None, 12 * HOUR, None)
    assert force.arms_previous == version().pair


def test_before_the_first_event_it_holds_for_everything() -> None:
    assert switches(changed_over(version(FIRST), Standing(version()), clock_ms=None)) == (None, None)
    assert switches(changed_over(version(FIRST), Standing(None), clock_ms=CLOCK)) == (None, None)


def test_another_release_follows_and_the_one_before_counts_up_to_the_boundary() -> None:
    standing = Standing(version(FIRST), arms=Switch(version(), 2 * HOUR))
    force = changed_over(version(SECOND), standing, clock_ms=CLOCK)
    assert (*switches(force), force.arms_previous) == (None, 12 * HOUR, version(FIRST).pair)
    ended = changed_over(version(), standing, clock_ms=CLOCK)
    assert (*switches(ended), ended.arms_previous) == (None, 12 * HOUR, version(FIRST).pair)


def test_one_that_never_came_into_force_is_passed_over() -> None:
    standing = Standing(version(FIRST), arms=Switch(version(), 12 * HOUR))
    force = changed_over(version(SECOND), standing, clock_ms=CLOCK)
    assert (force.arms_from_ms, force.arms_previous) == (12 * HOUR, version().pair)
    taken_back = changed_over(version(), standing, clock_ms=CLOCK)
    assert (taken_back.arms_from_ms, taken_back.arms_previous) == (None, None)


def test_a_feature_more_leaves_a_release_alone_and_another_reference_does_not() -> None:
    before = Switch(version(), 2 * HOUR)
    features = {name: feature for name, feature in monitor().features.items() if name != "temp"}
    fewer = changed_over(version(FIRST, features=features), Standing(version(FIRST), arms=before), clock_ms=CLOCK)
    assert (*switches(fewer), fewer.arms_previous) == (12 * HOUR, 2 * HOUR, version().pair)
    rebuilt = changed_over(version(FIRST, edges=(0.0, 5.0)), Standing(version(FIRST), arms=before), clock_ms=CLOCK)
    assert switches(rebuilt) == (12 * HOUR, 12 * HOUR)


def test_layouts_of_arms_are_told_apart_from_those_of_streams() -> None:
    of = reference()
    for layout in layouts_of("m", monitor(), of, digest=of.hash).values():
        assert not is_of_arms(layout)
        found = arms_layout(layout, FIRST)
        assert (found is None) == (layout.stream == "features")
        assert found is None or (is_of_arms(found) and found.hash != layout.hash)
