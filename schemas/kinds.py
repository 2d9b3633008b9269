"""The events as the program holds them: frozen values, times in integer epoch milliseconds, names as strings.

They are what :func:`schemas.events.parse_record` returns; how producers write them is :mod:`schemas.wire`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.errors import Reason

#: Any JSON value: a number, a boolean, a string, null, an array or an object.  Its monitor judges its type.
FeatureValue = float | int | bool | str | None | list[Any] | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Prediction:
    """One prediction.  ``label`` is a class, ``value`` a regression's number, ``latency_s`` seconds."""

    model: str
    timestamp_ms: int
    version: str | None = None
    id: str | None = None
    features: Mapping[str, FeatureValue] = field(default_factory=dict)
    score: float | None = None
    label: str | None = None
    value: float | None = None
    confidence: float | None = None
    latency_s: float | None = None
    status: str | None = None
    service: str | None = None
    segments: Mapping[str, str] = field(default_factory=dict)
    input_tokens: int | float | None = None
    output_tokens: int | float | None = None
    unknown_keys: tuple[str, ...] = ()
    shadow_of: str | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """What turned out to be true of the prediction ``id``, or of the ``score`` that it carries."""

    model: str
    timestamp_ms: int
    id: str | None = None
    outcome: str | int | float | None = None
    score: float | None = None
    rating: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    version: str | None = None
    unknown_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FeatureValues:
    """Values of one feature as its source wrote them."""

    feature: str
    source: str
    timestamp_ms: int
    values: tuple[FeatureValue, ...] = ()
    unknown_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Serving:
    """One request as the serving side saw it; without a model, a sample of a GPU."""

    model: str | None
    timestamp_ms: int
    version: str | None = None
    status: str | None = None
    latency_s: float | None = None
    input_tokens: int | float | None = None
    output_tokens: int | float | None = None
    perplexity: float | None = None
    rating: float | None = None
    service: str | None = None
    gpu: str | None = None
    uuid: str | None = None
    host: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    unknown_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Watermark:
    """A control record: nothing older than ``timestamp_ms`` follows in this partition."""

    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """A refused event: why, which field, and its place in an array or batch (None: the whole record)."""

    reason: Reason
    field: str
    detail: str
    index: int | None = None


Event = Prediction | Label | FeatureValues | Serving | Watermark
