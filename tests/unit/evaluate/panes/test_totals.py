"""Cumulative sums of a model: each event once, exactly, however its pane was split or revised."""

from __future__ import annotations

import asyncio
import json
import math
from collections import Counter as Tally
from collections.abc import Sequence
from typing import Any

import pytest

from schemas.names import Stream
from stream.evaluate.panes import totals
from stream.evaluate.panes.totals import Summed, bins, total
from stream.state.columns import LATENCY_S, TOKENS
from stream.state.layout import Layout
from stream.state.packing import Partial, empty
from tests.support.ingest import HOUR, NOON, Stored, both, counter, event, partials, run, tenure

#: Two good requests and a failed one; ``temp`` is missing once, ``carrier`` once unseen, ``wide`` never sent.
EVENTS = [
    event(status="success", latency_s=0.1, input_tokens=10, features={"temp": 5.0, "carrier": "UA"}),
    event(status="success", latency_s=0.10001, input_tokens=11, features={"temp": None, "carrier": "XX"}),
    event(status="error", latency_s=90.0, features={"temp": math.inf, "carrier": "UA"}),
]


def counted(events: Sequence[bytes], *, stream: Stream = "predictions") -> tuple[Layout, Partial]:
    """The layout of ``trees`` and what one pane of these events holds."""
    plans, owner = both(), tenure(stream=stream)
    found = counter(plans)
    records = [Stored(value, offset, topic=stream) for offset, value in enumerate(events)]

    async def add() -> None:
        await found.add(run(records, owner), owner)
        await found.drain()

    asyncio.run(add())
    layout = next(layout for layout in plans[stream].tables.layouts if layout.model == "trees")
    return layout, partials(found, owner)["trees", NOON]


def test_a_pane_adds_its_events_statuses_latencies_and_features() -> None:
    layout, pane = counted(EVENTS)
    assert Summed(layout).increments(None, pane) == {
        "predictions:events": 3,
        "predictions:status:success": 2,
        "predictions:status:error": 1,
        "predictions:latency_s:0.075..0.1": 1,
        "predictions:latency_s:0.1..0.25": 1,
        "predictions:latency_s:60..": 1,
        # 0.1 s and 0.10001 s are 410 steps of 1/4096 s each; 90 s count as 64
        "predictions:latency_s:sum/4096": 410 + 410 + 64 * 4096,
        "predictions:input_tokens:0..10": 1,
        "predictions:input_tokens:10..20": 1,
        "predictions:input_tokens:sum/4": 4 * 21,
        "predictions:feature:temp:n": 1,
        "predictions:feature:temp:missing": 1,
        "predictions:feature:wide:missing": 3,
        "predictions:feature:score:missing": 3,
        "predictions:feature:carrier:n": 3,
        "predictions:feature:tail:missing": 3,
    }


def test_a_revised_pane_adds_what_it_gained_and_no_more() -> None:
    layout, first = counted(EVENTS[:1])
    _, whole = counted(EVENTS)
    gained = Summed(layout).increments(first, whole)
    assert gained["predictions:events"] == 2
    assert "predictions:latency_s:0.075..0.1" not in gained
    assert Tally(Summed(layout).increments(None, first)) + Tally(gained) == Tally(
        Summed(layout).increments(None, whole)
    )


def test_a_pane_merged_again_without_a_change_adds_nothing() -> None:
    layout, pane = counted(EVENTS)
    assert Summed(layout).increments(pane, pane) == {}


def test_the_newest_value_of_a_feature_is_that_of_its_newest_pane() -> None:
    layout, pane = counted(EVENTS)
    assert Summed(layout).latest(pane, NOON + HOUR) == {
        "predictions:last": NOON + HOUR,
        "predictions:feature:temp:last": NOON + HOUR,
        "predictions:feature:carrier:last": NOON + HOUR,
    }


@pytest.mark.parametrize("cells_at_once", [1, 10**9])
def test_panes_added_up_and_named_together_say_what_they_say_one_by_one(
    cells_at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(totals, "CELLS_AT_ONCE", cells_at_once)
    layout, first = counted(EVENTS[:2])
    _, second = counted(EVENTS[2:])
    summed = Summed(layout)
    found = summed.begun()
    for at, pane in enumerate((first, second, empty(layout.cells, len(layout.numeric))), start=1):
        found.add(pane, pane_end=NOON + at * HOUR)
    increments, latest = found.told()
    assert Tally(increments) == Tally(summed.increments(None, first)) + Tally(summed.increments(None, second))
    assert increments["predictions:events"] == 3
    assert latest == {
        "predictions:last": NOON + 2 * HOUR,
        "predictions:feature:temp:last": NOON + HOUR,
        "predictions:feature:carrier:last": NOON + 2 * HOUR,
    }
    assert summed.begun().told() == ({}, {})


def test_a_feature_event_is_of_its_feature_alone() -> None:
    value = {"feature": "temp", "source": "feed", "timestamp": NOON, "values": [1.0, None, 2.0]}
    layout, pane = counted([json.dumps(value).encode()], stream="features")
    assert Summed(layout).increments(None, pane) == {
        "features:events": 3,
        "features:feature:temp:n": 2,
        "features:feature:temp:missing": 1,
    }


def test_every_bound_of_the_fixed_columns_is_read_back_as_it_was_written() -> None:
    written: dict[str, Any] = {"latency_s": LATENCY_S, "input_tokens": TOKENS}
    bounds = {column: [math.nextafter(edge, -math.inf) for edge in edges] for column, edges in written.items()}
    events = [
        event(**{column: bound}) for column, found in bounds.items() for bound in found
    ]  # a value equal to a bound lies below it
    layout, pane = counted(events)
    totals = Summed(layout).increments(None, pane)
    for column, found in bounds.items():
        assert bins(totals, "predictions", column=column) == dict.fromkeys(found, 1)
    assert total(totals, "predictions", column="input_tokens") == sum(bounds["input_tokens"])
    # 60 s and less are exact to half a step each
    assert abs(total(totals, "predictions", column="latency_s") - sum(bounds["latency_s"])) <= len(LATENCY_S) / 8192


def test_a_bin_that_a_later_release_divided_stays_below_its_own_bound() -> None:
    totals = {"serving:latency_s:0.1..0.5": 4, "serving:latency_s:0.1..0.25": 1, "serving:latency_s:0.25..0.5": 2}
    assert bins(totals, "serving", column="latency_s") == {0.5: 6, 0.25: 1}


def test_features_whose_names_look_like_fields_are_kept_apart() -> None:
    totals = {"serving:latency_s:sum/4096": 4096, "predictions:feature:latency_s:0.1..0.5:n": 7}
    assert bins(totals, "predictions", column="latency_s") == {}
    assert total(totals, "serving", column="latency_s") == 1.0
