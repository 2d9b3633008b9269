"""Accepted, late, too late, from the future: exact cases, in milliseconds.

``trees`` has panes of an hour, ten minutes of lateness and a day for revisions; Kafka's clock may differ by five minutes.
"""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest

from schemas.config import InForce
from stream.ingest.buffer import Rejection
from stream.ingest.plan import StreamPlan
from stream.ingest.tenure import Tenure
from stream.ingest.timing import NEVER, judge
from tests.support.ingest import (
    HOUR,
    NEW,
    NOON,
    OLD,
    Stored,
    applied,
    both,
    counter,
    event,
    monitor,
    partials,
    run,
    tenure,
)

MINUTE = 60_000
DAY = 24 * HOUR


def counted(
    values: list[tuple[bytes, int]], *, owner: Tenure | None = None, found: dict[str, StreamPlan] | None = None
) -> tuple[Tenure, dict[tuple[str, int], int], list[tuple[int, str]]]:
    """(value, Kafka's time) counted in order: the tenure, events by pane, and (offset, reason) of what was refused."""
    refused: list[Rejection] = []
    counting = counter(found or both(), refused=refused)
    owner = owner or tenure(clock=NEVER)
    records = [Stored(value, offset, time) for offset, (value, time) in enumerate(values)]

    async def count() -> None:
        await counting.add(run(records, owner), owner)
        await counting.drain()

    asyncio.run(count())
    panes = {key: int(partial.cells[1]) for key, partial in partials(counting, owner).items()}
    return owner, panes, [(r.record.offset, r.reason) for r in refused]


def at(time: float | str, *, kafka: int | None = None, model: str = "trees") -> tuple[bytes, int]:
    return event(model=model, timestamp=time), kafka if kafka is not None else int(time)


def control(time: int, *, kafka: int | None = None) -> tuple[bytes, int]:
    return json.dumps({"control": "watermark", "timestamp": time}).encode(), time if kafka is None else kafka


def late_panes(owner: Tenure) -> set[int]:
    return {pane.start_ms for pane in owner.panes.values() if pane.late}


@pytest.mark.parametrize(("ahead", "refused"), [(300_000, []), (300_001, [(0, "future")])])
def test_the_future_begins_five_minutes_after_the_records_own_time(ahead: int, refused: list[tuple[int, str]]) -> None:
    owner, _, found = counted([at(NOON + ahead, kafka=NOON)])
    assert (found, owner.clock) == (refused, NEVER if refused else NOON + ahead)


@pytest.mark.parametrize(("clock", "late"), [(HOUR + 10 * MINUTE - 1, set()), (HOUR + 10 * MINUTE, {NOON})])
def test_late_is_what_comes_when_the_watermark_has_reached_the_panes_end(clock: int, late: set[int]) -> None:
    owner, panes, refused = counted([at(NOON + clock), at(NOON + 5)])
    assert (late_panes(owner), panes[("trees", NOON)], refused) == (late, 1, [])


@pytest.mark.parametrize(
    ("clock", "refused"), [(DAY + HOUR + 10 * MINUTE - 1, []), (DAY + HOUR + 10 * MINUTE, [(1, "too_late")])]
)
def test_too_late_is_what_its_pane_ended_a_day_before_the_watermark(clock: int, refused: list[tuple[int, str]]) -> None:
    owner, panes, found = counted([at(NOON + clock), at(NOON + 5)])
    assert found == refused
    assert panes.get(("trees", NOON)) == (None if refused else 1)
    assert owner.clock == NOON + clock


def test_an_event_does_not_make_itself_late() -> None:
    owner, _, _ = counted([at(NOON), at(NOON + 3 * DAY)])
    assert late_panes(owner) == set()


def test_a_refused_event_from_the_future_makes_nothing_late() -> None:
    owner, panes, refused = counted([at(NOON + 9 * DAY, kafka=NOON), at(NOON)])
    assert (owner.clock, panes, refused, late_panes(owner)) == (NOON, {("trees", NOON): 1}, [(0, "future")], set())


