"""Drift reports: what a window of a model looks like against its reference, one JSON object a judgement.

On the topic ``drift-reports``, in the model's history in Redis, and what the console draws.  Numbers carry their sample size
and the convention they were computed by; a number that has no meaning is null, never NaN.  Times are epoch milliseconds.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from schemas.findings import Value

SCHEMA = 1

State = Literal["ok", "drift", "not_enough_data", "no_traffic", "no_reference", "warming", "stale"]


class Measure(Value, frozen=True, omit_defaults=True):
    """One statistic; ``threshold`` is set where a rule decides by it, and ``exceeded`` whether it does."""

    value: float | None
    convention: str = "driftline"
    p_value: float | None = None
    expected: float | None = None
    threshold: float | None = None
    exceeded: bool = False


class ColumnCause(Value, frozen=True, omit_defaults=True):
    """What may have happened to a numeric column that drifts, in a few words.

    ``explained`` is the share of the distance from the reference that it accounts for, in ``n`` values of the window that ends
    ``at``: it is not looked for at every judgement.
    """

    family: str
    words: str
    explained: float
    n: int
    at: int
    parameters: dict[str, float | str] = msgspec.field(default_factory=dict)


class Column(Value, frozen=True, omit_defaults=True):
    """A feature's (or the prediction's) verdict in one window; ``n`` counts values, ``n_reference`` those it is held against.

    ``q`` is the rate of false discoveries among the features at which it would be one; ``discovery``: it is, by the budget's rate.
    ``awaits``: its calibrated test waits for a quiet stretch of the stream, and what the rule of thumb finds until then informs.
    """

    state: State
    n: int
    n_reference: int = 0
    n_eff: float | None = None
    missing_ratio: float | None = None
    mean: float | None = None
    measures: dict[str, Measure] = msgspec.field(default_factory=dict)
    cause: ColumnCause | None = None
    q: float | None = None
    discovery: bool = False
    awaits: bool = False


class Source(Value, frozen=True, kw_only=True, omit_defaults=True):
    """The numeric features of one source, tested together: ``features`` says of each by how many sd its middle moved.

    ``feature`` is the one that moved most surely.
    """

    state: State
    feature: str
    features: dict[str, Measure] = msgspec.field(default_factory=dict)
    measures: dict[str, Measure] = msgspec.field(default_factory=dict)


class Report(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One window ``[start, end)`` of one model; ``events`` with ``end`` number its revisions, ``late`` of them came late.

    ``earlier``: events of the earlier window that rolling features are held against; they number its revisions too.
    """

    model: str
    stream: str
    window: str
    start: int
    end: int
    seen: int
    state: State
    events: int
    late: int = 0
    earlier: int = 0
    reference: str = ""
    layout: str = ""
    generation: int = 0
    features: dict[str, Column] = msgspec.field(default_factory=dict)
    prediction: dict[str, Column] = msgspec.field(default_factory=dict)
    sources: dict[str, Source] = msgspec.field(default_factory=dict)
    serving: dict[str, Measure] = msgspec.field(default_factory=dict)
    #: Data quality of whole events; that of a column stands with the column.
    quality: dict[str, Measure] = msgspec.field(default_factory=dict)
    #: Share of the declared importance that is in drift, 0 to 1.
    drift_score: float | None = None
    #: Where the reference cannot calibrate the test, and no stretch of the stream was quiet yet: the end of the first window that
    #: may be judged by one.
    calibrated_from: int | None = None
    schema: int = SCHEMA


_DECODER = msgspec.json.Decoder(Report)


def encode(report: Report) -> bytes:
    """The record's value."""
    return msgspec.json.encode(report)


def decode(value: bytes) -> Report:
    """What ``encode`` wrote.

    :raises msgspec.DecodeError: it is damaged (``ValidationError``: of another shape).
    """
    return _DECODER.decode(value)
