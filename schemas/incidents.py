"""Incidents as everybody sees them: the document on the compacted topic ``incidents``, in Redis, the console and the CLI.

The owner's working state is :mod:`alerting.state`; this is what it says of itself.  Times are epoch milliseconds: ``at``-like
fields (onset, since) in event time, the rest by the owner's clock.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from schemas.findings import Kind, Severity, Value

SCHEMA = 1

IncidentState = Literal["pending", "open", "recovering", "ended"]
#: The reason an incident ended, always the true one.
EndReason = Literal["recovered", "no_data", "removed", "operator", "expired", "merged", "calm"]


class Cause(Value, frozen=True):
    """A candidate cause and how probable it is; ``unknown`` is one of them.  Equal probabilities are a tie."""

    node: str
    probability: float


class MemberView(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One finding in an incident: how it joined, what it says now."""

    key: str
    subject: str
    model: str
    kind: Kind
    rule: str
    state: str
    severity: Severity
    joined_by: str
    at: int
    onset_lo: int
    onset_hi: int
    feature: str | None = None
    source: str | None = None
    window: str | None = None
    value: float | None = None
    peak: float | None = None
    threshold: float | None = None
    p: float | None = None
    n: int | None = None
    silenced: bool = False
    evidence: dict[str, float | int | str | None] = msgspec.field(default_factory=dict)


class DeliveryView(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What one receiver address was told: ``believes`` is what it may believe now.

    ``since``: where that is not what it should be, since when it is not, as far as that is known.
    """

    receiver: str
    address: str
    kind: str
    wants: str
    believes: str
    confirmed: bool = True
    since: int | None = None
    failed: str | None = None
    dedup_key: str | None = None
    thread: str | None = None


class IncidentView(Value, frozen=True, kw_only=True, omit_defaults=True):
    """The whole incident, and of its findings the worst: ``more_members`` are not listed, ``more_firing`` of them fire."""

    id: str
    revision: int
    state: IncidentState
    severity: Severity
    worst: Severity
    title: str
    opened: int
    updated: int
    since_lo: int
    since_hi: int
    models: tuple[str, ...] = ()
    causes: tuple[Cause, ...] = ()
    members: tuple[MemberView, ...] = ()
    more_members: int = 0
    more_firing: int = 0
    deliveries: tuple[DeliveryView, ...] = ()
    links: tuple[str, ...] = ()
    acknowledged_by: str | None = None
    acknowledged_at: int | None = None
    flips: int = 0
    ended: int | None = None
    end_reason: EndReason | None = None
    schema: int = SCHEMA


class SilenceView(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A silence, as listed."""

    id: str
    matchers: tuple[str, ...]
    starts: int
    ends: int
    by: str
    comment: str = ""


class WithKept(msgspec.Struct, frozen=True):
    """What the topic's document has besides: ``kept`` is the owner's own part of it, no contract (:mod:`alerting.keeping`)."""

    id: str
    ended: int | None = None
    kept: msgspec.Raw = msgspec.Raw()


_DECODER = msgspec.json.Decoder(IncidentView)
_WITH_KEPT = msgspec.json.Decoder(WithKept)
_SILENCE_DECODER = msgspec.json.Decoder(SilenceView)


def encode(view: IncidentView | SilenceView) -> bytes:
    """The document's JSON."""
    return msgspec.json.encode(view)


def decode(value: bytes) -> IncidentView:
    """:raises msgspec.DecodeError: it is damaged (``ValidationError``: of another shape)."""
    return _DECODER.decode(value)


def with_kept(document: bytes, part: bytes) -> bytes:
    """A document as it goes to Kafka.

    >>> with_kept(b'{"id":"inc-1"}', b'{"now":7}')
    b'{"id":"inc-1","kept":{"now":7}}'
    """
    return document[:-1] + b',"kept":' + part + b"}"


def decode_kept(value: bytes) -> WithKept:
    """The id of a document, when it ended, and the part that is kept with it; an older program's has none.

    :raises msgspec.DecodeError: it is damaged (``ValidationError``: of another shape).
    """
    return _WITH_KEPT.decode(value)


def decode_silence(value: bytes) -> SilenceView:
    """:raises msgspec.DecodeError: it is damaged (``ValidationError``: of another shape)."""
    return _SILENCE_DECODER.decode(value)
