"""Severity: worse at once, better by the worst of the last hold; and how long a hold is.

``P0`` is the worst, so of two severities the lesser text is the worse.  Holds are event time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from alerting.incident import Incident, Lowered, Member
from alerting.policy import Timings
from alerting.totals import totals
from schemas.findings import Severity

#: From here on a worsening rings even where somebody has the incident already.
PAGING: Severity = "P1"


def worse(severity: Severity | None, than: Severity | None) -> bool:
    """Whether the first is worse; None is clear.

    >>> worse("P1", "P2"), worse("P1", "P1"), worse("P3", None), worse(None, "P3")
    (True, False, True, False)
    """
    return _rank(severity) < _rank(than)


def worst(severities: Iterable[Severity | None]) -> Severity | None:
    """The worst of them."""
    return min(severities, key=_rank, default=None)


def asked(member: Member) -> Severity | None:
    """The severity that its finding asks for now; None: clear."""
    return member.finding.severity if member.active else None


def hold_of(step: int, timings: Timings) -> int:
    """How long a finding must stay better before it counts: two judgements at least.

    A verdict once a day that is clear on one day and fires on the next would otherwise end and open an incident each time.

    >>> hold_of(86_400_000, Timings()) == 2 * 86_400_000
    True
    """
    return max(timings.recover_hold, 2 * step)


def recovery_hold(incident: Incident, timings: Timings) -> int:
    """How long all must be clear before an incident ends: doubled at each return, to a limit."""
    return int(hold_of(totals(incident).most.step, timings) * min(timings.hold_cap, 2**incident.flips))


def graded(member: Member) -> Member:
    """The member once its newest verdict is taken into account: a worse one at once, a better one after the hold."""
    now = asked(member)
    if not worse(member.severity, now):
        return replace(_relapsed(member, now), severity=now, lowered=None)
    if member.lowered is None:
        return replace(member, lowered=Lowered(member.finding.at, now))
    return replace(member, lowered=Lowered(member.lowered.at, worst((member.lowered.severity, now))))


def _relapsed(member: Member, now: Severity | None) -> Member:
    """Back at a severity that it had before is a relapse; worse than ever is not."""
    back = worse(now, member.severity) and not worse(now, member.worst)
    return replace(member, worst=worst((member.worst, now)), relapses=member.relapses + back)


def lowered_due(member: Member, timings: Timings) -> int | None:
    """The event time at which a better severity counts: each time later, for what wobbles would ring at every return."""
    if member.lowered is None:
        return None
    return int(member.lowered.at + hold_of(member.rhythm, timings) * min(timings.hold_cap, 2**member.relapses))


def eased(member: Member) -> Member:
    """The member after its hold: the worst of it counts from now on, and the rest waits for its own hold."""
    if member.lowered is None:
        return member
    severity, now = member.lowered.severity, asked(member)
    rest = Lowered(member.finding.at, now) if worse(severity, now) else None
    return replace(member, severity=severity, lowered=rest)


def _rank(severity: Severity | None) -> str:
    return severity or "P9"
