"""What each address should see of an incident, computed afresh from state: mutes, routes and severities in one place.

The audience is the union over the members that have a say.  Silenced members only hold: an address that only they reach
is not opened and not closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from alerting.deliveries import ReceiverKind
from alerting.draft import Draft
from alerting.incident import Incident, Member, Reach, RollUp
from alerting.late import held_until
from alerting.policy import Address, Policy
from alerting.routing import audience
from alerting.silences import silence_labels, silenced_until
from alerting.table import Summary
from alerting.totals import LATE, totals
from schemas.findings import SEVERITIES, Severity


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
        return replace(member, reach=()) if member.reach else member
    labels = member.finding.labels | {"severity": member.severity}
    found: dict[str, Reach] = {}
    for branch in audience(policy.tree, labels):
        for address in policy.addresses(branch.receiver):
            wait = branch.wait_of(member.severity)
            reach = _reach(
                address, branch.receiver or "", wait, intervals=(branch.update_interval, branch.repeat_interval)
            )
            found.setdefault(address.name, reach)
    reach_now = tuple(found.values())
    return member if reach_now == member.reach else replace(member, reach=reach_now)


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
    claims = incident.members.table.summed(_CLAIMS)
    return {address: _want(incident, claim) for address, claim in claims.items()}


#: (silenced, severity) of a member that reaches an address, by which route, and the shortest wait: the least tuple counts.
_Claim = tuple[tuple[bool, Severity], Reach, int]


def _claims(member: Member) -> dict[str, _Claim]:
    if member.severity is None:
        return {}
    rank = (member.silenced is not None, member.severity)
    return {reach.address: (rank, reach, reach.wait) for reach in member.reach}


def _all_claims(parts: Sequence[dict[str, _Claim]]) -> dict[str, _Claim]:
    first: dict[str, _Claim] = {}
    for claims in parts:
        for address, claim in claims.items():
            first[address] = _stronger(first.get(address), claim)
    return first


def _stronger(known: _Claim | None, new: _Claim) -> _Claim:
    """What is not silenced counts alone; then the worse, of equals the first, and the shortest wait of all."""
    if known is None or new[0][0] < known[0][0]:
        return new
    if new[0][0] > known[0][0]:
        return known
    first = min(known, new, key=lambda claim: claim[0])
    return first[0], first[1], min(known[2], new[2])


_CLAIMS: Summary[Member, dict[str, _Claim]] = Summary("claims", _claims, _all_claims, lasting=True)


def _want(incident: Incident, claim: _Claim) -> Want:
    (held, severity), reach, wait = claim
    return Want(
        address=reach.address,
        kind=reach.kind,
        receiver=reach.receiver,
        severity=severity,
        held=held,
        ready=max(incident.opened + wait, held_until(incident) or 0),
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
    least = totals(incident).least
    rank = least.heard if least.heard != LATE else least.saying
    return incident.severity if rank == LATE else SEVERITIES[rank]


def all_silenced_until(incident: Incident) -> int | None:
    """Until when every member that has a say is silenced; None: at least one is not."""
    said = totals(incident)
    return said.least.silenced if said.counts.saying and not said.counts.heard else None


def first_ready(policy: Policy, incident: Incident) -> int:
    """When the incident is open: once the shortest wait of what fires has passed."""
    wait = totals(incident).least.wait
    wait = policy.tree.wait_of(incident.severity) if wait == LATE else wait
    return max(incident.opened + wait, held_until(incident) or 0)
