"""A columnar batch counts as its rows would: by columns or row by row, everything that is left of it is the same bit by bit.

Thousands of batches, most of them wrong somewhere, go through the decoder as it is and through one that leaves every batch to
the strict contract: rows, refusals and their order, panes, clocks, dead letters, versions and the names that are learned.
"""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.config import InForce
from schemas.gpus import Sampled
from schemas.names import Stream
from schemas.wire import PredictionPart
from stream.ingest import doubt, sheets
from stream.ingest.batch import Batches
from stream.ingest.buffer import SAMPLE, Buffer, Rejection
from stream.ingest.plan import StreamPlan
from stream.records import Records
from tests.support.arms import RELEASE
from tests.support.ingest import HOUR, NEW, NOON, OLD, Stored, applied, both, counter, monitor, run, tenure
from tests.support.mutation import batch_mutant
from tests.support.two_paths import by_contract, decoded

TIMES = [NOON, NOON + 1, NOON + HOUR, NOON + 7]
BATCHES: dict[Stream, tuple[dict[str, Any], ...]] = {
    "predictions": (
        {
            "model": "trees", "version": ["3", 3, None, "4"], "id": ["a", 2, "c", None], "timestamp": TIMES,
            "features": {
                "temp": [3.5, None, 7, -0.0], "wide": [1, 2, 3, 4], "score": 1.5, "gust": [1, 2, 3, 4],
                "carrier": ["UA", None, 7, True], "tail": ["N1", "N2", "N1", 2.5],
            },
            "prediction": {"score": [0.25, None, 0.75, 1], "label": ["yes", "no", 1, None], "confidence": 0.5},
            "latency_s": [0.1, 0.2, None, 3], "status": ["success", "error", None, "success"], "service": "api",
            "segments": {"origin": ["EWR", None, 7, "JFK"]}, "input_tokens": [1, 2, 3, 4], "note": ["x", 1, None, 2.5],
        },
        {"model": "prices", "timestamp": [float(time) for time in TIMES], "features": {"temp": [3, 4, 5, 6]},
         "prediction": {"value": [9.5, 1, 2, 3], "label": 7}, "version": 4},
    ),
    "labels": (
        {"model": "trees", "id": ["a", "b", 3, "d"], "timestamp": TIMES, "outcome": [0, 1, "yes", None],
         "metrics": {"delay": [4.5, None, 1, 2]}, "version": [3, "4", "x", None], "rating": [1, 2.5, None, 4]},
        {"model": "prices", "id": None, "timestamp": TIMES, "outcome": [12.5, 1, 2, 3], "score": [0.5, 1, 0, 0.25],
         "rating": 4},
    ),
    "features": (
        {"feature": "temp", "source": "w", "timestamp": TIMES, "values": [3.5, None, 7, 100.0]},
        {"feature": "carrier", "source": "w", "timestamp": ["2013-01-01T10:00:00Z", NOON + HOUR, NOON, NOON + 0.5],
         "values": ["UA", None, 7, "ZZ"]},
    ),
    "serving": (
        {"model": "trees", "timestamp": TIMES, "status": ["success", "error", "error", None],
         "latency_s": [0.5, 0.1, None, 2], "input_tokens": [3, 7, 100, 2], "output_tokens": [3, 4, 5, 6], "host": "h",
         "version": ["4", 3, "5", 4], "rating": [4, None, 1, 5]},
        {"model": "prices", "timestamp": TIMES, "gpu": ["0", 1, None, "2"], "perplexity": [7.5, 1, 2, 3],
         "metrics": {"a": [1, 2, 3, None]}},
    ),
}  # fmt: skip
STREAMS: tuple[Stream, ...] = tuple(BATCHES)
PLANS = both(duplicates=0.01, release=RELEASE)


def row_by_row(plan: StreamPlan) -> StreamPlan:
    """The plan with every batch left to the contract."""
    decoder = plan.decoder
    return replace(plan, decoder=replace(decoder, batches=Batches(decoder.stream, decoder.shapes, {}, {})))


def left(plan: StreamPlan, values: list[bytes], *, lateness: int = 0) -> dict[str, Any]:
    """All that is left of these records; their Kafka timestamp lies an hour after noon, and noon's pane is over by ``lateness``."""
    stream = plan.decoder.stream
    refused: list[Rejection] = []
    samples: list[Sampled] = []
    owner, counting = tenure(stream=stream), counter({stream: plan}, refused=refused, sampled=samples)
    owner.clock = NOON + HOUR + 600_000 + lateness

    async def count() -> None:
        for offset, value in enumerate(values):
            await counting.add(run([Stored(value, offset, NOON + HOUR)], owner), owner)
        await counting.drain()

    asyncio.run(count())
    found = {(pane.layout.hash, pane.start_ms): counting.rooms.content(pane) for pane in owner.panes.values()}
    return {
        "partials": {key: (p.cells.tobytes(), p.sums.tobytes(), p.extrema.tobytes()) for key, p in found.items()},
        "late": {(pane.layout.model, pane.start_ms) for pane in owner.panes.values() if pane.late},
        "events": (counting.events, counting.late),
        "clocks": (owner.clock, owner.closed, owner.read, owner.counted),
        "letters": [(r.record.offset, r.reason, r.field, r.detail, r.index) for r in refused],
        "samples": samples,
        "versions": plan.decoder.versions.drained(),
        "learned": plan.decoder.strangers.taught(plan.decoder.shapes),
    }


