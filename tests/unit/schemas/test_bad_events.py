"""Bad input, one by one: the reason, the field and the words of each refusal; and nothing ever raises."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import LONGEST_FIELD, Rejected, parse_record
from schemas.names import TOPICS_IN, Stream

T = 1357035300000


def verdict(stream: Stream, value: bytes | None) -> tuple[str, str, str]:
    (found,) = parse_record(stream, value)
    assert isinstance(found, Rejected)
    assert found.index is None
    return found.reason, found.field, found.detail


@pytest.mark.parametrize(
    ("value", "reason", "detail"),
    [
        (None, "tombstone", "the record has no value"),
        (b"", "not_json", "EOF while parsing a value at line 1 column 0"),
        (b"hello", "not_json", "expected value at line 1 column 1"),
        (b'{"model": "m", "timest', "not_json", "EOF while parsing a string at line 1 column 22"),
        (b'{"model": "m"}{"model": "m"}', "not_json", "trailing characters at line 1 column 15"),
        (b'{"model": "m"}\n{"model": "m"}', "not_json", "trailing characters at line 2 column 1"),
        (b'{"model": "\xff"}', "not_utf8", "byte 11 is not UTF-8"),
        (b"\xef\xbb\xbf{}", "not_json", "expected value at line 1 column 1"),
        (b"[" * 250 + b"]" * 250, "too_deep", "is nested more than 200 levels deep"),
        (b'{"a":' * 100_000, "too_deep", "is nested more than 200 levels deep"),
        (b" " * 2 * 1024 * 1024, "too_large", "has 2097152 bytes, at most 1048576"),
        (b"7", "not_an_event", "must be an object, not an integer"),
        (b'"x"', "not_an_event", "must be an object, not a string"),
        (b"null", "not_an_event", "must be an object, not null"),
    ],
)
def test_a_record_that_is_no_event(value: bytes | None, reason: str, detail: str) -> None:
    for stream in TOPICS_IN:
        assert verdict(stream, value) == (reason, "", detail)


ID_OR_SCORE = "a label needs an id unless it carries a score"


@pytest.mark.parametrize(
    ("stream", "without", "expected"),
    [
        ("predictions", "model", ("missing_field", "model", "is missing")),
        ("predictions", "timestamp", ("missing_field", "timestamp", "is missing")),
        ("labels", "model", ("missing_field", "model", "is missing")),
        ("labels", "timestamp", ("missing_field", "timestamp", "is missing")),
        ("labels", "id", ("missing_field", "id", ID_OR_SCORE)),
        ("features", "feature", ("missing_field", "feature", "is missing")),
        ("features", "source", ("missing_field", "source", "is missing")),
        ("features", "values", ("missing_field", "values", "is missing")),
        ("serving", "model", ("missing_field", "model", "is missing, and only a sample of a gpu has none")),
    ],
)
def test_a_required_field_is_missing(stream: Stream, without: str, expected: tuple[str, str, str]) -> None:
    full = {"model": "m", "timestamp": T, "id": "a", "feature": "f", "source": "s", "values": []}
    event = {name: value for name, value in full.items() if name != without}
    assert verdict(stream, json.dumps(event).encode()) == expected
    assert not isinstance(parse_record(stream, json.dumps(full).encode())[0], Rejected)


def test_null_is_missing_and_an_empty_id_is_no_id() -> None:
    assert verdict("predictions", b'{"model": null, "timestamp": 1}')[:2] == ("missing_field", "model")
    event = {"model": "m", "timestamp": T, "id": ""}
    assert verdict("labels", json.dumps(event).encode()) == ("missing_field", "id", ID_OR_SCORE)


@pytest.mark.parametrize(
    ("stream", "fields", "field", "detail"),
    [
        ("predictions", {"model": 7}, "model", "must be a string, not an integer"),
        ("predictions", {"id": 1.5}, "id", "must be a string or an integer, not a number"),
        ("predictions", {"version": True}, "version", "must be a string or an integer, not a boolean"),
        ("predictions", {"features": [1]}, "features", "must be an object, not an array"),
        ("predictions", {"prediction": 0.5}, "prediction", "must be an object, not a number"),
        (
            "predictions",
            {"prediction": {"score": "0.5"}},
            "prediction.score",
            "must be a number, not a string",
        ),
        (
            "predictions",
            {"prediction": {"score": True}},
            "prediction.score",
            "must be a number, not a boolean",
        ),
        ("predictions", {"latency_s": "1"}, "latency_s", "must be a number, not a string"),
        ("predictions", {"status": "ok"}, "status", "must be 'success' or 'error'"),
        (
            "predictions",
            {"segments": {"a": 1.5}},
            "segments.a",
            "must be a string or an integer, not a number",
        ),
        ("predictions", {"input_tokens": "3"}, "input_tokens", "must be a number, not a string"),
        ("labels", {"outcome": True}, "outcome", "must be a class name or a number, not a boolean"),
        ("labels", {"metrics": {"a": "1"}}, "metrics.a", "must be a number, not a string"),
        ("features", {"values": 3}, "values", "must be an array, not an integer"),
        ("serving", {"gpu": {}}, "gpu", "must be a string or an integer, not an object"),
        ("serving", {"control": "stop"}, "control", "must be 'watermark'"),
    ],
)
def test_a_field_of_another_type(stream: Stream, fields: dict[str, object], field: str, detail: str) -> None:
    full = {"model": "m", "timestamp": T, "id": "a", "feature": "f", "source": "s", "values": []}
    assert verdict(stream, json.dumps(full | fields).encode()) == ("wrong_type", field, detail)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1357035300", "seconds_time"),
        ("-5", "seconds_time"),
        ("NaN", "out_of_range_time"),
        ("1e400", "out_of_range_time"),
        ("1357035300000000", "out_of_range_time"),
        ('"soon"', "wrong_type"),
        ("true", "wrong_type"),
    ],
)
def test_a_timestamp_that_is_none(text: str, reason: str) -> None:
    for record in (
        f'{{"model": "m", "timestamp": {text}}}',
        f'{{"control": "watermark", "timestamp": {text}}}',
    ):
        assert verdict("predictions", record.encode())[:2] == (reason, "timestamp")


def test_what_is_said_shows_no_value_and_is_short() -> None:
    event = {"model": "m", "timestamp": T, "segments": {"k" * 100_000: ["secret"]}}
    _, field, detail = verdict("predictions", json.dumps(event).encode())
    assert field == ("segments." + "k" * 100_000)[:LONGEST_FIELD]
    assert detail == "must be a string or an integer, not an array"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = [
    "model",
    "timestamp",
    "id",
    "version",
    "features",
    "prediction",
    "latency_s",
    "status",
    "segments",
    "values",
    "feature",
    "source",
    "outcome",
    "score",
    "metrics",
    "gpu",
    "control",
    "input_tokens",
    "f64",
]
NEARLY = st.dictionaries(
    st.sampled_from(NAMES),
    JSON | st.sampled_from([T, "m", [T, T], [1.5, None], {"f64": "AAAAAAAA8D8="}, {"score": [1, 2]}]),
)


@given(stream=st.sampled_from(TOPICS_IN), value=st.binary(max_size=60))
def test_no_bytes_raise(stream: Stream, value: bytes) -> None:
    assert parse_record(stream, value) is not None


@given(stream=st.sampled_from(TOPICS_IN), event=NEARLY | st.lists(NEARLY, max_size=3))
def test_no_json_raises(stream: Stream, event: object) -> None:
    assert parse_record(stream, json.dumps(event).encode()) is not None
