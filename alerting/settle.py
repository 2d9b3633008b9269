"""Settling an incident: after anything touched it, everything that follows is worked out once, in one order.

Event time passes for its members, severity and state follow, then the likely cause, then what every address should see, and
at last when time alone will change something again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from alerting.cause import causes_of
from alerting.draft import Draft
from alerting.history import noted
from alerting.incident import Incident, Member
from alerting.members import Members
from alerting.missed import note_missed
from alerting.outliving import outlived
from alerting.picture import picture_of
from alerting.reconcile import reconcile
from alerting.recovery import aged, event_due, moved
from alerting.silences import edge_passed
from alerting.storm import weathered
from alerting.timers import over, scheduled
from alerting.wanted import first_ready, muted, reached, seen_severity
from schemas.incidents import IncidentState

#: So many worsenings are remembered, for actions on what was seen before them.
WORSENINGS = 8


def settle(draft: Draft, name: str) -> None:
    """Settle an incident that was touched."""
    incident = draft.incidents[name]
    if incident.live:
        incident = _alive(draft, incident) if incident.rollup is None else weathered(draft, incident, incident.rollup)
        incident = incident if incident.live else note_missed(draft, incident)
    incident = _entered(draft, incident, rings=_outlives(draft, incident))
    if incident is not draft.before.incidents.get(name):
        incident = draft.incident(replace(incident, revision=_revision(draft, name) + 1, updated=draft.now))
    if over(draft, incident):
        draft.forget(incident)


def refreshed(draft: Draft, name: str, members: Mapping[str, Member], *, verdicts: int) -> None:
    """Settle an incident of which nothing changed but numbers and times of members that fire, by so many verdicts.

    They decide only when time alone changes something again.
    """
    incident = draft.incidents[name]
    incident = draft.incident(
        replace(
            incident,
            members=incident.members.again(members),
            revision=incident.revision + verdicts,
            updated=draft.now,
        )
    )
    due = event_due(draft, incident)
    scheduled(draft, incident if due == incident.event_due else draft.incident(replace(incident, event_due=due)))


def rerouted(draft: Draft, incident: Incident) -> Incident:
    """Every member with its routes under the policy in force."""
    pairs = ((member, reached(draft.policy, member)) for _, member in incident.members.table.rows())
    return draft.members(incident, {new.finding.key: new for member, new in pairs if new.reach != member.reach})


def _alive(draft: Draft, incident: Incident) -> Incident:
    incident = outlived(draft, _routed(draft, aged(draft, incident)))
    incident = moved(draft, _opened(draft, _graded(draft, incident)))
    if not _news(draft, incident):
        return incident
    return draft.incident(replace(incident, causes=causes_of(incident, draft), weighed=len(incident.members)))


def _entered(draft: Draft, incident: Incident, *, rings: bool) -> Incident:
    """The incident with its picture, its entries and its deadlines."""
    picture = picture_of(incident)
    if picture != incident.picture:
        incident = draft.incident(replace(incident, picture=picture))
    incident = reconcile(draft, incident, rings=rings)
    due = event_due(draft, incident) if incident.live else None
    if due != incident.event_due:
        incident = draft.incident(replace(incident, event_due=due))
    return scheduled(draft, incident)


def _routed(draft: Draft, incident: Incident) -> Incident:
    """The incident with routes and silences of the members that changed; silences of all when one begins or ends."""
    before = draft.before.incidents.get(incident.id)
    changed = dict(incident.members.differing(Members() if before is None else before.members))
    new = {key: muted(draft, incident.id, reached(draft.policy, member)) for key, member in changed.items()}
    if draft.silences is not draft.before.silences or edge_passed(draft.silences.values(), draft.before.now, draft.now):
        others = (row for row in incident.members.table.rows() if row[0] not in changed)
        new |= {key: muted(draft, incident.id, member) for key, member in others}
    changes = {key: member for key, member in new.items() if member is not incident.members[key]}
    return draft.members(incident, changes) if changes else incident


def _graded(draft: Draft, incident: Incident) -> Incident:
    """The incident with the severity of what has a say; a worsening is remembered."""
    severity = seen_severity(incident)
    if severity == incident.severity:
        return incident
    changed = replace(incident, severity=severity, worst=min(severity, incident.worst))
    if severity < incident.severity:
        worsenings = (*incident.worsenings, (_revision(draft, incident.id) + 1, incident.severity))[-WORSENINGS:]
        changed = replace(changed, worsenings=worsenings)
    return draft.incident(noted(changed, draft.now, f"{incident.severity} → {severity}"))


def _opened(draft: Draft, incident: Incident) -> Incident:
    if not incident.firing:
        return incident
    ready = incident.state == "open" or first_ready(draft.policy, incident) <= draft.now
    state: IncidentState = "open" if ready else "pending"
    return incident if incident.state == state else draft.incident(replace(incident, state=state))


def _outlives(draft: Draft, incident: Incident) -> bool:
    before = draft.before.incidents.get(incident.id)
    return incident.outlived is not None and (before is None or before.outlived is None)


def _revision(draft: Draft, name: str) -> int:
    before = draft.before.incidents.get(name)
    return 0 if before is None else before.revision


def _news(draft: Draft, incident: Incident) -> bool:
    """The likely cause has to be weighed again: findings joined, or the cause that was there is over.

    A large incident is weighed when it has grown by an eighth, so that a storm costs no more than its findings.
    """
    grown = len(incident.members) - incident.weighed
    return _outlives(draft, incident) or grown > incident.weighed // 8
