"""The events that driftline reads, and :func:`parse_record`, whose verdict on a Kafka record is final.

A record is one JSON object, an array of them, or a columnar batch.  Every event in it comes out once and in
order: read, or rejected with a reason of the closed list in :mod:`schemas.errors`.  No record raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json

from schemas import columnar
from schemas.errors import Reason, RejectedEvent
from schemas.kinds import (
    Event,
    FeatureValue,
    FeatureValues,
    Label,
    Prediction,
    Rejected,
    Serving,
    Watermark,
)
from schemas.names import Stream
from schemas.timestamps import timestamp_ms_of
from schemas.wire import (
    ControlRecord,
    FeatureEvent,
    LabelEvent,
    PredictionEvent,
    PredictionPart,
    ServingEvent,
    Wire,
    kind_of,
    plain,
)

__all__ = [
    "MOST_BYTES",
    "MOST_VALUES",
    "Event",
    "FeatureValue",
    "FeatureValues",
    "Label",
    "Prediction",
    "Rejected",
    "Serving",
    "Watermark",
    "events_of",
    "judged",
    "parse_record",
    "read_record",
    "timestamp_ms_of",
]

T = TypeVar("T")
Model = TypeVar("Model", bound=Wire)

#: A record's value may have this many bytes.
MOST_BYTES = 1024 * 1024
#: A feature event may have this many values: each is counted for every model that declares the feature.
MOST_VALUES = 10_000
#: A rejection names its field with at most this many characters.
LONGEST_FIELD = 200


def parse_record(stream: Stream, value: bytes | None) -> list[Event | Rejected]:
    """The events of one Kafka record, in order, each accepted or rejected by itself.

    An array's elements and a batch's rows are judged alone; what makes a record unreadable is one rejection.

    >>> parse_record("labels", b'{"model": "m", "timestamp": 1357035300000, "id": true}')[0].detail
    'must be a string or an integer, not a boolean'
    """
    try:
        found = read_record(value)
    except RejectedEvent as refused:
        return [_rejected(refused, None)]
    return events_of(stream, found)


def events_of(stream: Stream, found: object) -> list[Event | Rejected]:
    """The events of a record that is read, in order: the second half of ``parse_record``."""
    if type(found) is dict and columnar.is_batch(found):
        try:
            found = columnar.rows_of(found)
        except RejectedEvent as refused:
            return [_rejected(refused, None)]
    if type(found) is list:
        return [judged(stream, item, index) for index, item in enumerate(found)]
    return [judged(stream, found, None)]


def read_record(value: bytes | None) -> Any:
    """The JSON value that a record holds.

    :raises RejectedEvent: it holds none, or more than a record may.
    """
    if value is None:
        raise RejectedEvent("tombstone", "", "the record has no value")
    if len(value) > MOST_BYTES:
        raise RejectedEvent("too_large", "", f"has {len(value)} bytes, at most {MOST_BYTES}")
    try:
        value.decode()
        return from_json(value)
    except UnicodeDecodeError as error:
        raise RejectedEvent("not_utf8", "", f"byte {error.start} is not UTF-8") from None
    except ValueError as error:
        raise RejectedEvent(*_unreadable(str(error))) from None


def _unreadable(message: str) -> tuple[Reason, str, str]:
    if message.startswith("recursion limit"):
        return "too_deep", "", "is nested more than 200 levels deep"
    return "not_json", "", message


def judged(stream: Stream, found: object, index: int | None) -> Event | Rejected:
    """One event, accepted or rejected; ``index`` is its place in a record of several."""
    try:
        return _event(stream, found)
    except RejectedEvent as refused:
        return _rejected(refused, index)


def _rejected(refused: RejectedEvent, index: int | None) -> Rejected:
    # A name in an event may be as long as the event; what is said about it is not.
    return Rejected(refused.reason, refused.field[:LONGEST_FIELD], refused.detail, index)


def _event(stream: Stream, found: object) -> Event:
    if type(found) is not dict:
        raise RejectedEvent("not_an_event", "", f"must be an object, not {kind_of(found)}")
    if "control" in found:
        return Watermark(_validated(ControlRecord, found).timestamp)
    if columnar.is_batch(found):
        raise RejectedEvent("bad_columns", "timestamp", "a columnar batch must be a record of its own")
    return _READERS[stream](found)


def _prediction(found: dict[str, Any]) -> Prediction:
    wire = _validated(PredictionEvent, found)
    said = wire.prediction or PredictionPart()
    return Prediction(
        model=wire.model,
        timestamp_ms=wire.timestamp,
        version=wire.version,
        id=wire.id,
        features={name: plain(value) for name, value in (wire.features or {}).items()},
        score=said.score,
        label=said.label,
        value=said.value,
        confidence=said.confidence,
        latency_s=wire.latency_s,
        status=wire.status,
        service=wire.service,
        segments=_present(wire.segments),
        input_tokens=wire.input_tokens,
        output_tokens=wire.output_tokens,
        unknown_keys=_unknown(PredictionEvent, found),
        shadow_of=wire.shadow_of,
    )


def _label(found: dict[str, Any]) -> Label:
    wire = _validated(LabelEvent, found)
    if not wire.id and wire.score is None:
        raise RejectedEvent("missing_field", "id", "a label needs an id unless it carries a score")
    return Label(
        model=wire.model,
        timestamp_ms=wire.timestamp,
        id=wire.id,
        outcome=wire.outcome,
        score=wire.score,
        rating=wire.rating,
        metrics=_present(wire.metrics),
        version=wire.version,
        unknown_keys=_unknown(LabelEvent, found),
    )


def _feature_values(found: dict[str, Any]) -> FeatureValues:
    wire = _validated(FeatureEvent, found)
    if len(wire.values) > MOST_VALUES:
        detail = f"has {len(wire.values)} values, at most {MOST_VALUES}; split them over several records"
        raise RejectedEvent("too_large", "values", detail)
    return FeatureValues(
        feature=wire.feature,
        source=wire.source,
        timestamp_ms=wire.timestamp,
        values=tuple(map(plain, wire.values)),
        unknown_keys=_unknown(FeatureEvent, found),
    )


def _serving(found: dict[str, Any]) -> Serving:
    wire = _validated(ServingEvent, found)
    if wire.model is None and wire.gpu is None:
        raise RejectedEvent("missing_field", "model", "is missing, and only a sample of a gpu has none")
    said = {name: getattr(wire, name) for name in ServingEvent.model_fields.keys() - {"timestamp", "metrics"}}
    return Serving(
        timestamp_ms=wire.timestamp,
        metrics=_present(wire.metrics),
        unknown_keys=_unknown(ServingEvent, found),
        **said,
    )


_READERS: dict[Stream, Callable[[dict[str, Any]], Event]] = {
    "predictions": _prediction,
    "labels": _label,
    "features": _feature_values,
    "serving": _serving,
}


def _present(values: Mapping[str, T | None] | None) -> dict[str, T]:
    """A mapping without its nulls: an absent segment or metric, spelled out."""
    return {name: value for name, value in (values or {}).items() if value is not None}


def _unknown(model: type[Wire], found: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(key for key in found if key not in model.model_fields)


def _validated(model: type[Model], found: dict[str, Any]) -> Model:
    try:
        return model.model_validate(found)
    except ValidationError as error:
        raise _refusal(error.errors(include_url=False)[0]) from None


#: Pydantic's own errors in JSON's words; all others come from the contract's types.
_WORDS = {
    "dict_type": "must be an object, not {got}",
    "model_type": "must be an object, not {got}",
    "list_type": "must be an array, not {got}",
    "literal_error": "must be {expected}",
}


def _refusal(error: ErrorDetails) -> RejectedEvent:
    """The first thing that pydantic found wrong, in the contract's reasons and words."""
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] == "missing":
        return RejectedEvent("missing_field", name, "is missing")
    if error["input"] is None:
        return RejectedEvent("missing_field", name, "is null")
    if error["type"] in _WORDS:
        words = _WORDS[error["type"]].format(got=kind_of(error["input"]), **error.get("ctx", {}))
        return RejectedEvent("wrong_type", name, words)
    return RejectedEvent(cast(Reason, error["type"]), name, error["msg"])
