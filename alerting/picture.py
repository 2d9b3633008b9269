"""What a receiver shows of an incident, as two texts that are compared: a difference means an edit.

Values are left out: they change at every judgement, and nobody needs an edit for that.
"""

from __future__ import annotations

from alerting.cause import likely, stands_out
from alerting.incident import Incident, Picture
from alerting.members import ACTIVE, EXPLAINED
from alerting.totals import totals
from alerting.wanted import all_silenced_until


def picture_of(incident: Incident) -> Picture:
    """The incident's picture."""
    members, said = incident.members, totals(incident)
    blind = members.active > 0 and said.counts.blind == members.active
    taken, rollup = incident.acknowledged, incident.rollup
    urgent = (
        incident.state,
        incident.severity,
        taken.by if taken is not None else "",
        (all_silenced_until(incident) if rollup is None else rollup.silenced) or "",
        "blind" if blind else "",
        incident.outlived or "",
    )
    cause = likely(incident) if stands_out(incident.causes) else "unclear"
    subjects = members.subjects_with(ACTIVE)
    detail = (members.active, subjects, len(members), said.counts.muted, cause, *incident.links)
    explained = members.subjects_with(EXPLAINED)
    if explained:
        detail = (*detail, f"explained {explained}")
    if rollup is not None:
        detail = (rollup.waiting, 0, rollup.taken, 0, "", *incident.links)
    return Picture("|".join(map(str, urgent)), "|".join(map(str, detail)))
