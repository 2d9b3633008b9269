"""From firing to ended: how an incident rests, returns, goes blind, outlives its cause and is over.

It ends when everything has been clear for the hold, in event time.  A silent model has no event time, so two limits are the
owner's clock's: how long an incident stays open of which nothing is known, and how long one that is clear waits for a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import msgspec

from alerting.draft import Draft
from alerting.history import noted
from alerting.incident import Incident, Member
from alerting.outliving import outlived_due
from alerting.policy import Timings
from alerting.severity import eased, lowered_due, recovery_hold
from alerting.stopped import words
from alerting.table import Summary, Table
from alerting.totals import EARLY, LATE, OVER, awaited, totals
from schemas.incidents import EndReason


def aged(draft: Draft, incident: Incident) -> Incident:
    """Let event time pass for the members: overdue ones go blind; better severities count after their hold."""
    if not incident.firing:
        return incident  # While everything rests it is held as it is.
    changes: dict[str, Member] = {}
    for member in _due(draft, incident):
        new = _overdue(draft, member)
        due = lowered_due(new, draft.policy.timings)
        while due is not None and due <= draft.clock(member.finding.model):
            new = eased(new)
            due = lowered_due(new, draft.policy.timings)
        if new is not member:
            changes[member.finding.key] = new
    freed = [new for key, new in changes.items() if new.severity is None and incident.members[key].severity is not None]
    draft.release(freed, incident.id)
    return draft.members(incident, changes) if changes else incident


def _due(draft: Draft, incident: Incident) -> Iterator[Member]:
    """The members to which the event time of their model means something now.

    When an incident that fires was settled last, nothing of it was due: only models that have moved since and members that
    have changed can be.  One that rested waits with everything until it fires again.
    """
    before = draft.before.incidents.get(incident.id)
    models: Iterable[str] = incident.members.by_model
    if before is not None and before.firing and draft.policy.timings is draft.before.policy.timings:
        changed = {member.finding.model for _, member in incident.members.differing(before.members)}
        models = sorted(changed | (draft.moved & incident.models))
    deadline = _deadline(draft.policy.timings)
    for model in models:
        clock = draft.clock(model)
        for due, member in incident.members.by_model[model].least(deadline):
            if due > clock:
                break
            yield member


def _deadline(timings: Timings) -> Summary[Member, int]:
    """The event time at which a member that fires is overdue, or at which a better severity of it counts."""

    def of(member: Member) -> int:
        overdue = overdue_at(member) if member.state == "firing" else None
        return min((due for due in (overdue, lowered_due(member, timings)) if due is not None), default=LATE)

    return Summary("deadline", of, _earliest, by=timings)


def _earliest(dues: Sequence[int]) -> int:
    return min(dues, default=LATE)


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
    members = incident.members.by_model
    there = (row for model in members if model not in draft.policy.lineage.panes for row in members[model].rows())
    gone = {
        key: without(replace(member, finding=msgspec.structs.replace(member.finding, state="removed")))
        for key, member in there
        if member.finding.state != "removed"
    }
    draft.release(gone.values(), incident.id)
    return draft.members(incident, gone) if gone else incident


def without(member: Member) -> Member:
    """A member whose rule was removed: it cannot come back by itself, so no hold is waited for."""
    cleared = member.finding.at if member.cleared is None else member.cleared
    return replace(member, state="clear", cleared=cleared, severity=None, lowered=None, blind=None)


def moved(draft: Draft, incident: Incident) -> Incident:
    """The incident with its state brought up to date; ended if it is over."""
    if incident.firing:
        return _blinded(draft, incident)
    if incident.resting is None:
        incident = noted(replace(incident, resting=draft.now, state="recovering"), draft.now, "everything clear")
    until = rests_until(draft, incident)
    if until is None:
        return ended(draft, incident, "removed")
    if not any(draft.clock(model) < until for model in _waiting(incident)):
        return ended(draft, incident, "recovered")
    due = expires(draft, incident)
    return ended(draft, incident, "expired") if due is not None and due <= draft.now else incident


def _blinded(draft: Draft, incident: Incident) -> Incident:
    due = blind_until(draft, incident)
    if due is None or due > draft.now:
        return incident
    silent = any(member.active and member.finding.state != "firing" for _, member in incident.members.table.rows())
    return ended(draft, incident, "no_data" if silent else "expired")


def blind_until(draft: Draft, incident: Incident) -> int | None:
    """When an incident of which nothing is known any more is closed; None: something of it is known."""
    said = totals(incident)
    if said.counts.endless or not incident.firing:
        return None
    limit = draft.policy.timings.blind_limit
    dues = [said.most.blind + limit] if said.most.blind != EARLY else []
    due = max((*dues, *_silent_dues(draft, incident)), default=None)
    if due is None or due > draft.now:
        return due
    # What would be closed now is not over while it is told that nothing comes: the limit runs from the last such word.
    return max((due, *(_limited(draft, word) for model in incident.models for word in words(draft, model))))


def _silent_dues(draft: Draft, incident: Incident) -> Iterator[int]:
    """The last time at which a model that fires is given up, or nothing where none fires.

    No model was heard after now, so what none can be given up after is known of many at once: the first few are looked at.
    """

    def latest(found: tuple[int, int]) -> int:
        return -_silent_until(draft, draft.now, found[0], said=found[1]) if found[0] else LATE

    last: int | None = None
    for (step, said), members in incident.members.by_model.least(_EACH_SILENT, latest):
        if not step or (last is not None and last >= -latest((step, said))):
            break
        _, first = next(members.rows())
        due = _silent_until(draft, draft.heard(first.finding.model).heard, step, said=said)
        last = due if last is None else max(last, due)
    if last is not None:
        yield last


def _silent(member: Member) -> tuple[int, int]:
    """How often it is judged, and when it was said last; of what does not fire nothing."""
    lost = member.state == "blind" and member.blind is not None
    return (0, EARLY) if lost or not member.active else (member.step, member.finding.seen)


def _slowest(found: Sequence[tuple[int, int]]) -> tuple[int, int]:
    steps, said = zip(*found, strict=True) if found else ((0,), (EARLY,))
    return max(steps), max(said)


_SILENT = Summary("silent", _silent, _slowest)
_EACH_SILENT: Summary[Table[Member], tuple[int, int]] = Summary(
    "silent", lambda members: members.summed(_SILENT), _slowest
)


def _silent_until(draft: Draft, heard: int, step: int, *, said: int) -> int:
    """When what a model said is given up if it says nothing at all any more.

    Its event time stands still then, so nothing is ever overdue by it.  What counts is when the model was ``heard`` last, or when
    this was said again (``said``): that nothing comes is said while event time stands.  After two missed judgements the limit
    runs.  Rounded up, so that not every word of the model sets another deadline.
    """
    return _limited(draft, max(heard, said) + 3 * step)


def _limited(draft: Draft, since: int) -> int:
    limit = draft.policy.timings.blind_limit
    grain = max(1, limit // 24)
    return -(-(since + limit) // grain) * grain


def ended(draft: Draft, incident: Incident, reason: EndReason, *, why: str | None = None) -> Incident:
    """End it: its findings may join elsewhere from now on.  ``why`` puts the reason into other words than the usual."""
    draft.release((member for _, member in incident.members.table.rows()), incident.id)
    at = incident.members.table.summed(OVER) if incident.members else 0
    over = replace(incident, state="ended", ended=draft.now, ended_at=at, reason=reason)
    return draft.incident(noted(over, draft.now, f"ended: {why or REASONS[reason]}"))


REASONS: dict[EndReason, str] = {
    "recovered": "recovered",
    "no_data": "no data any more",
    "removed": "its rules were removed",
    "operator": "resolved by an operator",
    "expired": "nothing was heard of it any more",
    "merged": "it is the same fault as another that nobody was told of yet",
    "calm": "the storm is over: what still fires is told by itself",
}


def _waiting(incident: Incident) -> Iterator[str]:
    """The models of the members whose recovery has to be waited for."""
    members = incident.members.by_model
    return (model for model in members if members[model].summed(_AWAITED))


_AWAITED: Summary[Member, bool] = Summary("awaited", awaited, any, lasting=True)


def rests_until(draft: Draft, incident: Incident) -> int | None:
    """The event time at which an incident that rests ends; None: it fires, or nothing has to be waited for."""
    said = totals(incident)
    if incident.firing or not said.counts.waiting:
        return None
    return said.most.cleared + recovery_hold(incident, draft.policy.timings)


def expires(draft: Draft, incident: Incident) -> int | None:
    """When an incident that is clear stops waiting for models that say nothing any more, by the owner's clock."""
    until = rests_until(draft, incident)
    if until is None or incident.resting is None:
        return None
    silent = (model for model in _waiting(incident) if draft.clock(model) < until)
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
    dues.append(earliest_deadline(draft, incident))
    return min((due for due in dues if due is not None), default=None)


def earliest_deadline(draft: Draft, incident: Incident) -> int | None:
    """The earliest event time at which a member is overdue, or a better severity counts."""
    due = incident.members.by_model.summed(_each_deadline(draft.policy.timings))
    return None if due == LATE else due


def _each_deadline(timings: Timings) -> Summary[Table[Member], int]:
    deadline = _deadline(timings)
    return Summary("deadline", lambda members: members.summed(deadline), _earliest, by=timings)
