"""Decisions on releases: what evaluation concludes of a new version, one JSON object a record on the topic ``releases``.

A router obeys the newest decision of a model: it sends ``share`` of the requests to ``challenger`` and the others to ``champion``.
The key is the model, so decisions of one model keep their order; the same decision told again has the same ``id``.  All times are
epoch milliseconds of event time.
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

from schemas.actions import ReleaseOrder
from schemas.findings import Value

SCHEMA = 1

#: What was decided; ``resume`` ends a person's hold; ``roll_back`` and ``complete`` are the last words on a release.
Kind = Literal["begin", "promote", "hold", "resume", "roll_back", "complete"]
#: How a rule finds the challenger: ``both`` is as bad a champion, ``unknown`` too little to say.
Grade = Literal["well", "doubtful", "bad", "both", "unknown"]
Rule = Literal["errors", "latency", "rating", "drift"]
Quantity = Literal["success", "latency", "rating"]
#: Why; what each means is in ``docs/releases.md``.
Code = Literal[
    "begun", "healthy", "errors", "latency", "rating", "drift", "worse_success", "worse_latency", "worse_rating",
    "doubtful", "both_unhealthy", "never_seen", "no_traffic", "champion_no_traffic", "not_enough_requests", "settling",
    "sample_ratio", "leaking", "removed", "superseded", "swapped", "held", "resumed", "ordered", "told",
]  # fmt: skip


class Reason(Value, frozen=True):
    """Why something was decided, for programs (``code``) and for people (``text``)."""

    code: Code
    text: str


class Check(Value, frozen=True, omit_defaults=True):
    """One health rule on one window: the challenger's value beside its limit and the champion's value.

    ``p`` is how likely as much were by chance in a version that just keeps the limit; requests of one id count as one.
    """

    rule: Rule
    grade: Grade
    limit: float
    n: int
    value: float | None = None
    champion: float | None = None
    p: float | None = None


class Compared(Value, frozen=True, omit_defaults=True):
    """Challenger less champion since the share holds, with a confidence sequence: valid whenever it is looked at.

    ``p`` is always valid and two-sided; ``d`` is Cohen's d (of success: of its 0 and 1) with a 95 % interval.
    """

    quantity: Quantity
    n: int
    n_champion: int
    difference: float
    low: float
    high: float
    p: float
    d: float | None = None
    d_low: float | None = None
    d_high: float | None = None


class Ordered(Value, frozen=True):
    """What a person ordered: ``at`` is when, by Redis' clock."""

    order: ReleaseOrder
    by: str
    at: int
    comment: str


class Evidence(Value, frozen=True, omit_defaults=True):
    """The health window that decided; none where a file or a person did (``order``: what they ordered).

    ``requests`` and ``champion_requests`` are of the whole window, ``observed_share`` of the part of it in which the router could
    know the share; ``leak`` is about 0 where ids stick to a version, and 1 where they stick to none.
    """

    start: int | None = None
    end: int | None = None
    requests: int = 0
    champion_requests: int = 0
    observed_share: float | None = None
    leak: float | None = None
    checks: tuple[Check, ...] = ()
    compared: tuple[Compared, ...] = ()
    order: Ordered | None = None


class Decision(Value, frozen=True, kw_only=True, omit_defaults=False):
    """What is to be done from now on: ``share`` of the requests go to the challenger.

    ``number`` counts the decisions on this release from 1; ``at`` is the end of the health window.
    """

    model: str
    release: str
    champion: str
    challenger: str
    number: int
    at: int
    decision: Kind
    share: float
    reasons: tuple[Reason, ...]
    evidence: Evidence = Evidence()
    schema: int = SCHEMA

    @property
    def id(self) -> str:
        """A function of content: the same decision told again has the same id."""
        return _digest(self.release, str(self.number), str(self.at), self.decision)


def release_id(model: str, champion: str, challenger: str, *, begun_ms: int) -> str:
    """The name of a release: the same versions tried again later are another one.

    >>> release_id("m", "3", "4", begun_ms=0)
    'rel-aa42ec680d'
    """
    return f"rel-{_digest(model, champion, challenger, str(begun_ms))[:10]}"


def encode(decision: Decision) -> bytes:
    """The record's value."""
    return msgspec.json.encode(decision)


def decode(value: bytes) -> Decision:
    """What ``encode`` wrote.

    :raises msgspec.DecodeError: it is damaged (``ValidationError``: of another shape).
    """
    return _DECODER.decode(value)


_DECODER = msgspec.json.Decoder(Decision)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]
