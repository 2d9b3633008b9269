"""What passes between the register of deliveries and a receiver: a call, the message it carries, and the receipt.

Everything in a :class:`Message` is already decided: a receiver only renders it, cuts it to the vendor's limits and escapes
it.  It holds statistics, never a feature's raw values.  All times are integer epoch milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from schemas.findings import Kind, Severity

CallKind = Literal["open", "update", "close", "note", "digest"]
ReceiverKind = Literal["pagerduty", "slack", "alertmanager"]
#: Why a message is sent: the first of an incident at this receiver, it got worse, its picture changed, it was asked to be
#: said again, or it is over.
Reason = Literal["first", "worse", "update", "repeat", "closed"]


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a vendor, for one entry of the register; a digest is for what one channel was never told.

    ``entry`` names the entry (an incident at an address).  ``generation`` counts the vendor's own incidents of an entry: a
    worsening opens the next one.  ``dedup_key`` is PagerDuty's; ``thread`` is the timestamp of Slack's root message, None
    while it is not known.  ``doubt``: it was begun before and its end was never learned, so the vendor may have it already.
    ``why`` is the reason in words.
    """

    entry: str
    kind: CallKind
    generation: int
    severity: Severity
    address: str
    receiver_kind: ReceiverKind
    dedup_key: str
    thread: str | None
    why: str
    doubt: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """How a call went.  ``retry``: again, not before ``retry_after_s``; ``permanent``: it will never succeed.

    ``secret`` is the fingerprint of the secret that it was made with.
    """

    outcome: Literal["ok", "retry", "permanent"]
    retry_after_s: float | None = None
    thread: str | None = None
    why: str = ""
    secret: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One finding of an incident, as a line of a message."""

    subject: str
    rule: str
    severity: Severity
    firing: bool
    value: float | None = None
    peak: float | None = None
    threshold: float | None = None
    n: int | None = None
    p: float | None = None
    window: str | None = None
    #: What may have happened, in a few words.
    looks: str | None = None
    #: Which runbook it has.
    kind: Kind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a receiver shows of an incident.

    ``title`` says what matters in its first 80 characters.  ``members`` are the worst of the findings, worst first;
    ``firing`` and ``total`` count all of them.  It began after ``since_lo`` and no later than ``since_hi`` (event time).
    ``why`` puts ``reason`` into words; for a closed incident it is the true reason of its end.  ``links`` are ids of
    related incidents, ``probability`` is the cause's; where none stands out ``cause_clear`` is false and ``cause`` names the
    first few with theirs.  ``path`` is the console's page, ``history`` the lines of the thread, oldest first, each with its
    time, so that two changes are never one line.  ``ended`` is when it ended, on the clock of ``since_hi``.  ``late`` is by
    how much driftline itself was late, for it was catching up (ms).
    """

    incident: str
    severity: Severity
    worst: Severity
    state: Literal["firing", "resolved"]
    title: str
    models: tuple[str, ...]
    cause: str
    since_lo: int
    since_hi: int
    members: tuple[Evidence, ...]
    firing: int
    total: int
    reason: Reason
    why: str
    ended: int | None = None
    late: int | None = None
    probability: float | None = None
    cause_clear: bool = True
    acknowledged_by: str | None = None
    silenced_until: int | None = None
    links: tuple[str, ...] = ()
    owner: str | None = None
    path: str = ""
    history: tuple[str, ...] = ()
