"""What people do to incidents: acknowledge, resolve, merge, split, silence; and why an action has no effect, in words."""

from __future__ import annotations

from dataclasses import replace

from alerting.by_hand import merge, merge_refusal, split, split_refusal
from alerting.draft import Draft
from alerting.history import noted
from alerting.incident import Acknowledged, Incident, Member
from alerting.recovery import ended
from alerting.silences import silence_of, silence_problem
from alerting.state import Known, State
from schemas.actions import (
    Acknowledge,
    AddSilence,
    ExpireSilence,
    IncidentAction,
    MergeIncidents,
    Resolve,
    SplitIncident,
)
from schemas.findings import Severity


def refusal(state: State, action: IncidentAction) -> str | None:
    """Why an action would change nothing, in words for whoever asked; None: it will be done."""
    if isinstance(action, AddSilence):
        problem = silence_problem(action)
        past = action.ends <= state.now
        return problem or ("a silence must end in the future" if past else None)
    if isinstance(action, ExpireSilence):
        return None if action.silence in state.silences else f"there is no silence {action.silence}"
    if isinstance(action, MergeIncidents):
        return merge_refusal(state, action)
    if isinstance(action, SplitIncident):
        return split_refusal(state, action)
    incident = state.incidents.get(action.incident)
    if incident is None:
        return f"there is no incident {action.incident}"
    if not incident.live:
        return f"{incident.id} has ended: {incident.reason}"
    if incident.rollup is not None and isinstance(action, Resolve):
        return f"{incident.id} is a storm and ends by itself: acknowledge it, or resolve or silence what it stands for"
    return None


def act(draft: Draft, action: IncidentAction) -> None:
    """Take an action; one that is refused changes nothing."""
    if refusal(draft.before, action) is not None:
        return
    match action:
        case Acknowledge():
            _acknowledge(draft, draft.incidents[action.incident], action)
        case Resolve():
            _resolve(draft, draft.incidents[action.incident], action)
        case MergeIncidents():
            merge(draft, action)
        case SplitIncident():
            split(draft, action)
        case AddSilence():
            draft.silence(silence_of(action), action.silence)
        case ExpireSilence():
            draft.silence(None, action.silence)


def _acknowledge(draft: Draft, incident: Incident, action: Acknowledge) -> None:
    seen = incident.revision if action.revision is None else action.revision
    keys = frozenset(key for key, member in incident.members.table.rows() if member.joined <= seen)
    taken = Acknowledged(action.by, draft.now, severity_at(incident, seen), keys)
    if incident.acknowledged is not None and replace(incident.acknowledged, at=taken.at) == taken:
        return
    draft.incident(noted(replace(incident, acknowledged=taken), draft.now, f"acknowledged by {action.by}"))


def severity_at(incident: Incident, revision: int) -> Severity:
    """The incident's severity at a revision: what somebody saw who acted on it."""
    return next((before for at, before in incident.worsenings if at > revision), incident.severity)


def _resolve(draft: Draft, incident: Incident, action: Resolve) -> None:
    """End it.  What fires is shut at the severity that was seen; what came or got worse since will open anew."""
    seen = incident.revision if action.revision is None else action.revision
    over = ended(draft, noted(incident, draft.now, f"resolved by {action.by}"), "operator")
    shut: dict[str, dict[str, Known]] = {}
    for key, member in over.members.table.rows():
        known = draft.known(member.finding.model, key)
        if known is not None and member.active and member.joined <= seen:
            shut.setdefault(member.finding.model, {})[key] = replace(known, shut=_seen(member, seen))
    for model, keys in shut.items():
        draft.know_all(model, keys)


def _seen(member: Member, revision: int) -> Severity:
    if member.worsened is not None and member.worsened[0] > revision:
        return member.worsened[1]
    return member.finding.severity
