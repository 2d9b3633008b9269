"""What outlived its cause: it still fires although everything upstream of it that had fired is over.

A finding that is clear explains those that fire if all of them are made from its subject; and so long as lag, memory and
slack allow.  What all that fires is made from is summed over the members: two subjects share a few sources at most, and where
only one fires, those that cleared last are looked at first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from alerting.draft import Draft
from alerting.history import noted
from alerting.incident import Incident, Member
from alerting.lineage import Lineage
from alerting.table import Summary
from alerting.totals import LATE

#: Of what fires: None for nothing, (subject, longest memory) for one subject, and for several what all of them are made
#: from, with the longest way and memory.
Above = tuple[str, int] | dict[str, int] | None
#: Up to so many nodes are looked up one by one.
FEW = 64


def outlived(draft: Draft, incident: Incident) -> Incident:
    """What still fires after its upstream findings ended, and after lag, memory and slack, stands alone: its ack is void."""
    due = outlived_due(draft, incident)
    if due is None or any(draft.clock(model) < due[0] for model in _firing(incident)):
        return incident
    text = f"still fires although {due[1].finding.subject} recovered"
    incident = replace(incident, outlived=due[1].finding.key, acknowledged=None)
    return draft.incident(noted(incident, draft.now, text))


def outlived_due(draft: Draft, incident: Incident) -> tuple[int, Member] | None:
    """The event time from which no recovered member upstream of all that fires explains it, and the last of those."""
    members, lineage = incident.members, draft.policy.lineage
    above = members.table.summed(
        _above(lineage)
    )  # also where nothing is clear yet: the first that is need not wait for it
    if incident.outlived is not None or not 0 < members.active < len(members):
        return None
    if isinstance(above, tuple) and len(lineage.above(above[0])) > FEW:
        found = _latest(draft, incident, above)
    else:
        lags = _lags(lineage, above)
        clear = (member for node in lags for member in members.about(node) if _is_clear(member))
        slack = draft.policy.timings.slack
        found = ((_until(member, lags[member.finding.subject] + slack), member) for member in clear)
    return max(found, key=lambda one: (one[0], -members.table.place(one[1].finding.key)), default=None)


def _latest(draft: Draft, incident: Incident, fires: tuple[str, int]) -> Iterator[tuple[int, Member]]:
    """The same where one subject fires that is made from many: those that may be the last."""
    subject, memory = fires
    slack = draft.policy.timings.slack + memory
    above, widest = draft.policy.lineage.above(subject), draft.policy.lineage.widest(subject)
    last: int | None = None
    for cleared, member in incident.members.table.least(_CLEARED):
        if cleared == LATE or (last is not None and widest + slack - cleared < last):
            return
        path = above.get(member.finding.subject)
        if path is not None and path.hops:
            due = _until(member, path.hi + slack)
            last = due if last is None else max(last, due)
            yield due, member
            if path.hi == widest:  # The others cleared no later than this one, and are explained no longer.
                return


def _until(member: Member, lag: int) -> int:
    cleared = member.cleared or 0
    return max(cleared, cleared + lag)


def _is_clear(member: Member) -> bool:
    return member.cleared is not None and not member.active


_CLEARED: Summary[Member, int] = Summary(
    "cleared",
    lambda member: -(member.cleared or 0) if _is_clear(member) else LATE,
    lambda found: min(found, default=LATE),
    lasting=True,
)
_FIRES: Summary[Member, bool] = Summary("fires", lambda member: member.active, any, lasting=True)


def _firing(incident: Incident) -> Iterable[str]:
    members = incident.members.by_model
    return (model for model in members if members[model].summed(_FIRES))


def _above(lineage: Lineage) -> Summary[Member, Above]:
    def of(member: Member) -> Above:
        return (member.finding.subject, member.finding.memory) if member.active else None

    def join(parts: Sequence[Above]) -> Above:
        all_of: Above = None
        for part in parts:
            all_of = part if all_of is None else all_of if part is None else _shared(lineage, all_of, part)
        return all_of

    return Summary("above", of, join, by=lineage, lasting=True)


def _shared(lineage: Lineage, one: tuple[str, int] | dict[str, int], other: tuple[str, int] | dict[str, int]) -> Above:
    if isinstance(one, tuple) and isinstance(other, tuple):
        if one[0] == other[0]:
            return one[0], max(one[1], other[1])
        if len(lineage.above(one[0])) > len(lineage.above(other[0])):
            one, other = other, one
    elif isinstance(one, tuple):
        one, other = other, one
    lags = _lags(lineage, one)
    if isinstance(other, dict):
        return {node: max(lag, other[node]) for node, lag in lags.items() if node in other}
    paths, memory = lineage.above(other[0]), other[1]
    return {node: max(lag, paths[node].hi + memory) for node, lag in lags.items() if node in paths and paths[node].hops}


def _lags(lineage: Lineage, above: Above) -> dict[str, int]:
    """By node, the longest way and memory from there."""
    if isinstance(above, tuple):
        return {node: path.hi + above[1] for node, path in lineage.above(above[0]).items() if path.hops}
    return above or {}
