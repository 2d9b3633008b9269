"""An operator's merge and split: what people know of faults that no onset shows.

Nobody is rung for it.  Where the vendor has an incident of what is merged and none of what it goes into (or a less severe
one), that one goes on under its own key and is edited; what is there twice is closed once the survivor is surely shown.  An
address that only what was split off reaches keeps its incident likewise; only where both are told a new one opens, after the
usual wait, for those are two faults from now on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from alerting.draft import Draft
from alerting.entry import Entry, entry_id
from alerting.history import noted
from alerting.incident import Acknowledged, Incident, Interval, Member
from alerting.joining import LINKS, candidates
from alerting.members import Members
from alerting.merging import Said, absorbed, explaining
from alerting.naming import unused_id
from alerting.state import State
from alerting.stopped import is_silence
from alerting.storm import told_singly
from alerting.wanted import wanted
from schemas.actions import MergeIncidents, SplitIncident
from schemas.findings import KIND_CLASS

#: So many findings of a refusal are named.
NAMED = 3


def merge_refusal(state: State, action: MergeIncidents) -> str | None:
    """Why two incidents cannot be merged, in words; None: they will be."""
    if action.incident == action.into:
        return f"{action.into} cannot be merged into itself"
    for name in (action.incident, action.into):
        problem = _untouchable(state, name)
        if problem is not None:
            return problem
    one, other = (state.incidents[name] for name in (action.incident, action.into))
    if is_silence(one) != is_silence(other):
        silent = (one if is_silence(one) else other).id
        return f"{silent} says that a model has no traffic: while it does, nothing is known of other faults"
    return None


def split_refusal(state: State, action: SplitIncident) -> str | None:
    """Why findings cannot be split off, in words; None: they will be."""
    problem = _untouchable(state, action.incident)
    if problem is not None:
        return problem
    incident = state.incidents[action.incident]
    strange = [key for key in action.findings if key not in incident.members or not incident.members[key].counts]
    if strange or not action.findings:
        said = ", ".join(map(repr, strange[:NAMED])) or "nothing"
        return f"{said} is no finding of {incident.id} that fires or has just stopped"
    named = set(action.findings)
    if not any(member.counts and key not in named for key, member in incident.members.table.rows()):
        return f"that is all of {incident.id}: nothing would be left of it"
    return None


def merge(draft: Draft, action: MergeIncidents) -> None:
    """Move the findings of one incident into another, and end it."""
    other, into = draft.incidents[action.incident], draft.incidents[action.into]
    into = _with_entries(draft, into, other, addresses=[draft.entries[name].address for name in other.entries])
    anchor = explaining(into.anchor, other.anchor, tail=0) or into.anchor
    by = _by(action)
    said = Said(f"merged into {into.id} {by}", f"{other.id} was merged into this {by}", f"merged into {into.id}")
    whole = absorbed(draft, into, other, anchor=anchor, said=said)
    draft.incident(replace(whole, weighed=0, acknowledged=_taken(into, other)))
    draft.incident(replace(draft.incidents[other.id], into=into.id))


def split(draft: Draft, action: SplitIncident) -> None:
    """Make an incident of some findings of another."""
    incident, named = draft.incidents[action.incident], set(action.findings)
    rows = dict(incident.members.table.rows())
    chosen = {key: member for key, member in rows.items() if key in named}
    left = {key: member for key, member in rows.items() if key not in named}
    made = _parted(draft, incident, chosen, by=_by(action))
    rest = _rest(incident, left)
    reach = wanted(made).keys() - wanted(rest).keys()
    made = draft.incident(_with_entries(draft, made, incident, addresses=sorted(reach)))
    text = f"{len(chosen)} finding{'s' if len(chosen) > 1 else ''} split off into {made.id} {_by(action)}"
    draft.incident(noted(replace(rest, links=_linked(rest, made.id)), draft.now, text))
    for key, member in chosen.items():
        known = draft.known(member.finding.model, key)
        if known is not None:
            draft.know(member.finding.model, key, replace(known, home=made.id))


def _untouchable(state: State, name: str) -> str | None:
    incident = state.incidents.get(name)
    if incident is None:
        return f"there is no incident {name}"
    if not incident.live:
        return f"{name} has ended: {incident.reason}"
    if incident.rollup is not None:
        return f"{name} is a storm and ends by itself: merge or split what it stands for"
    if incident.overflow:
        return f"{name} holds what is beyond the most live incidents: its findings are of any faults"
    return None


def _by(action: MergeIncidents | SplitIncident) -> str:
    return f"by {action.by}" + (f": {action.comment}" if action.comment else "")


def _taken(into: Incident, other: Incident) -> Acknowledged | None:
    """Who has the one has what is the same fault, too."""
    if into.acknowledged is None:
        return None
    keys = into.acknowledged.keys | other.members.keys()
    return replace(into.acknowledged, keys=keys, severity=min(into.acknowledged.severity, other.severity))


def _parted(draft: Draft, incident: Incident, chosen: Mapping[str, Member], *, by: str) -> Incident:
    first = next(iter(chosen.values()))
    severity = min(member.severity for member in chosen.values() if member.severity is not None)
    made = Incident(
        id=unused_id(draft, first.finding),
        seed=first.finding.key,
        opened=draft.now,
        updated=draft.now,
        severity=severity,
        worst=severity,
        members=Members.of({key: replace(member, joined_by="split", joined=1) for key, member in chosen.items()}),
        anchor=_anchor(draft, chosen.values()),
        links=(incident.id,),
        parted=True,
    )
    return noted(_named(made), draft.now, f"split off {incident.id} {by}")


def _anchor(draft: Draft, members: Iterable[Member]) -> dict[str, Interval]:
    """The nodes above all of them where their times overlap, else those above the first."""
    first, *others = (candidates(member.finding, draft) for member in members)
    anchor = first
    for other in others:
        anchor = explaining(anchor, other, tail=0)
    return anchor or first


def _rest(incident: Incident, left: Mapping[str, Member]) -> Incident:
    """What is left; it has the rest of its anchor, which only shrinks."""
    seed = incident.seed if incident.seed in left else next(key for key, member in left.items() if member.counts)
    rest = replace(incident, members=Members.of(left), seed=seed, weighed=0, splits=incident.splits + 1)
    return _named(rest)


def _named(incident: Incident) -> Incident:
    """With the models and classes that its findings are of."""
    findings = [member.finding for _, member in incident.members.table.rows()]
    models, classes = (finding.model for finding in findings), (KIND_CLASS[finding.kind] for finding in findings)
    return replace(incident, models=frozenset(models), classes=frozenset(classes))


def _linked(incident: Incident, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((name, *incident.links)))[:LINKS]


def _with_entries(draft: Draft, into: Incident, other: Incident, *, addresses: Iterable[str]) -> Incident:
    """The incident with what the vendors have of another one, at these addresses, where that is the better to go on with."""
    names = list(into.entries)
    for address in addresses:
        theirs = draft.entries.get(entry_id(other.id, address))
        ours = draft.entries.get(entry_id(into.id, address))
        if theirs is not None and _better(theirs, ours):
            names.append(_exchanged(draft, into, theirs, ours=ours))
    return replace(into, entries=tuple(dict.fromkeys(names)))


def _better(theirs: Entry, ours: Entry | None) -> bool:
    belief = theirs.believed.get(theirs.want) if theirs.want is not None else None
    if belief is None or belief.closing or theirs.failed is not None:
        return False
    if ours is None or (ours.want is None and ours.failed is None):
        return True
    return theirs.confirmed and ours.failed is None and (not ours.confirmed or theirs.severity < ours.severity)


def _exchanged(draft: Draft, into: Incident, theirs: Entry, *, ours: Entry | None) -> str:
    """Each has what the other had; the name of ours."""
    if ours is not None and ours.rolled is not None:
        told_singly(draft, ours)
        ours = draft.entries[ours.id]
    place = entry_id(into.id, theirs.address)
    ours = ours or Entry(place, into.id, theirs.address, theirs.kind, theirs.receiver)
    # What is shown there is another incident's: an edit says so at once.
    unseen = {number: replace(belief, shown=None) for number, belief in theirs.believed.items()}
    draft.entry(_placed(replace(theirs, believed=unseen), ours))
    draft.entry(_placed(ours, theirs))
    if theirs.rolled is not None:  # a storm speaks for it at its new place too, until it is told singly
        storm = draft.storms[theirs.address]
        draft.storm(theirs.address, replace(storm, waiting=storm.waiting - {theirs.id} | {place}))
    return place


def _placed(entry: Entry, place: Entry) -> Entry:
    known = entry.under or entry.incident
    return replace(entry, id=place.id, incident=place.incident, under="" if known == place.incident else known)