def fresh(stream: Stream) -> tuple[StreamPlan, StreamPlan]:
    """The plan, and the one that reads row by row; neither has seen anything yet."""
    return both(release=RELEASE)[stream], row_by_row(both(release=RELEASE)[stream])


def is_taken(plan: StreamPlan, value: bytes) -> bool:
    buffer, owner = Buffer(), tenure(stream=plan.decoder.stream)
    plan.decoder.decode_run(Records.of([Stored(value)]), owner, into=buffer)
    return bool(buffer.slabs)


@pytest.mark.parametrize("stream", STREAMS)
def test_damaged_batches_come_out_the_same_by_columns_and_by_rows(stream: Stream) -> None:
    chance, plan, taken = Random(20130101), PLANS[stream], 0
    for _ in range(1500):
        value = batch_mutant(chance.choice(BATCHES[stream]), chance)
        assert decoded(plan, value) == by_contract(plan, stream, value), value
        taken += is_taken(plan, value)
    assert 500 < taken < 1300  # else the mutations are too wild, or too tame, to say anything


@pytest.mark.parametrize("enough", [1, 10_000], ids=["whole columns", "row by row"])
@pytest.mark.parametrize("stream", STREAMS)
def test_damaged_batches_leave_the_same_behind(stream: Stream, enough: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted: several records to a block, panes that are over, versions and unknown names."""
    monkeypatch.setattr(sheets, "ENOUGH", enough)
    chance = Random(7)
    for lateness in (0, 24 * HOUR, 0, 0) * 5:
        values = [batch_mutant(chance.choice(BATCHES[stream]), chance) for _ in range(8)]
        by_columns, by_rows = fresh(stream)
        assert left(by_columns, values, lateness=lateness) == left(by_rows, values, lateness=lateness), values


@pytest.mark.parametrize("stream", STREAMS)
def test_a_batch_counts_among_events_where_it_stands(stream: Stream) -> None:
    """What is late follows from what came before, so the order of batches and events must hold."""
    chance = Random(3)
    for _ in range(20):
        values = []
        for at in range(6):
            batch = dict(chance.choice(BATCHES[stream]))
            batch["timestamp"] = [NOON + chance.randrange(-2, at + 1) * HOUR for _ in TIMES]
            one = {"model": "trees", "id": "a", "feature": "temp", "source": "w", "values": [1.5]}
            single = one | {"timestamp": NOON + chance.randrange(at + 1) * HOUR}
            values += [json.dumps(chance.choice((batch, single))).encode()]
        by_columns, by_rows = fresh(stream)
        assert left(by_columns, values) == left(by_rows, values), values


@pytest.mark.parametrize("enough", [1, 10_000], ids=["whole columns", "row by row"])
@pytest.mark.parametrize("stream", STREAMS)
def test_around_a_switch_each_row_counts_in_the_layout_of_its_pane(
    stream: Stream, enough: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "ENOUGH", enough)
    force = InForce(reference=NEW, monitor=monitor(pane_ms=HOUR // 2), from_ms=NOON + HOUR, previous=(OLD, monitor()))
    value = json.dumps(BATCHES[stream][0]).encode()
    plan, other = (applied(trees=force)[stream] for _ in range(2))
    assert is_taken(plan, value)
    assert left(plan, [value]) == left(row_by_row(other), [value])
    assert len(left(plan, [value])["partials"]) == 2


def test_a_large_batch_counts_as_its_rows_would() -> None:
    """So many values that whole columns are counted: at edges, beyond the reference, at the clip, of no number; constants."""
    chance, rows = Random(5), 3 * sheets.ENOUGH
    odd = (
        None,
        math.nan,
        math.inf,
        -math.inf,
        "x",
        0.0,
        -0.0,
        10,
        20.0,
        1e9,
        -1e9,
        9.75,
        math.nextafter(20.0, 0.0),
        -5,
    )
    temp = [chance.choice((chance.choice(odd), chance.gauss(10, 8))) for _ in range(rows)]
    batch = {
        "model": "trees", "timestamp": [NOON + HOUR * (at % 3 == 0) + at for at in range(rows)], "note": 1,
        "features": {"temp": temp, "wide": 1e5, "tail": [f"N{at % 77}" for at in range(rows)], "gust": 2},
        "prediction": {"score": [chance.random() for _ in range(rows)], "label": "yes"}, "latency_s": None,
    }  # fmt: skip
    value = json.dumps(batch).encode()
    by_columns, by_rows = fresh("predictions")
    found = left(by_columns, [value])
    assert found == left(by_rows, [value])
    assert len(found["partials"]) == 4  # two panes, and what is counted by version of each


def test_a_label_is_text_however_long_a_number_it_is() -> None:
    batch = {"model": "trees", "timestamp": TIMES[:2], "prediction": {"label": [2**1024, 1]}}
    value = json.dumps(batch).encode()
    assert decoded(PLANS["predictions"], value) == by_contract(PLANS["predictions"], "predictions", value)
    assert is_taken(PLANS["predictions"], value)


CELLS = (
    st.none() | st.booleans() | st.floats() | st.integers(-(2**70), 2**70) | st.sampled_from([10**400, 2**1024, 2**1023])
    | st.text(max_size=3) | st.lists(st.integers(), max_size=1) | st.just({"a": 1})
)  # fmt: skip


def columns(size: int) -> st.SearchStrategy[Any]:
    cells = (CELLS, st.none() | st.floats(), st.none() | st.text(max_size=3), st.none() | st.integers(-3, 10**20))
    return st.one_of(*(st.lists(cell, min_size=size, max_size=size) for cell in cells)) | CELLS


@settings(max_examples=300, deadline=None)
@given(st.data(), st.sampled_from(STREAMS))
def test_columns_of_anything_come_out_the_same(data: st.DataObject, stream: Stream) -> None:
    batch = dict(data.draw(st.sampled_from(BATCHES[stream])))
    for name in data.draw(st.lists(st.sampled_from(sorted(batch)), max_size=2)):
        held = batch[name]
        inner = {key: data.draw(columns(4)) for key in held} if isinstance(held, dict) else None
        batch[name] = data.draw(st.just(inner) | columns(4) if inner else columns(4))
    value = json.dumps(batch).encode("utf-8", "surrogatepass")
    assert decoded(PLANS[stream], value) == by_contract(PLANS[stream], stream, value)


@pytest.mark.parametrize("stream", STREAMS)
def test_an_ordinary_batch_is_read_by_columns(stream: Stream) -> None:
    """Else all of the above compares the contract with itself."""
    assert all(is_taken(PLANS[stream], json.dumps(batch).encode()) for batch in BATCHES[stream])


def test_a_batch_of_samples_of_gpus_leaves_what_its_rows_would() -> None:
    """They have no columns to be counted in: each is read row by row, and refused row by row."""
    batch = {
        "timestamp": TIMES, "gpu": ["0", 1, None, "3"], "host": "n7", "uuid": ["a", None, "c", "d"],
        "metrics": {"power_watts": [71.5, 1, None, -3], "xid": 79},
    }  # fmt: skip
    chance, sampled = Random(5), 0
    for value in [json.dumps(batch).encode(), *(batch_mutant(batch, chance) for _ in range(500))]:
        assert decoded(PLANS["serving"], value) == by_contract(PLANS["serving"], "serving", value), value
        sampled += any(row[0] == SAMPLE for row in decoded(PLANS["serving"], value))
    assert 100 < sampled < 450


def test_one_bad_row_costs_itself_only() -> None:
    batch = BATCHES["predictions"][0] | {"latency_s": [0.1, "fast", 0.3, 0.4]}
    refusal, *rows = decoded(PLANS["predictions"], json.dumps(batch).encode())
    assert refusal == ("wrong_type", "latency_s", "must be a number, not a string", 1)
    assert [row[1] for row in rows] == [TIMES[0], TIMES[2], TIMES[3]]
    assert is_taken(PLANS["predictions"], json.dumps(batch).encode())


def test_a_nan_is_no_missing_value_and_a_null_is() -> None:
    batch = {"model": "trees", "timestamp": TIMES[:2], "features": {"temp": [None, math.nan]}}
    found = decoded(PLANS["predictions"], json.dumps(batch).encode())
    assert found == by_contract(PLANS["predictions"], "predictions", json.dumps(batch).encode())
    assert found[0][2] != found[1][2]


@pytest.mark.parametrize("stream", STREAMS)
def test_every_field_of_the_contract_is_looked_at(stream: Stream) -> None:
    """A field that is new in the contract has to be given its types here, or rows would be accepted unseen."""
    structural = {"timestamp", "status", "features", "values", *doubt.SUBJECTS[stream], *doubt.OBJECTS}
    assert doubt.WIRES[stream].model_fields.keys() <= structural | doubt.FIELDS.keys()
    assert doubt.PREDICTION.keys() == PredictionPart.model_fields.keys()
