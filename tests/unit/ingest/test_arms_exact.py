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

from stream.evaluate.columns.arms import Arm, Versions, arm_of, versions_of
from stream.ingest import sheets
from stream.state.arms import ARMS
from stream.state.layout import EVENTS, LATE, Layout
from stream.state.packing import Partial, pack
from tests.support.arms import RELEASE, Events, Panes, counted, one
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


def expected(events: Events, version: str) -> dict[str, Any]:
    """By plain Python, what an arm holds of these events."""
    own = [each for each in events if str(each.get("version")) == version]
    latencies = [each.get("latency_s") for each in own]
    scores = [(each.get("prediction") or {}).get("score") for each in own]
    numbers = [value for value in latencies if value is not None]
    held = [value for value in scores if value is not None]
    rounded = [round(max(-64, min(64, value)) * 4096) for value in numbers]
    return {
        "requests": len(own),
        "errors": sum(each.get("status") == "error" for each in own),
        "latency": (
            len(numbers),
            sum(rounded) / 4096,
            sum(q * q for q in rounded) / 4096**2,
            len(latencies) - len(numbers),
        ),
        "scores": [
            sum(low <= value < high for value in held)
            for low, high in ((-9e9, 0.1), (0.1, 0.5), (0.5, 0.9), (0.9, 9e9))
        ],
        "ids": sum(each.get("id") not in (None, "") for each in own),
    }


def found_of(arm: Arm, ids: int) -> dict[str, Any]:
    latency = arm.latency_s
    return {
        "requests": arm.requests,
        "errors": arm.errors,
        "latency": (latency.n, latency.total, latency.squares, latency.missing),
        "scores": arm.score.counts.tolist(),
        "ids": ids,
    }


def ids_in(layout: Layout, partial: Partial, arm: str) -> int:
    at = next(at for at, column in enumerate(layout.categorical) if column.name == f"{arm}.ids")
    first = layout.categorical_starts[at]
    return int(partial.cells[first : first + layout.categorical[at].bins].sum())


@settings(max_examples=60, deadline=None)
@given(st.lists(EVENT, min_size=1, max_size=40), st.sampled_from([1, 7, 1000]), st.booleans())
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
            arm = arm_of(layout, partial, name)
            assert found_of(arm, ids_in(layout, partial, name)) == expected(own, version)


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


@settings(max_examples=30, deadline=None)
@given(st.lists(EVENT, min_size=2, max_size=40), st.randoms(use_true_random=False))
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
