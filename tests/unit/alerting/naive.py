"""What an incident's members say together, worked out by loops over all of them: the words of the rules, slow and plain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from alerting.draft import Draft
from alerting.incident import Incident, Member, Reach
from alerting.recovery import overdue_at
from alerting.severity import lowered_due, worst
from schemas.findings import Severity


def members(incident: Incident) -> list[Member]:
    """All of them, in order."""
    return list(incident.members.values())


def active(incident: Incident) -> list[Member]:
    """Those that fire, or are not known to have stopped."""
    return [member for member in members(incident) if member.active]


def severity(incident: Incident) -> Severity | None:
    """The worst that has a say and is not silenced; of all of it where everything is."""
    saying = [member for member in members(incident) if member.counts]
    heard = [member.severity for member in saying if member.silenced is None] or [member.severity for member in saying]
    return worst(heard)


def silenced_until(incident: Incident) -> int | None:
    """Until when everything that has a say is silenced."""
    ends = [member.silenced for member in members(incident) if member.counts]
    known = [end for end in ends if end is not None]
    return min(known) if known and len(known) == len(ends) else None


def audience(incident: Incident) -> list[tuple[str, bool, Severity, Reach, int]]:
    """(address, only silenced ones reach it, severity, by which route, shortest wait), in the order of the members."""
    found: dict[str, tuple[bool, Severity, Reach, int]] = {}
    for member in members(incident):
        for reach in member.reach if member.severity is not None else ():
            assert member.severity is not None
            held = member.silenced is not None
            known = found.get(reach.address)
            if known is None or (not held and known[0]):
                found[reach.address] = held, member.severity, reach, reach.wait
            elif held == known[0]:
                first = known[1:3] if known[1] <= member.severity else (member.severity, reach)
                found[reach.address] = (held, *first, min(known[3], reach.wait))
    return [(address, *claim) for address, claim in found.items()]


def shortest_wait(incident: Incident) -> int | None:
    """The shortest wait of what fires."""
    return min((reach.wait for member in active(incident) for reach in member.reach), default=None)


def deadlines(draft: Draft, incident: Incident) -> Iterator[int]:
    """The event times at which a member is overdue or better."""
    for member in members(incident):
        dues = [lowered_due(member, draft.policy.timings), overdue_at(member) if member.state == "firing" else None]
        yield from (due for due in dues if due is not None)


def blind_until(draft: Draft, incident: Incident) -> int | None:
    """When an incident of which nothing is known any more is closed."""
    limit = draft.policy.timings.blind_limit
    grain = max(1, limit // 24)
    dues: list[int] = []
    models: dict[str, list[Member]] = {}
    for member in active(incident):
        if member.state == "blind" and member.blind is not None:
            dues.append(member.blind + limit)
        elif member.finding.refresh_by is None or member.step <= 0:
            return None
        else:
            models.setdefault(member.finding.model, []).append(member)
    for model, some in models.items():
        said = max(draft.heard(model).heard, *(member.finding.seen for member in some))
        dues.append(-(-(said + 3 * max(member.step for member in some) + limit) // grain) * grain)
    return max(dues, default=None)


def outlived(draft: Draft, incident: Incident) -> tuple[int, Member] | None:
    """Until when something that is clear explains all that fires, and the first of those that do so longest."""
    lineage, found = draft.policy.lineage, list[tuple[int, Member]]()
    for clear in members(incident):
        ways = [lineage.above(one.finding.subject).get(clear.finding.subject) for one in active(incident)]
        if clear.active or clear.cleared is None or not ways or any(way is None or not way.hops for way in ways):
            continue
        lags = [
            way.hi + one.finding.memory + draft.policy.timings.slack
            for way, one in zip(ways, active(incident), strict=True)
            if way is not None
        ]
        found.append((max(clear.cleared, *(clear.cleared + lag for lag in lags)), clear))
    return None if incident.outlived is not None else max(found, key=lambda one: one[0], default=None)


def explained(draft: Draft, incident: Incident) -> dict[str, Counter[str | None]]:
    """By candidate, how many subjects below it fired, by model."""
    lineage = draft.policy.lineage
    subjects = {member.finding.subject for member in members(incident)}
    return {
        node: Counter(lineage.model_of.get(one) for one in subjects if one != node and node in lineage.above(one))
        for node in incident.anchor
    }
