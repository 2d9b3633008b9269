"""From firing to ended: how an incident rests, returns, goes blind, outlives its cause and is over.

It ends when everything has been clear for the hold, in event time.  A silent model has no event time, so two limits are the
owner's clock's: how long an incident stays open of which nothing is known, and how long one that is clear waits for a word.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from alerting.draft import Draft
from alerting.history import noted
from alerting.incident import Incident, Member
from alerting.severity import eased, lowered_due, recovery_hold
from schemas.incidents import EndReason


def aged(draft: Draft, incident: Incident) -> Incident:
    """Let event time pass for the members: overdue ones go blind; better severities count after their hold."""
    active = incident.firing
    changes: dict[str, Member] = {}
    for key, member in incident.members.items():
        new = _overdue(draft, member)
        due = lowered_due(new, draft.policy.timings)
        # While everything rests the incident is held as it is.
        while active and due is not None and due <= draft.clock(member.finding.model):
            new = eased(new)
            due = lowered_due(new, draft.policy.timings)
        if new.severity is None and member.severity is not None:
            draft.release(new)
        if new is not member:
            changes[key] = new
    return draft.members(incident, changes) if changes else incident


def _overdue(draft: Draft, member: Member) -> Member:
    due = overdue_at(member)
    if member.state != "firing" or due is None or due > draft.clock(member.finding.model):
        return member
    return replace(member, state="blind", blind=draft.now)


def overdue_at(member: Member) -> int | None:
    """The event time from which a finding that should have been said again counts as unknown: two judgements missed."""
    by = member.finding.refresh_by
    return None if by is None or member.step <= 0 else by + 2 * member.step


def removed(draft: Draft, incident: Incident) -> Incident:
    """Clear what belongs to models that are not watched any more."""
    panes = draft.policy.lineage.panes
    gone = {
        key: without(replace(member, finding=msgspec.structs.replace(member.finding, state="removed")))
        for key, member in incident.members.items()
        if member.finding.model not in panes and member.finding.state != "removed"
    }
    for member in gone.values():
        draft.release(member)
    return draft.members(incident, gone) if gone else incident


def without(member: Member) -> Member:
    """A member whose rule was removed: it cannot come back by itself, so no hold is waited for."""
    cleared = member.finding.at if member.cleared is None else member.cleared
    return replace(member, state="clear", cleared=cleared, severity=None, lowered=None, blind=None)


def outlived(draft: Draft, incident: Incident) -> Incident:
    """What still fires after its upstream findings ended, and after lag, memory and slack, stands alone: its ack is void."""
    due = outlived_due(draft, incident)
    active = (member.finding.model for member in incident.members.values() if member.active)
    if due is None or any(draft.clock(model) < due[0] for model in active):
        return incident
    text = f"still fires although {due[1].finding.subject} recovered"
    incident = replace(incident, outlived=due[1].finding.key, acknowledged=None)
    return draft.incident(noted(incident, draft.now, text))


def outlived_due(draft: Draft, incident: Incident) -> tuple[int, Member] | None:
    """The event time from which no recovered member upstream of all that fires explains it, and the last of those."""
    active = [member for member in incident.members.values() if member.active]
    if incident.outlived is not None or not active:
        return None
    clear = (member for member in incident.members.values() if member.cleared is not None and not member.active)
    dues = ((_explained_until(draft, member, active), member) for member in clear)
    return max(((due, member) for due, member in dues if due is not None), key=lambda found: found[0], default=None)


def _explained_until(draft: Draft, upstream: Member, active: list[Member]) -> int | None:
    cleared = upstream.cleared or 0
    last = cleared
    for member in active:
        path = draft.policy.lineage.above(member.finding.subject).get(upstream.finding.subject)
        if path is None or path.hops == 0:
            return None
        last = max(last, cleared + path.hi + member.finding.memory + draft.policy.timings.slack)
    return last


def moved(draft: Draft, incident: Incident) -> Incident:
    """The incident with its state brought up to date; ended if it is over."""
    if incident.firing:
        return _blinded(draft, incident)
    if incident.resting is None:
        incident = noted(replace(incident, resting=draft.now, state="recovering"), draft.now, "everything clear")
    waiting = _waiting(incident)
    if not waiting:
        return ended(draft, incident, "removed")
    if rested(draft, waiting) >= clear_since(waiting) + recovery_hold(incident, draft.policy.timings):
        return ended(draft, incident, "recovered")
    due = expires(draft, incident)
    return ended(draft, incident, "expired") if due is not None and due <= draft.now else incident


def _blinded(draft: Draft, incident: Incident) -> Incident:
    due = blind_until(draft, incident)
    if due is None or due > draft.now:
        return incident
    silent = any(member.finding.state != "firing" for member in incident.members.values() if member.active)
    return ended(draft, incident, "no_data" if silent else "expired")


def blind_until(draft: Draft, incident: Incident) -> int | None:
    """When an incident of which nothing is known any more is closed; None: something of it is known."""
    latest: int | None = None
    steps: dict[str, tuple[int, int]] = {}
    for member in incident.members.values():
        if member.state == "blind" and member.blind is not None:
            latest = member.blind if latest is None else max(latest, member.blind)
        elif member.state != "clear":
            if member.finding.refresh_by is None or member.step <= 0:
                return None  # It does not have to be said again.
            step, said = steps.get(member.finding.model, (0, 0))
            steps[member.finding.model] = max(step, member.step), max(said, member.finding.seen)
    limit = draft.policy.timings.blind_limit
    silent = (_silent_until(draft, model, step, said=said) for model, (step, said) in steps.items())
    return max((*silent, *(() if latest is None else (latest + limit,))), default=None)


def _silent_until(draft: Draft, model: str, step: int, *, said: int) -> int:
    """When what a model said is given up if it says nothing at all any more.

    Its event time stands still then, so nothing is ever overdue by it.  What counts is when the model was heard last, or when
    this was said again (``said``): that nothing comes is said while event time stands.  After two missed judgements the limit
    runs.  Rounded up, so that not every word of the model sets another deadline.
    """
    limit = draft.policy.timings.blind_limit
    grain = max(1, limit // 24)
    return -(-(max(draft.heard(model).heard, said) + 3 * step + limit) // grain) * grain


def ended(draft: Draft, incident: Incident, reason: EndReason) -> Incident:
    """End it: its findings may join elsewhere from now on."""
    for member in incident.members.values():
        known = draft.known(member.finding.model, member.finding.key)
        if known is not None and known.home == incident.id:
            draft.release(member)
    at = max((member.cleared or member.finding.at for member in incident.members.values()), default=0)
    over = replace(incident, state="ended", ended=draft.now, ended_at=at, reason=reason)
    return draft.incident(noted(over, draft.now, f"ended: {REASONS[reason]}"))


REASONS: dict[EndReason, str] = {
    "recovered": "recovered",
    "no_data": "no data any more",
    "removed": "its rules were removed",
    "operator": "resolved by an operator",
    "expired": "nothing was heard of it any more",
    "merged": "it is the same fault as another that nobody was told of yet",
    "calm": "the storm is over: what still fires is told by itself",
}


def _waiting(incident: Incident) -> list[Member]:
    """The members whose recovery has to be waited for: those with a say that were not removed."""
    return [member for member in incident.members.values() if member.counts and member.finding.state != "removed"]


def clear_since(waiting: list[Member]) -> int:
    """Event time since when all of them are clear."""
    return max(member.cleared or 0 for member in waiting)


def rested(draft: Draft, waiting: list[Member]) -> int:
    """Up to which event time all of them are judged."""
    return min(draft.clock(member.finding.model) for member in waiting)


def rests_until(draft: Draft, incident: Incident) -> int | None:
    """The event time at which an incident that rests ends."""
    waiting = _waiting(incident)
    if incident.firing or not waiting:
        return None
    return clear_since(waiting) + recovery_hold(incident, draft.policy.timings)


def expires(draft: Draft, incident: Incident) -> int | None:
    """When an incident that is clear stops waiting for models that say nothing any more, by the owner's clock."""
    until = rests_until(draft, incident)
    if until is None or incident.resting is None:
        return None
    silent = {m.finding.model for m in _waiting(incident) if draft.clock(m.finding.model) < until}
    last = max((draft.heard(model).heard for model in silent), default=0)
    hold = recovery_hold(incident, draft.policy.timings)
    return max(incident.resting, last) + draft.policy.timings.expire_after + hold


def unstable(draft: Draft, incident: Incident) -> bool:
    """It returned less than a hold ago: no repeats."""
    if incident.returned is None:
        return False
    hold = recovery_hold(incident, draft.policy.timings)
    return any(draft.clock(model) < incident.returned + hold for model in incident.models)


def event_due(draft: Draft, incident: Incident) -> int | None:
    """The earliest event time at which anything above may change."""
    if not incident.firing:
        return rests_until(draft, incident)
    over = outlived_due(draft, incident)
    dues: list[int | None] = [None if over is None else over[0]]
    if unstable(draft, incident) and incident.returned is not None:
        dues.append(incident.returned + recovery_hold(incident, draft.policy.timings))
    for member in incident.members.values():
        dues.append(lowered_due(member, draft.policy.timings))
        dues.append(overdue_at(member) if member.state == "firing" else None)
    return min((due for due in dues if due is not None), default=None)
