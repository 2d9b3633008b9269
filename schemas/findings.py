"""Findings: what evaluation concludes and the incident owner reads, one JSON object a record on the topic ``findings``.

A finding speaks when its state or severity changes (an edge) and again at each judgement while it fires (a refresh).  Beside
findings the topic carries progress marks: "this model's stream is judged up to here", by which a replay keeps event time's
order and time passes where nothing is found.  All times are epoch milliseconds.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

SCHEMA = 1

Severity = Literal["P0", "P1", "P2", "P3"]
SEVERITIES: tuple[Severity, ...] = ("P0", "P1", "P2", "P3")
FindingState = Literal["firing", "ok", "no_data", "stale", "removed"]
#: The kind of trouble; ``KIND_CLASS`` says whose it is.
Kind = Literal[
    "drift", "missing", "stale", "type", "range", "unseen", "stuck", "vanished", "duplicates", "skew",
    "prediction_drift", "performance", "error", "latency", "no_traffic", "burn", "release", "external", "gpu", "mark",
]  # fmt: skip
Class = Literal["data", "model", "serving", "gpu", "mark"]
KIND_CLASS: dict[Kind, Class] = {
    "drift": "data",
    "missing": "data",
    "stale": "data",
    "type": "data",
    "range": "data",
    "unseen": "data",
    "stuck": "data",
    "vanished": "data",
    "duplicates": "data",
    "skew": "data",
    "prediction_drift": "model",
    "performance": "model",
    "error": "serving",
    "latency": "serving",
    "no_traffic": "serving",
    "burn": "serving",
    "release": "serving",
    "external": "serving",
    "gpu": "gpu",
    "mark": "mark",
}


class Value(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message on the topic: not changed after it is built."""


class Onset(Value, frozen=True):
    """When it began: after ``lo`` and no later than ``hi``, with the stated coverage."""

    lo: int
    hi: int
    coverage: float = 0.95


class Effect(Value, frozen=True, omit_defaults=True):
    """What the drift does, as far as it is known; all fields may be empty until labels and business metrics are joined."""

    importance: float | None = None
    accuracy: float | None = None
    calibration: float | None = None
    business: float | None = None


class Finding(Value, frozen=True, tag="finding", tag_field="type", omit_defaults=True, kw_only=True):
    """One rule's verdict on one subject.

    ``key`` names rule, subject, segment and window; ``rev`` is (pane end, events in the window and in the one that it is
    held against), ordered as a pair, so a repeat and an older revision are recognised.  ``subject`` is a node of the lineage.
    ``at`` is the end of the judged pane in event time, ``seen`` when it was decided.  ``memory`` is how long it may go on firing
    after true recovery (its window).  ``about`` is the model that it names, where it is filed under another one.
    """

    key: str
    rev: tuple[int, int]
    state: FindingState
    model: str
    rule: str
    kind: Kind
    subject: str
    severity: Severity
    at: int
    seen: int
    onset: Onset
    memory: int = 0
    refresh_by: int | None = None
    segment: str | None = None
    window: str | None = None
    value: float | None = None
    threshold: float | None = None
    n: int | None = None
    n_eff: float | None = None
    p: float | None = None
    feature: str | None = None
    source: str | None = None
    owner: str | None = None
    about: str | None = None
    effect: Effect = Effect()
    evidence: dict[str, float | int | str | None] = msgspec.field(default_factory=dict)
    schema: int = SCHEMA

    @property
    def id(self) -> str:
        """A function of content: the same verdict found again has the same id."""
        return hashlib.sha256(f"{self.key}\0{self.rev[0]}\0{self.rev[1]}".encode()).hexdigest()[:24]

    @property
    def labels(self) -> dict[str, str]:
        """What routes and silences match."""
        pairs = {
            "severity": self.severity, "model": self.about or self.model, "feature": self.feature,
            "source": self.source, "kind": self.kind, "class": KIND_CLASS[self.kind], "rule": self.rule,
            "window": self.window, "segment": self.segment, "owner": self.owner, "subject": self.subject,
        }  # fmt: skip
        return {name: value for name, value in pairs.items() if value is not None}


class Progress(Value, frozen=True, tag="progress", tag_field="type", kw_only=True):
    """``stream`` of ``model`` is judged for all panes that end at or before ``at``; decided at ``seen``."""

    model: str
    stream: str
    at: int
    seen: int
    schema: int = SCHEMA


Message = Finding | Progress
_DECODER: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)
_ENCODER = msgspec.json.Encoder()


def finding_key(rule: str, subject: str, *, segment: str | None = None, window: str | None = None) -> str:
    """The key of a finding.

    >>> finding_key("psi", "flight-delay/temp", window="day")
    'psi|flight-delay/temp||day'
    """
    return "|".join((rule, subject, segment or "", window or ""))


def encode(message: Message) -> bytes:
    """The record's value."""
    return _ENCODER.encode(message)


def decode(value: bytes) -> Message:
    """What ``encode`` wrote.

    :raises msgspec.DecodeError: it is damaged (``ValidationError``: of another shape).
    """
    return _DECODER.decode(value)
