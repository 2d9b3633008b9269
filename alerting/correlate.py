"""A finding meets the state: it is known already, goes on in its incident, joins one, or begins one.

A finding has one home for as long as it fires: while its incident lives it never moves.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from alerting.draft import Draft
from alerting.history import noted
from alerting.incident import Incident, JoinedBy, Member
from alerting.joining import LINKS, Place, place_of
from alerting.late import late_by
from alerting.merging import merged
from alerting.messages.wording import duration
from alerting.naming import unused_id
from alerting.recovery import without
from alerting.severity import graded, worse
from alerting.state import Known, State
from schemas.findings import KIND_CLASS, Finding, Progress


def hear_progress(draft: Draft, progress: Progress) -> None:
    """Time passes for a model; nothing else."""
    if draft.hear(progress.model, progress.at):
        wake(draft, progress.model)


def is_news(state: State, finding: Finding) -> bool:
    """Whether a finding is newer than what is known of its key; a repeat and an older revision change nothing.

    Neither does an alarm about a model that is not watched: it was still on its way when the model was removed, and nothing
    would ever end it.  One of a model that the owner does not know yet comes again with the next refresh.
    """
    if finding.state == "firing" and finding.model not in state.policy.lineage.panes:
        return False
    heard = state.models.get(finding.model)
    known = heard.keys.get(finding.key) if heard is not None else None
    return known is None or finding.rev > known.rev


def hear_time(draft: Draft, finding: Finding) -> None:
    """Let event time pass up to a finding, before the finding itself is taken: what ended before it has ended."""
    if draft.hear(finding.model, finding.at):
        wake(draft, finding.model)


def hear_finding(draft: Draft, finding: Finding) -> None:
    """Take a finding that is news."""
    known = draft.known(finding.model, finding.key)
    shut = None if known is None or _began_since(finding, known) else known.shut
    known = Known(finding.rev) if known is None else replace(known, rev=finding.rev, shut=shut)
    if finding.state == "firing":
        _fires(draft, finding, known)
    else:
        _rests(draft, finding, known)


def _began_since(finding: Finding, known: Known) -> bool:
    """Whether it was clear after what was last heard of it, also where nobody heard so: who closed that closed something else."""
    return finding.state == "firing" and finding.onset.lo >= known.rev[0]


def wake(draft: Draft, model: str) -> None:
    """Settle the incidents of a model to which its event time means something now."""
    clock = draft.clock(model)
    for name in draft.before.index.by_model.get(model, ()):
        due = draft.incidents[name].event_due
        if due is not None and due <= clock:
            draft.touch([name])


def _fires(draft: Draft, finding: Finding, known: Known) -> None:
    if known.shut is not None and not worse(finding.severity, known.shut):
        # A person closed this episode: a refresh is no news, a worsening is.
        draft.know(finding.model, finding.key, known)
        return
    known = replace(known, shut=None)
    if known.home is not None:
        draft.know(finding.model, finding.key, known)
        _goes_on(draft, draft.incidents[known.home], finding)
        return
    home = _home(draft, finding)
    draft.know(finding.model, finding.key, replace(known, home=home))


def _goes_on(draft: Draft, incident: Incident, finding: Finding) -> None:
    member = incident.members[finding.key]
    again = replace(judged(member, finding), state="firing", cleared=None, blind=None)
    again = graded(again)
    if worse(again.severity, member.severity) and member.severity is not None:
        again = replace(again, worsened=(incident.revision + 1, member.severity))
    incident = _returned(draft, incident, finding)
    draft.members(incident, {finding.key: again})


def _returned(draft: Draft, incident: Incident, finding: Finding) -> Incident:
    """The incident once something fires: if all was clear before, it is a return, and the hold doubles."""
    if incident.resting is None:
        return incident
    text = f"fires again: {finding.subject}"
    return noted(replace(incident, flips=incident.flips + 1, returned=finding.at, resting=None), draft.now, text)


def _rests(draft: Draft, finding: Finding, known: Known) -> None:
    blind = finding.state in ("no_data", "stale")
    gone = finding.state == "removed"
    incident = draft.incidents.get(known.home or "")
    known = known if blind else replace(known, shut=None)
    draft.know(finding.model, finding.key, replace(known, home=None) if gone else known)
    if incident is None:
        return
    draft.members(incident, {finding.key: _rested(draft, incident.members[finding.key], finding)})


def _rested(draft: Draft, member: Member, finding: Finding) -> Member:
    """The member after a verdict that is not firing.  Blind is not well: nothing is believed to have changed."""
    if finding.state == "removed":
        return without(judged(member, finding))
    if member.state == "clear":
        return judged(member, finding)
    if finding.state == "ok":
        return graded(replace(judged(member, finding), state="clear", cleared=finding.at, blind=None))
    last = msgspec.structs.replace(
        member.finding, state=finding.state, rev=finding.rev, at=finding.at, seen=finding.seen
    )
    return replace(member, finding=last, state="blind", blind=draft.now if member.blind is None else member.blind)


def judged(member: Member, finding: Finding) -> Member:
    """The member with its newest verdict, whatever that says."""
    return replace(member, finding=finding, step=_step(finding, member.step), peak=_peak(finding, member.peak))


def _home(draft: Draft, finding: Finding) -> str:
    place = place_of(finding, draft)
    if place.incident is None and draft.before.index.live >= draft.policy.timings.cap:
        place = _overflow(draft) or place
    incident = _begun(draft, finding, place) if place.incident is None else draft.incidents[place.incident]
    member = _member(finding, place.joined_by, incident.revision + 1)
    joined = _returned(draft, incident, finding)
    joined = replace(
        joined,
        anchor=place.anchor,
        classes=incident.classes | {KIND_CLASS[finding.kind]},
        models=incident.models | {finding.model},
        links=_links(incident, place),
    )
    joined = draft.members(joined, {finding.key: member})
    if place.joined_by == "onset" and place.links:
        merged(draft, joined, finding, fits=place.links)
    return incident.id


def _begun(draft: Draft, finding: Finding, place: Place) -> Incident:
    overflow = draft.before.index.live >= draft.policy.timings.cap
    late = late_by(draft, finding)
    begun = Incident(
        id=unused_id(draft, finding),
        seed=finding.key,
        opened=draft.now,
        updated=draft.now,
        severity=finding.severity,
        worst=finding.severity,
        overflow=overflow,
        late=late,
        held=None if late is None else draft.now + draft.policy.timings.late_hold,
    )
    seen = "" if late is None else f", seen {duration(late)} late"
    return noted(begun, draft.now, f"{finding.severity} begins: {finding.subject}{seen}")


def _overflow(draft: Draft) -> Place | None:
    """Above the cap one incident takes everything that would begin another."""
    name = next((incident.id for incident in draft.live() if incident.overflow), None)
    return None if name is None else Place(name, {}, "overflow")


def _member(finding: Finding, joined_by: JoinedBy, revision: int) -> Member:
    return Member(
        finding=finding,
        joined_by=joined_by,
        joined=revision,
        severity=finding.severity,
        worst=finding.severity,
        step=_step(finding, 0),
        peak=finding.value,
        began=finding.onset,
    )


def _links(incident: Incident, place: Place) -> tuple[str, ...]:
    named = dict.fromkeys((*incident.links, *place.links))
    return tuple(name for name in named if name != incident.id)[:LINKS]


def _step(finding: Finding, known: int) -> int:
    return known if finding.refresh_by is None else max(known, finding.refresh_by - finding.at)


def _peak(finding: Finding, known: float | None) -> float | None:
    """The value farthest out so far; for a p-value or a floor that is the smallest, so the threshold says which way."""
    if finding.value is None or known is None:
        return known if finding.value is None else finding.value
    below = finding.threshold is not None and finding.value < finding.threshold and finding.state == "firing"
    return min(known, finding.value) if below else max(known, finding.value)
