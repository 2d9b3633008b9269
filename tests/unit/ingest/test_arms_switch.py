"""When a release begins, ends or gives way to another: at a boundary of panes, and nothing else changes."""

from __future__ import annotations

import json

import pytest

from schemas.config import InForce
from schemas.release import ReleaseMonitor
from stream.evaluate.columns.arms import Versions, arm_of, versions_of
from tests.support.arms import RELEASE, answered, counted
from tests.support.ingest import HOUR, NEW, NOON, OLD, Shelf, applied, monitor, place


def test_a_release_counts_from_its_boundary_on_and_the_one_before_up_to_it() -> None:
    before = monitor(release=ReleaseMonitor(champion="2", challenger="3"))
    force = InForce(
        reference=OLD, monitor=monitor(release=RELEASE), arms_from_ms=NOON + HOUR, arms_previous=(OLD, before)
    )
    values = [json.dumps(answered(v, timestamp=at)).encode() for v in ("2", "3", "4") for at in (NOON, NOON + HOUR)]
    plan = applied(trees=force)["predictions"]
    found = counted(plan, values)
    assert {start: versions_of(*pane) for (_, start), pane in found.items()} == {
        NOON: Versions(champion=1, challenger=1, other=1, none=0),
        NOON + HOUR: Versions(champion=1, challenger=1, other=1, none=0),
    }
    assert [pane[0].categorical[0].categories for _, pane in sorted(found.items())] == [("2", "3"), ("3", "4")]
    assert len({layout.hash for layout in plan.tables.layouts}) == 1  # what drift is judged by has not changed


@pytest.mark.parametrize(("now", "before"), [(RELEASE, None), (None, RELEASE)], ids=["begins", "ends"])
def test_a_release_begins_and_ends_at_a_boundary(now: ReleaseMonitor | None, before: ReleaseMonitor | None) -> None:
    force = InForce(
        reference=NEW,
        monitor=monitor(release=now),
        arms_from_ms=NOON + HOUR,
        arms_previous=(NEW, monitor(release=before)),
    )
    values = [json.dumps(answered("4", timestamp=at)).encode() for at in (NOON - HOUR, NOON, NOON + HOUR)]
    found = counted(applied(trees=force)["predictions"], values)
    assert [start for _, start in found] == ([NOON + HOUR] if now else [NOON - HOUR, NOON])


def test_a_pane_that_was_put_away_is_taken_up_again() -> None:
    plan = applied(trees=InForce(reference=OLD, monitor=monitor(release=RELEASE)))["predictions"]
    value = json.dumps(answered("4", latency_s=1)).encode()
    ((layout, stored),) = counted(plan, [value] * 3).values()
    shelf = Shelf({(0, layout.hash, NOON): stored})
    ((_, found),) = counted(plan, [value], shelf=shelf).values()
    assert arm_of(layout, found, "challenger").requests == 4
    assert {place(key)[1] for key in shelf.asked} == {layout.hash, plan.tables.layouts[0].hash}


def test_each_release_is_counted_in_panes_of_its_own_length() -> None:
    force = InForce(
        reference=OLD,
        monitor=monitor(release=RELEASE, pane_ms=HOUR // 2),
        from_ms=NOON,
        previous=(OLD, monitor(release=RELEASE)),
        arms_from_ms=NOON,
        arms_previous=(OLD, monitor(release=RELEASE)),
    )
    times = (NOON - HOUR // 4, NOON + 3 * HOUR // 4)
    found = counted(
        applied(trees=force)["predictions"], [json.dumps(answered("4", timestamp=at)).encode() for at in times]
    )
    assert sorted(start for _, start in found) == [NOON - HOUR, NOON + HOUR // 2]
