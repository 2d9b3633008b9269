"""What one record may grow to: cells, panes and remembered names are bounded, and a record beyond is refused whole."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from schemas.columnar import MOST_CELLS
from schemas.config import InForce
from schemas.events import MOST_VALUES, FeatureValues, Rejected, parse_record
from schemas.names import Stream
from stream.ingest import batch, growth
from stream.ingest.buffer import Rejection
from stream.ingest.codes import CodeTable, bucket_of
from stream.state.layout import CategoricalColumn
from tests.support.ingest import HOUR, NEW, NOON, OLD, Shelf, Stored, applied, both, counter, monitor, run, tenure


def values(count: int, **fields: Any) -> dict[str, Any]:
    return {"feature": "temp", "source": "w", "timestamp": NOON, "values": [3] * count} | fields


def counted(found: object, *, stream: Stream = "predictions") -> tuple[int, list[tuple[str, str, str]], int]:
    """Events counted of one record, what was refused, and the offset reached."""
    refused: list[Rejection] = []
    owner, counting = tenure(stream=stream), counter(both(), shelf=Shelf(), refused=refused)

    async def add() -> None:
        record = Stored(json.dumps(found).encode(), timestamp=NOON + 10_000 * HOUR)
        await counting.add(run([record], owner), owner)
        await counting.drain()

    asyncio.run(add())
    kept = [(str(one.reason), one.field, one.detail) for one in refused if one.reason != "too_late"]
    return counting.events, kept, owner.counted


def hours(count: int) -> list[int]:
    return [NOON + number * HOUR for number in range(count)]


def test_a_feature_event_holds_at_most_10_000_values() -> None:
    assert MOST_VALUES == 10_000
    [most] = parse_record("features", json.dumps(values(10_000)).encode())
    assert isinstance(most, FeatureValues)
    detail = "has 10001 values, at most 10000; split them over several records"
    refused = Rejected("too_large", "values", detail)
    assert parse_record("features", json.dumps(values(10_001)).encode()) == [refused]


def test_an_array_with_one_feature_event_too_many_values_in_it_loses_only_that() -> None:
    found = parse_record("features", json.dumps([values(1), values(10_001), values(2)]).encode())
    assert [getattr(item, "reason", None) for item in found] == [None, "too_large", None]


def test_values_for_many_columns_of_many_models_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both models declare temp: trees has 5 columns and prices 2, so a value fills 7 cells."""
    assert MOST_CELLS == 4_000_000
    assert [shape.columns for shape in both()["features"].decoder.shapes] == [5, 2]
    monkeypatch.setattr(growth, "MOST_CELLS", 49)
    assert counted([values(3), values(4)], stream="features") == (14, [], 1)
    detail = "fill 56 cells of the models that declare the feature, at most 49; split them over several records"
    assert counted([values(4), values(4)], stream="features") == (0, [("too_large", "values", detail)], 1)
    assert counted([values(8, feature="fog")], stream="features")[1][0][0] == "unknown_feature"


def test_a_batch_that_would_fill_too_many_cells_is_refused_before_any_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a megabyte of values, declared by a hundred models, would be gigabytes of columns."""

    def made(*_: object) -> None:
        raise AssertionError("columns were made of what is refused")

    monkeypatch.setattr(growth, "MOST_CELLS", 49)
    monkeypatch.setattr(batch, "_of_values", made)
    record = {"feature": "temp", "source": "weather-feed", "timestamp": [NOON] * 8, "values": [39.0] * 8}
    detail = "fill 56 cells of the models that declare the feature, at most 49; split them over several records"
    assert counted(record, stream="features") == (0, [("too_large", "values", detail)], 1)


def refusal(panes: int) -> tuple[str, str, str]:
    detail = f"its events fall into {panes} panes, at most 1000; split them over several records"
    return "too_large", "timestamp", detail


@pytest.mark.parametrize(
    ("times", "refused"),
    [
        (hours(1_000) * 2, []),
        (hours(1_001), [refusal(1_001)]),
        (hours(1_001) * 3, [refusal(1_001)]),
        ([NOON + number for number in range(5_000)], []),
    ],
    ids=["at the limit", "beyond", "beyond and repeated", "many events of one pane"],
)
def test_a_batch_falls_into_at_most_1000_panes(times: Sequence[int], refused: list[tuple[str, str, str]]) -> None:
    assert growth.MOST_PANES == 1_000
    found = counted({"model": "trees", "timestamp": times})
    assert found[1:] == (refused, 1)
    assert (found[0] == 0) == bool(refused)


def test_panes_are_counted_by_model_and_of_models_in_force_only() -> None:
    both_models = [{"model": model, "timestamp": at} for at in hours(501) for model in ("trees", "prices")]
    assert counted(both_models)[1] == [refusal(1_002)]
    strangers = [{"model": f"m{at}", "timestamp": at} for at in hours(1_500)]
    assert {reason for reason, _, _ in counted(strangers)[1]} == {"unknown_model"}


def test_a_feature_is_counted_in_the_panes_of_every_model_that_declares_it() -> None:
    assert counted([values(1, timestamp=at) for at in hours(501)] * 2, stream="features")[1] == [refusal(1_002)]
    assert counted([values(0, timestamp=at) for at in hours(1_001)], stream="features")[1] == []


def test_around_a_switch_the_shorter_pane_counts() -> None:
    before = (OLD, monitor(pane_ms=HOUR // 2))
    found = applied(trees=InForce(reference=NEW, monitor=monitor(), from_ms=NOON, previous=before))
    assert [shape.pane_ms for shape in found["predictions"].decoder.shapes] == [HOUR // 2]


def test_bad_events_do_not_count_as_panes() -> None:
    assert len(counted([0] * 5_000)[1]) == 5_000


def test_a_hashed_name_of_any_length_has_its_bucket_and_only_short_ones_are_remembered() -> None:
    column = CategoricalColumn("tail", "features.tail", (), buckets=64)
    table = CodeTable(column, first=10)
    before = len(table)
    for name in ("x" * 200, "x" * 201):
        assert table[name] == 10 + bucket_of(name, 64)
    assert len(table) == before + 1
    assert "x" * 200 in table
