"""The strict contract on good events: what a producer wrote is what the program holds."""

import json
import math

import pytest

from schemas.events import (
    FeatureValues,
    Label,
    Prediction,
    Rejected,
    Serving,
    Watermark,
    parse_record,
)
from schemas.names import Stream

T = 1357035300000


def one(stream: Stream, event: object) -> object:
    (found,) = parse_record(stream, json.dumps(event).encode())
    return found


def prediction(text: str) -> Prediction:
    """A prediction with one feature ``x`` whose JSON is given as text."""
    record = f'{{"model": "m", "timestamp": {T}, "features": {{"x": {text}}}}}'
    (found,) = parse_record("predictions", record.encode())
    assert isinstance(found, Prediction)
    return found


def test_a_prediction_with_everything() -> None:
    event = {
        "model": "flight-delay",
        "version": 3,
        "id": "UA1545",
        "timestamp": T + 0.7,
        "features": {"temp": 39.02, "carrier": "UA", "wind_gust": None},
        "prediction": {"score": 0.231, "label": "on_time", "value": 4, "confidence": 0.77, "why": "?"},
        "latency_s": 0.012,
        "status": "success",
        "service": "flight-api",
        "segments": {"origin": "EWR", "gate": 7, "lounge": None},
        "input_tokens": 12,
        "output_tokens": 3,
        "shadow_of": "flight-delay-2",
        "colour": "red",
        "weight": 1,
    }
    assert one("predictions", event) == Prediction(
        model="flight-delay",
        timestamp_ms=T,
        version="3",
        id="UA1545",
        features={"temp": 39.02, "carrier": "UA", "wind_gust": None},
        score=0.231,
        label="on_time",
        value=4.0,
        confidence=0.77,
        latency_s=0.012,
        status="success",
        service="flight-api",
        segments={"origin": "EWR", "gate": "7"},
        input_tokens=12,
        output_tokens=3,
        unknown_keys=("colour", "weight"),
        shadow_of="flight-delay-2",
    )


def test_a_prediction_needs_no_more_than_model_and_timestamp_and_null_is_absent() -> None:
    bare = Prediction("m", T)
    assert one("predictions", {"model": "m", "timestamp": T}) == bare
    nulls = {"features": None, "prediction": None, "segments": None, "id": None, "status": None}
    assert one("predictions", {"model": "m", "timestamp": T, **nulls}) == bare


def test_labels() -> None:
    event = {"model": "m", "id": 7, "timestamp": T, "outcome": 0, "rating": 4, "metrics": {"a": 1, "b": None}}
    assert one("labels", event) == Label("m", T, id="7", outcome=0, rating=4.0, metrics={"a": 1.0})
    assert one("labels", {"model": "m", "timestamp": T, "score": 0.5, "outcome": "late"}) == Label(
        "m", T, outcome="late", score=0.5
    )


def test_feature_values_and_serving() -> None:
    event = {"feature": "temp", "source": "feed", "timestamp": T, "values": [39.02, 41, None, "x", [1.5]]}
    assert one("features", event) == FeatureValues("temp", "feed", T, (39.02, 41, None, "x", [1.5]))
    event = {"model": "m", "timestamp": T, "status": "error", "perplexity": 9}
    assert one("serving", event) == Serving("m", T, status="error", perplexity=9.0)
    sample = {"timestamp": T, "gpu": 0, "uuid": "GPU-1", "host": "n7", "metrics": {"free": 12}}
    assert one("serving", sample) == Serving(None, T, gpu="0", uuid="GPU-1", host="n7", metrics={"free": 12.0})


@pytest.mark.parametrize("stream", ["predictions", "labels", "features", "serving"])
def test_a_control_record_carries_a_watermark_in_any_stream(stream: Stream) -> None:
    assert one(stream, {"control": "watermark", "timestamp": T}) == Watermark(T)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Infinity", math.inf),
        ("-Infinity", -math.inf),
        ("1e400", math.inf),
        ("-1e400", -math.inf),
        ("1" + "0" * 400, math.inf),
        ("-1" + "0" * 400, -math.inf),
        ("1.7976931348623157e308", 1.7976931348623157e308),
        ("9007199254740993", 9007199254740993),
        ("[1, " + "9" * 400 + "]", [1, math.inf]),
        ('""', ""),
        ("true", True),
        ('{"a": [1]}', {"a": [1]}),
    ],
)
def test_a_feature_may_have_any_value(text: str, value: object) -> None:
    assert prediction(text).features == {"x": value}


def test_nan_and_negative_zero_stay_what_they_are() -> None:
    nan, zero = prediction("NaN").features["x"], prediction("-0.0").features["x"]
    assert isinstance(nan, float)
    assert math.isnan(nan)
    assert isinstance(zero, float)
    assert math.copysign(1, zero) == -1


def test_score_and_latency_may_be_non_finite() -> None:
    record = f'{{"model": "m", "timestamp": {T}, "prediction": {{"score": -Infinity}}, "latency_s": 1e400}}'
    (found,) = parse_record("predictions", record.encode())
    assert found == Prediction("m", T, score=-math.inf, latency_s=math.inf)


def test_a_string_of_100_kb_is_a_value() -> None:
    assert prediction(f'"{"x" * 100_000}"').features == {"x": "x" * 100_000}


def test_of_a_key_that_stands_twice_the_last_counts() -> None:
    assert prediction('1, "x": 2').features == {"x": 2}


def test_nesting_of_a_hundred_levels_is_a_value() -> None:
    assert json.dumps(prediction("[" * 100 + "]" * 100).features["x"]) == "[" * 100 + "]" * 100


def test_the_elements_of_an_array_are_judged_alone_and_in_order() -> None:
    good = {"model": "m", "timestamp": T}
    found = parse_record("predictions", json.dumps([good, 7, {"model": "m"}, good]).encode())
    assert found == [
        Prediction("m", T),
        Rejected("not_an_event", "", "must be an object, not an integer", index=1),
        Rejected("missing_field", "timestamp", "is missing", index=2),
        Prediction("m", T),
    ]


def test_an_empty_array_holds_no_events() -> None:
    assert parse_record("predictions", b"[]") == []
