"""What each address should see of an incident, computed afresh from state: mutes, routes and severities in one place.

The audience is the union over the members that have a say.  Silenced members only hold: an address that only they reach
is not opened and not closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from alerting.deliveries import ReceiverKind
from alerting.draft import Draft
from alerting.incident import Incident, Member, Reach, RollUp
from alerting.policy import Address, Policy
from alerting.routing import audience
from alerting.severity import worst
from alerting.silences import silence_labels, silenced_until
from schemas.findings import Severity


@dataclass(frozen=True, slots=True)
class Want:
    """What an address should see.  ``held``: only silenced findings reach it.  ``ready``: not to be opened before."""

    address: str
    kind: ReceiverKind
    receiver: str
    severity: Severity
    held: bool
    ready: int
    update_interval: int
    repeat_interval: int | None


def reached(policy: Policy, member: Member) -> Member:
    """The member with its routes, by the severity that it has."""
    if member.severity is None:
        return replace(member, reach=())
    labels = member.finding.labels | {"severity": member.severity}
    found: dict[str, Reach] = {}
    for branch in audience(policy.tree, labels):
        for address in policy.addresses(branch.receiver):
            wait = branch.wait_of(member.severity)
            reach = _reach(
                address, branch.receiver or "", wait, intervals=(branch.update_interval, branch.repeat_interval)
            )
            found.setdefault(address.name, reach)
    return replace(member, reach=tuple(found.values()))


def _reach(address: Address, receiver: str, wait: int, *, intervals: tuple[int, int | None]) -> Reach:
    return Reach(address.name, address.kind, receiver, wait, *intervals)


def muted(draft: Draft, incident: str, member: Member) -> Member:
    """The member with the end of the silences that cover it."""
    labels = silence_labels(member.finding, incident) if draft.silences else {}
    until = silenced_until(draft.silences.values(), labels, draft.now)
    return member if until == member.silenced else replace(member, silenced=until)


def wanted(incident: Incident) -> dict[str, Want]:
    """What every address that a member reaches should see; nothing once it has ended."""
    if not incident.live:
        return {}
    if incident.rollup is not None:
        return _of_storm(incident, incident.rollup)
    first: dict[str, _Claim] = {}
    for member in incident.members.values():
        if member.severity is not None:
            rank = (member.silenced is not None, member.severity)
            for reach in member.reach:
                known = first.get(reach.address)
                if known is None or rank < known[0] or (rank[0] == known[0][0] and reach.wait < known[2]):
                    first[reach.address] = _stronger(known, (rank, reach, reach.wait))
    return {address: _want(incident, claim) for address, claim in first.items()}


#: (silenced, severity) of a member that reaches an address, by which route, and the shortest wait: the least tuple counts.
_Claim = tuple[tuple[bool, Severity], Reach, int]


def _stronger(known: _Claim | None, new: _Claim) -> _Claim:
    if known is None or known[0][0] != new[0][0]:
        return new
    first = min(known, new, key=lambda claim: claim[0])
    return first[0], first[1], min(known[2], new[2])


def _want(incident: Incident, claim: _Claim) -> Want:
    (held, severity), reach, wait = claim
    return Want(
        address=reach.address,
        kind=reach.kind,
        receiver=reach.receiver,
        severity=severity,
        held=held,
        ready=incident.opened + wait,
        update_interval=reach.update_interval,
        repeat_interval=reach.repeat_interval,
    )


def _of_storm(incident: Incident, rollup: RollUp) -> dict[str, Want]:
    """A storm is told at its address, at once: what it stands for has waited already."""
    rank = (rollup.silenced is not None, incident.severity)
    return {rollup.reach.address: _want(incident, (rank, rollup.reach, rollup.reach.wait))}


def both(one: Want, other: Want | None) -> Want:
    """Two reasons to tell the same address: what is not silenced counts before what is, then the worse."""
    if other is None:
        return one
    if one.held != other.held:
        return other if one.held else one
    first = one if one.severity < other.severity else other
    return replace(first, ready=min(one.ready, other.ready))


def seen_severity(incident: Incident) -> Severity:
    """The severity of what has a say and is not silenced; of all of it where everything is silenced."""
    saying = [member for member in incident.members.values() if member.counts]
    heard = [member.severity for member in saying if member.silenced is None] or [member.severity for member in saying]
    return worst(heard) or incident.severity


def all_silenced_until(members: Mapping[str, Member]) -> int | None:
    """Until when every member that has a say is silenced; None: at least one is not."""
    ends = [member.silenced for member in members.values() if member.counts]
    known = [end for end in ends if end is not None]
    return min(known) if known and len(known) == len(ends) else None


def first_ready(policy: Policy, incident: Incident) -> int:
    """When the incident is open: once the shortest wait of what fires has passed."""
    waits = [reach.wait for member in incident.members.values() if member.active for reach in member.reach]
    default = policy.tree.wait_of(incident.severity)
    return incident.opened + min(waits, default=default)
