"""Two incidents that a later finding shows to be one fault become one, as long as nobody was told of either.

A page cannot be unrung: what was told is only linked.  While both still wait for their opening, a finding whose onset fits
both is a bridge.  They merge where one node could be at fault for all three, and where the intervals in which it must have
begun are no further apart than half the width of the bridge's onset: so much may any finding miss an incident by.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from alerting.draft import Draft
from alerting.history import noted
from alerting.incident import Incident, Interval, Member
from alerting.joining import Anchor, candidates
from alerting.recovery import ended
from schemas.findings import Finding

#: No interval overlaps it.
NEVER: Interval = (1 << 62, -(1 << 62))


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of it: in the history of the one that ends (``there``), of the one that stays, and as the reason of the end."""

    there: str
    here: str
    end: str | None = None


def merged(draft: Draft, incident: Incident, bridge: Finding, *, fits: Iterable[str]) -> Incident:
    """The incident that the bridge joined, with those of the others that it ``fits`` and that are the same fault."""
    possible = candidates(bridge, draft)
    for name in fits:
        other = draft.incidents[name]
        if _untold(draft, incident) and _untold(draft, other):
            reached = {node: at for node, at in other.anchor.items() if _apart(at, possible.get(node, NEVER)) <= 0}
            anchor = explaining(incident.anchor, reached, tail=(bridge.onset.hi - bridge.onset.lo) // 2)
            if anchor:
                said = Said(f"merged into {incident.id}", f"{other.id} is the same fault")
                incident = absorbed(draft, incident, other, anchor=anchor, said=said)
    return incident


def _untold(draft: Draft, incident: Incident) -> bool:
    """It waits for its opening, nobody was told or took it, and nothing is on its way."""
    entries = (draft.entries[name] for name in incident.entries)
    quiet = all(entry.generation == 0 and entry.rolled is None for entry in entries) and not incident.parted
    return quiet and incident.state == "pending" and incident.acknowledged is None and not incident.overflow


def explaining(anchor: Anchor, other: Anchor, *, tail: int) -> dict[str, Interval]:
    """The candidates that explain both, each with the interval of the one that is kept: an anchor only shrinks."""
    return {node: at for node, at in anchor.items() if node in other and _apart(at, other[node]) <= tail}


def _apart(one: Interval, other: Interval) -> int:
    return max(one[0], other[0]) - min(one[1], other[1])


def absorbed(draft: Draft, incident: Incident, other: Incident, *, anchor: dict[str, Interval], said: Said) -> Incident:
    """The incident with the findings that are at home in the other, which ends."""
    moved = {key: _moved(member, incident) for key, member in other.members.items() if _home(draft, member) == other.id}
    over = ended(draft, noted(other, draft.now, said.there), "merged", why=said.end)
    draft.incident(replace(over, links=(incident.id,)))
    for member in moved.values():
        finding = member.finding
        known = draft.known(finding.model, finding.key)
        if known is not None:
            draft.know(finding.model, finding.key, replace(known, home=incident.id))
    whole = replace(
        incident,
        anchor=anchor,
        opened=min(incident.opened, other.opened),
        worst=min(incident.worst, other.worst),
        late=_sooner(incident.late, other.late),
        held=_sooner(incident.held, other.held),
        classes=incident.classes | other.classes,
        models=incident.models | other.models,
        flips=max(incident.flips, other.flips),
        resting=None if any(member.active for member in moved.values()) else incident.resting,
        links=tuple(name for name in incident.links if name != other.id),
    )
    return draft.members(noted(whole, draft.now, said.here), moved)


def _sooner(one: int | None, other: int | None) -> int | None:
    """What keeps it from being told no longer than the one that could be told first; None: nothing does."""
    return None if one is None or other is None else min(one, other)


def _moved(member: Member, incident: Incident) -> Member:
    return replace(member, joined_by="merged", joined=incident.revision + 1)


def _home(draft: Draft, member: Member) -> str | None:
    known = draft.known(member.finding.model, member.finding.key)
    return None if known is None else known.home
