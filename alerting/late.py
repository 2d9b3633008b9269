"""Catching up, live: an incident that is heard of long after it could have been may be over already, so it is not told at once.

Its openings are held for a while.  If it still fires then, it is told, and how late it was seen; a P0 is never held.  This is
the one place in which event time and the owner's clock meet, and only where the owner's clock is the present: in a replay
nothing is ever late.
"""

from __future__ import annotations

from alerting.draft import Draft
from alerting.incident import Incident
from schemas.findings import Finding


def late_by(draft: Draft, finding: Finding) -> int | None:
    """How long ago its verdict could have been given, the model's lateness allowed for; None where that is not long."""
    if draft.policy.clock == "event":
        return None
    late = draft.now - finding.at - draft.policy.lineage.latenesses.get(finding.model, 0)
    return late if late > draft.policy.timings.late_after else None


def held_until(incident: Incident) -> int | None:
    """Until when its openings are held.

    >>> [held_until(Incident("inc-1", "k", 0, 0, severity=severity, held=7)) for severity in ("P1", "P0")]
    [7, None]
    """
    return None if incident.severity == "P0" else incident.held
