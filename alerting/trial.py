"""What would become of a finding if it came now: whom its routes reach, which incident it would be in, and what holds it back.

The core itself is asked: the step that the owner would take is taken on a copy of its state, and what follows until the last
address is ready.  Nothing is stored and nobody is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import msgspec

from alerting.deliveries import ReceiverKind
from alerting.entry import Entry, entry_id
from alerting.incident import Incident, JoinedBy, Member
from alerting.matchers import all_match, written
from alerting.policy import Policy
from alerting.routing import Branch, paths
from alerting.silences import Silence, silence_labels
from alerting.state import Known, State
from alerting.step import advance, step
from alerting.wanted import Want, wanted
from schemas.findings import Finding, Severity

#: ``opens``: it rings there; ``rings``: it was told and is told anew, as it got worse; ``joins``: it was told, and is edited in
#: place.  The others say why it is not told there.
Verdict = Literal["opens", "rings", "joins", "silenced", "storm", "resolved", "failed"]


@dataclass(frozen=True, slots=True)
class Way:
    """A route that the finding ends at: the matchers that lead there, and what is said there."""

    receiver: str | None
    matchers: tuple[str, ...]
    wait: int
    repeat: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """One address; ``at`` is when it is opened, ``by`` who speaks for it or why it was given up, ``until`` when a silence ends."""

    receiver: str
    address: str
    kind: ReceiverKind
    verdict: Verdict
    at: int | None = None
    by: str | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """``incident`` is None where a person resolved it and it stays closed; ``joined_by`` is ``first`` where it begins one."""

    ways: tuple[Way, ...]
    told: tuple[Told, ...]
    silences: tuple[Silence, ...]
    incident: str | None = None
    joined_by: JoinedBy | None = None
    links: tuple[str, ...] = ()
    severity: Severity | None = None
    acknowledged_by: str | None = None


def ways_of(policy: Policy, finding: Finding) -> tuple[Way, ...]:
    """The routes that a finding ends at."""
    return tuple(_way(path, finding.severity) for path in paths(policy.tree, finding.labels))


def tried(state: State, finding: Finding, now: int) -> Trial:
    """What would become of a firing finding of a model that is watched."""
    finding = _as_news(state, finding)
    before = advance(state, now)
    after = step(before, finding, now)
    known = after.models[finding.model].keys[finding.key]
    ways = ways_of(state.policy, finding)
    if known.home is None:
        return Trial(ways, _shut(state.policy, ways), ())
    home = after.incidents[known.home]
    wants = _wants(home, finding)
    later = advance(after, max((want.ready for want in wants.values()), default=now))
    home = later.incidents.get(home.id, home)
    return Trial(
        ways,
        tuple(_told(before, later, home, want=want) for want in wants.values()),
        tuple(_silencing(before, finding, home.id, now=now)),
        home.id,
        home.members[finding.key].joined_by,
        home.links,
        home.severity,
        home.acknowledged.by if home.acknowledged is not None else None,
    )


def _as_news(state: State, finding: Finding) -> Finding:
    """A finding that was heard already, as if it were said once more."""
    known = _known(state, finding)
    if known is None or finding.rev > known.rev:
        return finding
    return msgspec.structs.replace(finding, rev=(known.rev[0], known.rev[1] + 1))


def _known(state: State, finding: Finding) -> Known | None:
    heard = state.models.get(finding.model)
    return heard.keys.get(finding.key) if heard is not None else None


def _way(path: tuple[Branch, ...], severity: Severity) -> Way:
    last = path[-1]
    matchers = tuple(written(matcher) for branch in path for matcher in branch.matchers)
    return Way(last.receiver, matchers, last.wait_of(severity), last.repeat_interval)


def _wants(home: Incident, finding: Finding) -> dict[str, Want]:
    """What the incident asks of the addresses that the finding itself reaches, and where those moved to."""
    own = {reach.address: reach for reach in home.members[finding.key].reach}
    return {
        address: replace(want, receiver=own[address].receiver)
        for address, want in wanted(home).items()
        if address in own
    }


def _told(before: State, after: State, home: Incident, *, want: Want) -> Told:
    was, entry = (state.entries.get(entry_id(home.id, want.address)) for state in (before, after))
    told = Told(want.receiver, want.address, want.kind, "opens", at=want.ready)
    if entry is not None and entry.failed is not None:
        return replace(told, verdict="failed", at=None, by=entry.failed)
    if was is not None and was.want is not None:
        return replace(told, verdict="rings" if _rings(was, entry) else "joins", at=None, by=home.id)
    if entry is not None and entry.rolled is not None:
        return replace(told, verdict="storm", at=None, by=entry.rolled)
    if want.held:
        return replace(told, verdict="silenced", at=None, until=_silent_until(home))
    return replace(told, at=max(want.ready, before.now))


def _rings(was: Entry, entry: Entry | None) -> bool:
    return entry is not None and (entry.generation > was.generation or entry.severity < was.severity)


def _silent_until(home: Incident) -> int | None:
    return max((member.silenced for member in _saying(home) if member.silenced is not None), default=None)


def _saying(home: Incident) -> Iterator[Member]:
    return (member for _, member in home.members.table.rows() if member.counts)


def _silencing(state: State, finding: Finding, incident: str, *, now: int) -> Iterator[Silence]:
    labels = silence_labels(finding, incident)
    return (one for one in state.silences.values() if one.holds(now) and all_match(one.matchers, labels))


def _shut(policy: Policy, ways: tuple[Way, ...]) -> tuple[Told, ...]:
    found = {
        address.name: Told(way.receiver or "", address.name, address.kind, "resolved")
        for way in ways
        for address in policy.addresses(way.receiver)
    }
    return tuple(found.values())
