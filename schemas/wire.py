"""Events as producers write them: the strict pydantic contract, and the source of the published JSON Schema.

Numbers are numbers (neither ``true`` nor ``"1.5"``), names are strings.  Keys that are not listed here are
left out by the models and counted by whoever reads them.  A feature's value may be anything: its monitor
judges its type.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from schemas.errors import RejectedEvent
from schemas.timestamps import EARLIEST_MS, LATEST_MS, timestamp_ms_of

#: A number of either kind.
Real = TypeVar("Real", bound=float)

_KINDS = {
    type(None): "null",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    str: "a string",
    list: "an array",
    dict: "an object",
}


def kind_of(value: object) -> str:
    """What JSON calls a value, for a message that must not show the value itself."""
    return _KINDS.get(type(value), type(value).__name__)


def as_float(value: int) -> float:
    """An integer as a float; beyond the largest float it is infinite, as 1e400 is.

    >>> as_float(-10**400)
    -inf
    """
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def plain(value: Any) -> Any:
    """A feature's value with integers that no float can hold made infinite, also inside an embedding."""
    if type(value) is int and value.bit_length() > 1023:
        return as_float(value)
    if type(value) is list:
        return [plain(item) if type(item) is int else item for item in value]
    return value


def _number(value: object) -> float:
    if type(value) is float:
        return value
    if type(value) is int:
        return as_float(value)
    raise _wrong("a number", value)


def _count(value: object) -> int | float:
    return plain(value) if type(value) is int else _number(value)


def _amount(value: object) -> float:
    return _not_negative(_number(value))


def _tokens(value: object) -> int | float:
    return _not_negative(_count(value))


def _not_negative(value: Real) -> Real:
    """NaN is no number, and counted as such; whoever sends less than nothing has a clock or a sum that is wrong."""
    if value < 0:
        raise PydanticCustomError("out_of_range", "must not be negative")
    return value


def _text(value: object) -> str:
    if type(value) is str:
        return value
    raise _wrong("a string", value)


def _name(value: object) -> str:
    if type(value) is int:
        return str(value)
    if type(value) is str:
        return value
    raise _wrong("a string or an integer", value)


def _outcome(value: object) -> str | int | float:
    if type(value) is str:
        return value
    if type(value) is int or type(value) is float:
        return _count(value)
    raise _wrong("a class name or a number", value)


def _timestamp(value: object) -> int:
    try:
        return timestamp_ms_of(value)
    except RejectedEvent as refused:
        raise PydanticCustomError(refused.reason, "{detail}", {"detail": refused.detail}) from None


def _wrong(wanted: str, value: object) -> PydanticCustomError:
    return PydanticCustomError("wrong_type", "must be {wanted}, not {got}", {"wanted": wanted, "got": kind_of(value)})


Number = Annotated[float, PlainValidator(_number), WithJsonSchema({"type": "number"})]
Amount = Annotated[float, PlainValidator(_amount), WithJsonSchema({"type": "number", "minimum": 0})]
Tokens = Annotated[int | float, PlainValidator(_tokens), WithJsonSchema({"type": "number", "minimum": 0})]
Text = Annotated[str, PlainValidator(_text), WithJsonSchema({"type": "string"})]
Name = Annotated[str, PlainValidator(_name), WithJsonSchema({"type": ["string", "integer"]})]
Outcome = Annotated[str | int | float, PlainValidator(_outcome), WithJsonSchema({"type": ["string", "number"]})]
Timestamp = Annotated[
    int,
    PlainValidator(_timestamp),
    WithJsonSchema(
        {
            "description": "epoch milliseconds, or RFC 3339 with an offset",
            "anyOf": [
                {"type": "number", "minimum": EARLIEST_MS, "maximum": LATEST_MS},
                {"type": "string", "format": "date-time"},
            ],
        }
    ),
]
Status = Literal["success", "error"]


class Wire(BaseModel):
    """What all events share: strict types; keys of others are no error."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class PredictionPart(Wire):
    """What the model said: any of these.  ``score`` is the probability of the positive class."""

    score: Number | None = None
    label: Name | None = None
    value: Number | None = None
    confidence: Number | None = None


class PredictionEvent(Wire):
    """One prediction: what the model was given, what it said, and how the request went."""

    model: Text
    timestamp: Timestamp
    version: Name | None = None
    id: Name | None = Field(None, description="by which a label finds this prediction")
    features: dict[str, Any] | None = Field(None, description="feature -> its value; an array is an embedding")
    prediction: PredictionPart | None = None
    latency_s: Amount | None = None
    status: Status | None = None
    service: Text | None = None
    segments: dict[str, Name | None] | None = None
    input_tokens: Tokens | None = None
    output_tokens: Tokens | None = None
    shadow_of: Text | None = None


class LabelEvent(Wire):
    """What turned out to be true.  Needs ``id`` unless it carries the ``score`` it is about."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["id"]}, {"required": ["score"]}]},
    )

    model: Text
    timestamp: Timestamp
    id: Name | None = None
    version: Name | None = None
    outcome: Outcome | None = Field(None, description="0 or 1, a class name, or a number")
    score: Number | None = None
    rating: Number | None = None
    metrics: dict[str, Number | None] | None = None


class FeatureEvent(Wire):
    """Values of a feature as the feature store wrote them, for every model that declares it."""

    feature: Text
    source: Text
    timestamp: Timestamp
    values: list[Any]


class ServingEvent(Wire):
    """One request as the serving side saw it, or a sample of a GPU.  Needs ``model`` or ``gpu``."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["model"]}, {"required": ["gpu"]}]},
    )

    timestamp: Timestamp
    model: Text | None = None
    version: Name | None = None
    status: Status | None = None
    latency_s: Amount | None = None
    input_tokens: Tokens | None = None
    output_tokens: Tokens | None = None
    perplexity: Amount | None = None
    rating: Number | None = None
    service: Text | None = None
    gpu: Name | None = None
    uuid: Text | None = None
    host: Text | None = None
    metrics: dict[str, Number | None] | None = None


class ControlRecord(Wire):
    """Not an event: the producer's word that nothing older than ``timestamp`` follows in this partition."""

    control: Literal["watermark"]
    timestamp: Timestamp
