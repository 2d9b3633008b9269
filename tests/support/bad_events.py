"""Every kind of record that may come and should not, as bytes: what is refused, and what counts all the same.

``REFUSED`` are kept as dead letters; ``ODD`` are events that count, each with the counter where its oddity is found.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from schemas.errors import Reason
from schemas.names import Stream
from tests.support.generated import START_MS

MODEL = "alpha"
HOSTILE = "<!channel>\n\u202e{}\x00'\"; --"
DAY = 86_400_000


@dataclass(frozen=True, slots=True)
class Refused:
    """A record, and what its dead letter says: ``payload`` is all of it, or None where it is not of interest."""

    name: str
    value: bytes | None
    reason: Reason
    field: str = ""
    payload: str | None = None
    stream: Stream = "predictions"


@dataclass(frozen=True, slots=True)
class Odd:
    """An event that counts: beside being one event, it makes the counter at ``path`` of the summary ``count``."""

    name: str
    fields: dict[str, Any] | str
    path: str
    count: int = 1


def event(**fields: Any) -> bytes:
    """A good event of ``alpha`` with these fields changed; ``...`` leaves one out."""
    whole = {"model": MODEL, "timestamp": START_MS, "features": {"x0": 1.0}} | fields
    return json.dumps({name: value for name, value in whole.items() if value is not ...}).encode()


def label(**fields: Any) -> bytes:
    """A good label of ``alpha`` with these fields changed."""
    return event(**{"features": ..., "id": "7", "outcome": 1} | fields)


def _refused_texts() -> list[Refused]:
    half = event()[:31]
    return [
        Refused("words", b"not JSON at all 42", "not_json", payload="xxx xxxx xx xxx 00"),
        Refused("nothing", b"", "not_json", payload=""),
        Refused("half an object", half, "not_json", payload='{"xxxxx": "xxxxx", "xxxxxxxxx":'),
        Refused("two objects", event() + event(), "not_json"),
        Refused("two objects and a comma", event() + b"," + event(), "not_json"),
        Refused("two objects on lines", event() + b"\n" + event(), "not_json"),
        Refused("a tombstone", None, "tombstone", payload=""),
        Refused("a number", b"42", "not_an_event", payload='"<number>"'),
        Refused("a text", b'"Jane Doe"', "not_an_event", payload='"<string>"'),
        Refused("a bare null", b"null", "not_an_event", payload="null"),
        Refused("bytes that are no text", b'{"model": "\xff\xfe"}', "not_utf8"),
        Refused("nested without end", b"[" * 100_000, "too_deep"),
        Refused("a deep feature", _deep(300), "too_deep"),
        Refused("two mebibytes", event(id="x" * 2 * 1024 * 1024), "too_large"),
    ]


def _deep(levels: int) -> bytes:
    return event(features={"x0": 0}).replace(b": 0}", b": " + b"[" * levels + b"]" * levels + b"}")


def _refused_fields() -> list[Refused]:
    masked = json.dumps({"model": None, "timestamp": START_MS, "features": {"x0": "<number>"}})
    return [
        Refused("no model", event(model=...), "missing_field", "model"),
        Refused("a null model", event(model=None), "missing_field", "model", masked),
        Refused("a number for a model", event(model=3), "wrong_type", "model"),
        Refused("no timestamp", event(timestamp=...), "missing_field", "timestamp"),
        Refused("true for a timestamp", event(timestamp=True), "wrong_type", "timestamp"),
        Refused("a number in quotes for a timestamp", event(timestamp=str(START_MS)), "wrong_type", "timestamp"),
        Refused("NaN for a timestamp", event(timestamp=float("nan")), "out_of_range_time", "timestamp"),
        Refused("a timestamp in seconds", event(timestamp=START_MS // 1000), "seconds_time", "timestamp"),
        Refused("a timestamp in microseconds", event(timestamp=START_MS * 1000), "out_of_range_time", "timestamp"),
        Refused("a list of features", event(features=[1, 2]), "wrong_type", "features"),
        Refused("a score in quotes", event(prediction={"score": "0.5"}), "wrong_type", "prediction.score"),
        Refused("true for a score", event(prediction={"score": True}), "wrong_type", "prediction.score"),
        Refused("a negative latency", event(latency_s=-0.012), "out_of_range", "latency_s"),
        Refused("fewer tokens than none", event(output_tokens=-1), "out_of_range", "output_tokens"),
        Refused("tokens as text", event(input_tokens="12"), "wrong_type", "input_tokens"),
        Refused("another status", event(status="ok"), "wrong_type", "status"),
        Refused("a label without id", label(id=...), "missing_field", "id", stream="labels"),
        Refused("a label of true", label(id=True), "wrong_type", "id", stream="labels"),
        Refused("an unknown model", event(model="nobody"), "unknown_model", "model"),
        Refused("a hostile model", event(model=HOSTILE), "unknown_model", "model"),
        Refused("an unknown feature", _values(HOSTILE), "unknown_feature", "feature", stream="features"),
        Refused(
            "uneven columns", event(timestamp=[START_MS] * 3, features={"x0": [1.0, 2.0]}), "bad_columns", "features.x0"
        ),
    ]


def _values(feature: str) -> bytes:
    return json.dumps({"feature": feature, "source": "s", "timestamp": START_MS, "values": [1.0]}).encode()


REFUSED = [*_refused_texts(), *_refused_fields()]

#: x0 and the score are numeric, city is categorical.
ODD = [
    Odd("NaN", {"features": {"x0": float("nan")}}, "features.x0.nan"),
    Odd("Infinity", {"features": {"x0": float("inf")}}, "features.x0.positive_infinity"),
    Odd("-Infinity", {"features": {"x0": float("-inf")}}, "features.x0.negative_infinity"),
    Odd("1e400", '{"features": {"x0": 1e400}}', "features.x0.positive_infinity"),
    Odd("an integer of 400 digits", f'{{"features": {{"x0": 1{"0" * 400}}}}}', "features.x0.positive_infinity"),
    Odd("1e308", {"features": {"x0": 1e308}}, "features.x0.counts.-1"),
    Odd("-1e308", {"features": {"x0": -1e308}}, "features.x0.counts.0"),
    Odd("null", {"features": {"x0": None}}, "features.x0.missing"),
    Odd("absent", {"features": {}}, "features.x0.missing"),
    Odd("no features at all", {}, "features.x0.missing"),
    Odd("a text for a number", {"features": {"x0": "1.5"}}, "features.x0.wrong_type"),
    Odd("true for a number", {"features": {"x0": True}}, "features.x0.wrong_type"),
    Odd("a list for a number", {"features": {"x0": [1, 2]}}, "features.x0.wrong_type"),
    Odd("an object for a category", {"features": {"city": {"name": "Oslo"}}}, "features.city.wrong_type"),
    Odd("a number for a category", {"features": {"city": 7}}, "features.city.unseen"),
    Odd("an empty category", {"features": {"city": ""}}, "features.city.unseen"),
    Odd("a category of 100 kB", {"features": {"city": "x" * 100_000}}, "features.city.unseen"),
    Odd("a hostile category", {"features": {"city": HOSTILE}}, "features.city.unseen"),
    Odd("an id of 100 kB", {"id": "x" * 100_000, "features": {"city": "Oslo"}}, "features.city.categories.Oslo"),
    Odd("an empty id", {"id": "", "features": {"city": "Oslo"}}, "features.city.categories.Oslo"),
    Odd("features nobody declared", {"features": {"x0": 1.0, "x99": 1, HOSTILE: 2}}, "unknown_features", 2),
    Odd("keys nobody knows", {"colour": "red", HOSTILE: 1}, "unknown_keys", 2),
    Odd("a score of NaN", {"prediction": {"score": float("nan")}}, "prediction.score.nan"),
    Odd("a score of 7", {"prediction": {"score": 7}}, "prediction.score.counts.-1"),
]


def odd_event(odd: Odd, timestamp_ms: int) -> bytes:
    """The event, at a time of its own."""
    text = odd.fields if isinstance(odd.fields, str) else json.dumps(odd.fields)
    head = f'{{"model": "{MODEL}", "timestamp": {timestamp_ms}'
    return (head + (", " + text[1:] if len(text) > 2 else "}")).encode()
