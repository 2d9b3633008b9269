"""What the incident core takes: findings and progress, what people do, and what configuration and senders report.

Findings and actions come from topics (:mod:`schemas.findings`, :mod:`schemas.actions`); the rest from the owner itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from alerting.deliveries import Call
from alerting.policy import Policy
from schemas.actions import IncidentAction
from schemas.findings import Finding, Progress


@dataclass(frozen=True, slots=True, eq=False)
class Configure:
    """Another policy is in force from now on."""

    policy: Policy


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passes."""


@dataclass(frozen=True, slots=True)
class Began:
    """A sender is about to make this call: to be stored before it does.

    ``thread``: how what may be there from then on is found, where the call's key does not say so.
    """

    entry: str
    call: Call
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The vendor took the call; ``thread`` is the timestamp of Slack's root message where it gave one."""

    entry: str
    call: Call
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The call failed; ``permanent``: this address will not take this incident again under this secret (a fingerprint)."""

    entry: str
    call: Call
    permanent: bool
    why: str
    secret: str = ""


Sent = Began | Confirmed | Failed
Input = Finding | Progress | IncidentAction | Configure | Tick | Sent
