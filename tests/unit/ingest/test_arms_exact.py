"""Counts by version are those of the events of that version, whatever way they came and however they were divided.

Checked against plain Python that filters events by their version and shares no code with counting.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.evaluate.columns.arms import Versions, arm_of, versions_of
from stream.ingest import sheets
from stream.state.arms import ARMS
from stream.state.layout import EVENTS, LATE
from stream.state.packing import Partial, pack
from tests.support.arms import RELEASE, Events, Panes, counted, expected, held_by, one
from tests.support.ingest import HOUR, NOON, both

PLANS = both(release=RELEASE)
VALUES = st.none() | st.sampled_from([0.0, 0.001, 0.25, 0.5, 2.0, 60.0, 1.0, 99.0])
EVENT = st.fixed_dictionaries(
    {"model": st.sampled_from(["trees", "prices"]), "timestamp": st.sampled_from([NOON, NOON + 1, NOON - HOUR])},
    optional={
        "version": st.sampled_from(["3", 3, "4", 4, "5", "", None]),
        "latency_s": VALUES,
        "status": st.sampled_from(["success", "error", None]),
        "id": st.sampled_from(["a", "b", 7, "", None]),
        "input_tokens": VALUES,
        "prediction": st.fixed_dictionaries({}, optional={"score": VALUES}),
        "features": st.fixed_dictionaries({}, optional={"temp": VALUES | st.just("x")}),
        "rating": VALUES,
    },
)


@settings(max_examples=25, deadline=None)
@given(st.lists(EVENT, min_size=1, max_size=25), st.sampled_from([1, 7, 1000]), st.booleans())
def test_counts_by_version_are_the_counts_of_the_events_of_that_version(
    events: Events, at_once: int, as_batches: bool
) -> None:
    events = [{key: value for key, value in each.items() if key != "rating"} for each in events]
    records = batches(events) if as_batches else [json.dumps(each).encode() for each in events]
    panes = counted(PLANS["predictions"], records, at_once=at_once)
    assert panes.keys() == {(each["model"], each["timestamp"] // HOUR * HOUR) for each in events}
    for (model, start), (layout, partial) in panes.items():
        own = [each for each in events if (each["model"], each["timestamp"] // HOUR * HOUR) == (model, start)]
        assert int(partial.cells[EVENTS]) == len(own)
        assert int(partial.cells[LATE]) == 0
        names = [str(each["version"]) if each.get("version") is not None else None for each in own]
        by_name = (
            names.count("3"),
            names.count("4"),
            len(names) - sum(map(names.count, ("3", "4", None))),
            names.count(None),
        )
        assert versions_of(layout, partial) == Versions(*by_name)
        for name, version in zip(ARMS, ("3", "4"), strict=True):
            assert held_by(layout, partial, name) == expected(own, version, edges=(0.1, 0.5, 0.9))


def batches(events: Events) -> list[bytes]:
    """The same events as columnar batches, one a model."""
    found = []
    for model in dict.fromkeys(each["model"] for each in events):
        own = [each for each in events if each["model"] == model]
        keys = dict.fromkeys(key for each in own for key in each if key not in ("model", "features", "prediction"))
        batch: dict[str, Any] = {"model": model} | {key: [each.get(key) for each in own] for key in keys}
        batch["prediction"] = {"score": [(each.get("prediction") or {}).get("score") for each in own]}
        found.append(json.dumps(batch).encode())
    return found


def summed(*panes: Panes) -> dict[tuple[str, int], bytes]:
    total: dict[tuple[str, int], Partial] = {}
    for some in panes:
        for key, (_, partial) in some.items():
            total[key] = total[key] + partial if key in total else partial
    return {key: pack(partial) for key, partial in total.items()}


@settings(max_examples=15, deadline=None)
@given(st.lists(EVENT, min_size=2, max_size=25), st.randoms(use_true_random=False))
def test_any_division_over_partitions_and_any_order_adds_up_to_the_same_bytes(events: Events, chance: Random) -> None:
    plan = PLANS["serving"]
    values = [
        json.dumps(
            {k: v for k, v in each.items() if k in ("model", "timestamp", "version", "latency_s", "status", "rating")}
        ).encode()
        for each in events
    ]
    whole = summed(counted(plan, values))
    chance.shuffle(values)
    cut = chance.randrange(len(values))
    assert summed(counted(plan, values[cut:]), counted(plan, values[:cut])) == whole


@pytest.mark.parametrize("enough", [1, 10_000], ids=["whole columns", "row by row"])
def test_a_batch_counts_by_version_as_its_rows_do(enough: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "ENOUGH", enough)
    chance = Random(1)
    rows = 600
    batch: dict[str, Any] = {
        "model": "trees", "timestamp": [NOON + at + HOUR * (at % 3 == 0) for at in range(rows)],
        "version": [chance.choice(["3", 3, 4, "4", "x", None, 10**400]) for _ in range(rows)],
        "id": [chance.choice(["a", 5, "", None, f"u{at}", 10**400]) for at in range(rows)],
        "status": [chance.choice(["success", "error", None]) for _ in range(rows)],
        "latency_s": [chance.choice([None, 0.5, 1e9, 3]) for _ in range(rows)],
        "prediction": {"score": [chance.choice([None, chance.random()]) for _ in range(rows)]},
    }  # fmt: skip
    events = [
        {key: batch[key][at] for key in ("timestamp", "version", "id", "status", "latency_s")}
        | {"model": "trees", "prediction": {"score": batch["prediction"]["score"][at]}}
        for at in range(rows)
    ]  # fmt: skip
    plan = PLANS["predictions"]
    by_columns = summed(counted(plan, [json.dumps(batch).encode()]))
    assert by_columns == summed(counted(plan, [json.dumps(each).encode() for each in events]))
    assert len(by_columns) == 2


def test_one_version_for_a_whole_batch() -> None:
    value = {"model": "trees", "timestamp": [NOON, NOON + 1], "version": 4, "id": ["a", "b"], "status": "error"}
    layout, partial = one("predictions", [value])
    arm = arm_of(layout, partial, "challenger")
    assert (arm.requests, arm.errors, np.abs(arm.ids).sum()) == (2, 2, 2)
