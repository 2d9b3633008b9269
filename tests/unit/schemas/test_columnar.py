"""Columnar batches: rows are the events as if written one by one; a crooked batch is refused."""

import base64
import json
import math
import struct

import pytest

from schemas.events import FeatureValues, Prediction, Rejected, parse_record

T = 1357035300000


def packed(*values: float) -> dict[str, str]:
    return {"f64": base64.b64encode(struct.pack(f"<{len(values)}d", *values)).decode()}


def read(event: object) -> list[object]:
    return list(parse_record("predictions", json.dumps(event).encode()))


def test_columns_vary_and_scalars_repeat() -> None:
    batch = {
        "model": "m",
        "version": 3,
        "timestamp": [T, T + 1],
        "id": ["a", "b"],
        "features": {"temp": [39.5, None], "carrier": "UA", "place": [[1.5, 2.5], [3.5, 4.5]]},
        "prediction": {"score": [0.25, 0.5], "label": "late"},
        "segments": {"origin": ["EWR", "JFK"]},
    }
    assert read(batch) == [
        Prediction(
            "m",
            T,
            "3",
            "a",
            {"temp": 39.5, "carrier": "UA", "place": [1.5, 2.5]},
            0.25,
            "late",
            segments={"origin": "EWR"},
        ),
        Prediction(
            "m",
            T + 1,
            "3",
            "b",
            {"temp": None, "carrier": "UA", "place": [3.5, 4.5]},
            0.5,
            "late",
            segments={"origin": "JFK"},
        ),
    ]


def test_packed_columns_are_little_endian_doubles_with_nothing_lost() -> None:
    batch = {"model": "m", "timestamp": packed(T, T + 1), "features": {"x": packed(-0.0, math.inf)}}
    first, second = read(batch)
    assert isinstance(first, Prediction)
    assert math.copysign(1, first.features["x"]) == -1  # type: ignore[arg-type]
    assert second == Prediction("m", T + 1, features={"x": math.inf})


def test_each_row_is_judged_alone() -> None:
    found = read({"model": "m", "timestamp": [T, 5, T], "prediction": {"score": [1, 1, "x"]}})
    assert found == [
        Prediction("m", T, score=1.0),
        Rejected("seconds_time", "timestamp", "is below 1e11: seconds? Milliseconds are wanted", index=1),
        Rejected("wrong_type", "prediction.score", "must be a number, not a string", index=2),
    ]


def test_a_feature_events_values_are_one_or_several_a_row() -> None:
    batch = {"feature": "f", "source": "s", "timestamp": [T, T], "values": [1.5, [2.5, None]]}
    assert parse_record("features", json.dumps(batch).encode()) == [
        FeatureValues("f", "s", T, (1.5,)),
        FeatureValues("f", "s", T, (2.5, None)),
    ]


@pytest.mark.parametrize(
    ("fields", "field", "detail"),
    [
        ({"id": ["a"]}, "id", "has 1 values, but timestamp has 2"),
        ({"features": {"temp": [1, 2, 3]}}, "features.temp", "has 3 values, but timestamp has 2"),
        ({"features": {"temp": packed(1)}}, "features.temp", "has 1 values, but timestamp has 2"),
        ({"features": {"temp": {"f64": "AAAA"}}}, "features.temp", "f64 holds 3 bytes, not a multiple of 8"),
        ({"features": {"temp": {"f64": "?!"}}}, "features.temp", "f64 is not base64"),
        ({"features": {"temp": {"f64": "é"}}}, "features.temp", "f64 is not base64"),
        ({"features": {"temp": {"f64": [1]}}}, "features.temp", "f64 must be a base64 string, not an array"),
    ],
)
def test_a_crooked_batch_is_refused_whole(fields: dict[str, object], field: str, detail: str) -> None:
    batch = {"model": "m", "timestamp": [T, T], **fields}
    assert read(batch) == [Rejected("bad_columns", field, detail)]


def test_a_batch_of_none_is_none_and_a_batch_in_an_array_is_refused() -> None:
    assert read({"model": "m", "timestamp": []}) == []
    detail = "a columnar batch must be a record of its own"
    assert read([{"model": "m", "timestamp": [T]}]) == [Rejected("bad_columns", "timestamp", detail, index=0)]


def test_a_small_record_cannot_claim_billions_of_cells() -> None:
    batch = {"model": "m", "timestamp": [1] * 100_000, "features": {f"f{i}": 0 for i in range(10_000)}}
    detail = "expands to 100000 rows of 10003 names; at most 4000000 cells"
    assert read(batch) == [Rejected("too_large", "", detail)]
