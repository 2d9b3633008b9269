"""Ids are counted where a model promises how few of them repeat: scattered, by every path alike, and an empty one is none."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.quality.repeats import by_chance, repeats
from stream.ingest.codes import IdTable, scattered
from stream.state.columns import ID_BUCKETS
from stream.state.layout import CATEGORY_TAIL, ID, CategoricalColumn
from tests.support.ingest import NOON, Shelf, Stored, both, counter, event, run, tenure

IDS = ["UA15", "UA16", 7, "7", None, "", "\u00fc"]


def counted(*values: bytes, **changed: Any) -> tuple[dict[int, int], dict[str, int]] | None:
    """Rows by bucket of noon's pane, and those without an id by kind; None where ids are not counted."""

    async def count() -> tuple[dict[int, int], dict[str, int]] | None:
        owner, counting = tenure(), counter(both(**changed), shelf=Shelf())
        await counting.add(run([Stored(value, at, NOON) for at, value in enumerate(values)], owner), owner)
        await counting.drain()
        (pane,) = owner.panes.values()
        starts = zip(pane.layout.categorical, pane.layout.categorical_starts, strict=True)
        for column, first in starts:
            if column.path == ID:
                cells = counting.rooms.content(pane).cells[first : first + column.cells].tolist()
                buckets = {at: rows for at, rows in enumerate(cells[:ID_BUCKETS]) if rows}
                return buckets, dict(zip(CATEGORY_TAIL, cells[ID_BUCKETS:], strict=True))
        return None

    return asyncio.run(count())


def test_an_id_is_counted_alike_by_every_path_and_an_empty_one_is_none() -> None:
    expected = {scattered("UA15", ID_BUCKETS): 1, scattered("UA16", ID_BUCKETS): 1}
    expected |= {scattered("7", ID_BUCKETS): 2, scattered("\u00fc", ID_BUCKETS): 1}
    batch = json.dumps({"model": "trees", "timestamp": [NOON] * len(IDS), "id": IDS}).encode()
    strictly = [event(id=one, features={"temp": "x"}) for one in IDS]  # the fast path refuses the text
    for values in ([event(id=one) for one in IDS], strictly, [batch]):
        found = counted(*values, duplicates=0.0)
        assert found == (expected, {"other": 0, "unseen": 0, "missing": 2, "wrong_type": 0})


def test_without_a_promise_no_id_is_counted() -> None:
    assert counted(*[event(id=one) for one in IDS]) is None


@pytest.mark.parametrize(
    "ids",
    [
        [str(number) for number in range(20_000)],
        [f"req-{number:012d}" for number in range(20_000)],
        [f"2013-01-{day:02d}/UA/{number}/EWR" for day in range(1, 29) for number in range(700)],
        [f"{1000 * number:x}" for number in range(20_000)],
    ],
)
def test_numbered_ids_are_scattered_like_any_others(ids: list[str]) -> None:
    counts = [0] * ID_BUCKETS
    for one in (*ids, *ids[:2_000]):
        counts[scattered(one, ID_BUCKETS)] += 1
    assert abs(repeats(counts) - 2_000 / (len(ids) + 2_000)) < by_chance(len(ids), ID_BUCKETS)


@given(st.lists(st.none() | st.integers() | st.sampled_from(["", "a", "\ud800", "\u00fc"]) | st.text(max_size=4)))
def test_all_ids_at_once_fall_where_each_falls(values: list[Any]) -> None:
    table = IdTable(CategoricalColumn("ids", ID, buckets=2048), 5)
    assert table.cells(values).tolist() == [table[value] for value in values]
    texts = [value for value in values if isinstance(value, str) and value.isascii()]
    assert table.cells(texts).tolist() == [table[value] for value in texts]
