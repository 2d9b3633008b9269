"""Values of a feature store count the same in columns as in rows, and cost what their own models are wide, whatever others are."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
from random import Random
from typing import Any

import pytest

from schemas.config import InForce
from schemas.monitored import FeatureMonitor
from stream.ingest import decode
from stream.ingest.buffer import Buffer, Rejection
from stream.ingest.codes import ABSENT
from stream.ingest.listed import Listed, Row
from stream.ingest.stored import together
from stream.records import Records
from tests.support.ingest import HOUR, NOON, OLD, Stored, applied, both, counter, monitor, run, tenure

VALUES = (3, 7.5, None, "UA", "ZZ", True, [1], 10**400, -0.0, "", 1e30, float("nan"))
#: Too late, late, in time, and from the future.
TIMES = (NOON - 48 * HOUR, NOON - HOUR, NOON, NOON + 1, NOON + HOUR, NOON + 100 * HOUR)


def event(chance: Random) -> dict[str, Any]:
    """Of some feature, which may be declared by both models, one or none, with few values or many."""
    values = chance.choices(VALUES, k=chance.choice((0, 1, 3, 16, 31, 32, 33, 60)))
    feature = chance.choice(("temp", "temp", "carrier", "wide", "fog"))
    return {"feature": feature, "source": "w", "timestamp": chance.choice(TIMES), "values": values}


def record(chance: Random) -> Any:
    made = chance.choice((None, 1, 2, 5, 12))
    return event(chance) if made is None else [event(chance) for _ in range(made)]


def left(found: list[Any]) -> dict[str, Any]:
    """All that is left of these records."""
    refused: list[Rejection] = []
    owner, counting = tenure(stream="features"), counter(both(), refused=refused)

    async def count() -> None:
        records = [Stored(json.dumps(one).encode(), at, NOON + HOUR) for at, one in enumerate(found)]
        while owner.read < len(records):
            await counting.add(run(records, owner), owner)
        await counting.drain()

    asyncio.run(count())
    panes = {(pane.layout.hash, pane.start_ms): counting.rooms.content(pane) for pane in owner.panes.values()}
    return {
        "partials": {key: (p.cells.tobytes(), p.sums.tobytes(), p.extrema.tobytes()) for key, p in panes.items()},
        "late": {(pane.layout.model, pane.start_ms) for pane in owner.panes.values() if pane.late},
        "events": (counting.events, counting.late),
        "clocks": (owner.clock, owner.closed, owner.read, owner.counted),
        "letters": sorted((r.record.offset, r.index or 0, r.index is None, r.reason, r.detail) for r in refused),
    }


@pytest.mark.parametrize("seed", range(4))
def test_in_columns_and_in_rows_everything_that_is_left_is_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = Random(seed)
    found = [record(chance) for _ in range(60)]
    as_it_is = left(found)
    for enough in (1, 1_000_000):
        monkeypatch.setattr(decode, "ENOUGH", enough)
        assert left(found) == as_it_is
    assert {reason for *_, reason, _ in as_it_is["letters"]} == {"future", "too_late", "unknown_feature"}
    assert as_it_is["late"]
    assert {whole for _, _, whole, *_ in as_it_is["letters"]} == {True, False}


def test_values_that_follow_each_other_are_read_together() -> None:
    buffer, owner = Buffer(), tenure(stream="features")
    one = {"feature": "temp", "source": "w", "timestamp": NOON, "values": [3] * 20}
    found = [one, one, one | {"values": []}, one, one | {"feature": "wide", "values": [1] * 40}]
    decoder = both()["features"].decoder
    decoder.decode_run(Records.of([Stored(json.dumps(found).encode())]), owner, into=buffer)
    # Both models declare temp, one wide: 40 values, a tick and 20 for each of two, 40.
    assert ([len(slab) for slab in buffer.slabs], buffer.listed) == ([40, 40, 40], 1 + 2 * 20)
    first, later = buffer.slabs[0], buffer.slabs[2]
    assert [first.place(0), first.place(39), later.place(0)] == [0, 1, 4]
    assert [at for at, _ in together([])] == []


def listed(rows: int) -> tuple[Listed, list[Row]]:
    """Room for rows of two numbers and a hundred names, and that many with a number and no more than one name."""
    names: tuple[Any, ...] = ("UA", None, ABSENT, [1])
    made = [Row(at, (0,) * 8, (1.0,), (), names[at % 4 : at % 4 + 1]) for at in range(rows)]
    return Listed.of((2, 0, 100)), made


def test_a_row_has_its_own_names() -> None:
    held, rows = listed(8)
    held.put(rows, first=0, scanned=0)
    assert [held.name(row, 0) for row in range(8)] == ["UA", None, None, None] * 2
    assert held.rows.named[:4, 0, 0].tolist() == [0, -1, -3, -2]


def test_rows_of_a_narrow_model_cost_little_more_than_the_room_they_lie_in() -> None:
    held, rows = listed(50_000)
    tracemalloc.start()
    held.put(rows, first=0, scanned=0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.5 * sum(array.nbytes for array in held.rows)


def test_a_record_of_many_values_costs_what_its_own_model_is_wide() -> None:
    """A model beside it has 300 columns: 100 000 values of the narrow one would be as many rows of 300 columns, 240 MB and more."""
    features = {f"c{at}": FeatureMonitor(type="categorical", hash=True) for at in range(300)}
    names = {"tail": FeatureMonitor(type="categorical", hash=True)}
    wide, narrow = (InForce(reference=OLD, monitor=monitor(features=some)) for some in (features, names))
    owner, counting = tenure(stream="features"), counter(applied(wide=wide, narrow=narrow))
    one = {"feature": "tail", "source": "w", "timestamp": NOON, "values": ["a"] * 5_000}

    async def count() -> None:
        await counting.add(run([Stored(json.dumps([one] * 20).encode())], owner), owner)
        await counting.drain()

    tracemalloc.start()
    asyncio.run(count())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert counting.events == 100_000
    assert peak < 64 << 20