def test_a_fraction_of_a_millisecond_is_cut_off_and_a_text_is_read() -> None:
    owner, panes, _ = counted([at(NOON - 0.5, kafka=NOON), at("2013-01-01T05:00:00.0019-05:00", kafka=NOON)])
    assert (panes, owner.clock) == ({("trees", NOON - HOUR): 1, ("trees", NOON): 1}, NOON + 1)


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        ("2013-01-01T10:00:00", "wrong_type"),
        (str(NOON), "wrong_type"),
        (1e300, "out_of_range_time"),
        (4e12 + 1, "out_of_range_time"),
        (1357034400, "seconds_time"),
        (-1, "seconds_time"),
    ],
)
def test_a_time_that_cannot_be_read_refuses_its_own_event_only(time: float | str, reason: str) -> None:
    owner, panes, refused = counted([at(NOON), at(time, kafka=NOON), at(NOON + 1)])
    assert (panes, refused, owner.clock) == ({("trees", NOON): 2}, [(1, reason)], NOON + 1)


def test_an_event_of_an_unknown_model_moves_the_clock_and_is_refused_once() -> None:
    owner, panes, refused = counted([at(NOON + 2 * HOUR, model="strangers"), at(NOON)])
    assert (owner.clock, panes, refused) == (NOON + 2 * HOUR, {("trees", NOON): 1}, [(0, "unknown_model")])
    assert late_panes(owner) == {NOON}


def test_an_unknown_model_from_the_future_moves_nothing() -> None:
    owner, _, refused = counted([at(NOON + HOUR, kafka=NOON, model="strangers")])
    assert (owner.clock, refused) == (NEVER, [(0, "unknown_model")])


def test_a_control_record_sets_the_watermark_without_lateness_and_leaves_the_clock() -> None:
    owner, _, refused = counted([at(NOON), control(NOON + HOUR), at(NOON + 1)])
    assert (owner.clock, owner.closed, late_panes(owner), refused) == (NOON + 1, NOON + HOUR, {NOON}, [])


def test_the_watermark_of_control_records_never_goes_back() -> None:
    owner, _, _ = counted([control(NOON + HOUR), control(NOON)])
    assert owner.closed == NOON + HOUR


def test_a_control_record_from_the_future_is_refused() -> None:
    owner, _, refused = counted([control(NOON + 300_001, kafka=NOON), at(NOON)])
    assert (owner.closed, refused, late_panes(owner)) == (NEVER, [(0, "future")], set())


def test_what_was_stored_of_clock_and_watermark_holds_on() -> None:
    owner, _, _ = counted([at(NOON)], owner=tenure(clock=NOON + 2 * HOUR, closed=NOON))
    assert (owner.clock, owner.closed, late_panes(owner)) == (NOON + 2 * HOUR, NOON, {NOON})


def test_verdicts_of_no_event_leave_the_clock() -> None:
    none = np.zeros(0, np.int64)
    assert judge(none, none, clock=7, closed=NEVER, pane_end=none, lateness=none, keep=none, skew_ms=0).clock == 7


def test_rows_before_a_switch_are_counted_in_the_previous_layout() -> None:
    """The same instant decides in every stream: panes that begin at ``from_ms`` or later are the new layout's."""
    switch = NOON + HOUR
    found = applied(trees=InForce(reference=NEW, monitor=monitor(), from_ms=switch, previous=(OLD, monitor())))
    owner, _, _ = counted([at(switch - 1), at(switch), at(switch - 2)], found=found)
    old, new = (found["predictions"].tables.layouts[number] for number in (1, 0))
    assert {(len(column.edges)) for column in old.numeric if column.key == ("temp", "features.temp")} == {3}
    assert set(owner.panes) == {(old.hash, NOON), (new.hash, switch)}


def test_a_switch_of_the_panes_length_cuts_each_side_by_its_own() -> None:
    switch = NOON + HOUR
    short = monitor(pane_ms=MINUTE)
    found = applied(trees=InForce(reference=OLD, monitor=short, from_ms=switch, previous=(OLD, monitor())))
    owner, _, _ = counted([at(switch - 1), at(switch + MINUTE + 7)], found=found)
    assert {(pane.start_ms, pane.layout.pane_ms) for pane in owner.panes.values()} == {
        (NOON, HOUR),
        (switch + MINUTE, MINUTE),
    }


def test_without_a_previous_layout_rows_before_the_switch_are_counted_in_the_new_one() -> None:
    found = applied(trees=InForce(reference=OLD, monitor=monitor(), from_ms=NOON + HOUR))
    _, panes, _ = counted([at(NOON)], found=found)
    assert panes == {("trees", NOON): 1}
