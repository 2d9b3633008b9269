"""A storm: more openings at one address than a person can take in.  What is beyond is told there as one incident, the roll-up.

Each address takes ``storm`` openings in any ``storm_window``.  Once one more is asked for, a roll-up with a key of its own
speaks for it and for all that follow; they are not opened, so they are never closed either.  When the address has room
again, what still fires opens singly, worst first, and the roll-up ends once all of it is confirmed or over.  A P0 is never
rolled up, and neither is what somebody was told of at an address that it leaves: that is handed over.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, count

from alerting.draft import Draft
from alerting.entry import Entry
from alerting.history import noted
from alerting.incident import Incident, Member, Reach, RollUp
from alerting.joining import LINKS
from alerting.messages.wording import duration
from alerting.policy import MINUTE, Timings
from alerting.recovery import ended
from alerting.silences import silenced_until
from alerting.state import State, Storm
from alerting.titles import strongest
from alerting.totals import totals
from alerting.wanted import Want


def asked(draft: Draft, entry: Entry) -> None:
    """An opening at the entry's address; a roll-up's own does not count."""
    if draft.incidents[entry.incident].rollup is None:
        _ask(draft, entry.address, _storm(draft, entry.address))


def rolled(draft: Draft, want: Want, entry: Entry) -> Entry | None:
    """The entry as the roll-up at its address speaks for it; None: it opens by itself."""
    storm = _storm(draft, want.address)
    if want.severity == "P0" or (storm.rollup is None and room(storm, draft.policy.timings, draft.now) > 0):
        return None
    if storm.rollup is None:
        storm = replace(storm, rollup=_begun(draft, want, entry), taken=0)
    part = replace(entry, rolled=storm.rollup, severity=want.severity)
    if entry.id not in storm.waiting:
        storm = replace(storm, waiting=storm.waiting | {entry.id}, taken=storm.taken + 1)
        storm = _ask(draft, want.address, storm)
    if storm.rollup is not None and _looks(draft, storm, part):
        draft.touch([storm.rollup])
    return part


def told_singly(draft: Draft, entry: Entry) -> None:
    """The roll-up does not speak for the entry any more: it is told, or there is nothing to tell."""
    storm = draft.storms[entry.address]
    left = storm.waiting - {entry.id}
    draft.entry(replace(entry, rolled=None))
    draft.storm(entry.address, replace(storm, waiting=left))
    if storm.rollup is not None and not left:
        draft.touch([storm.rollup])


def weathered(draft: Draft, incident: Incident, rollup: RollUp) -> Incident:
    """A roll-up with what has become of that which it stands for: worse, told singly as far as there is room, or over."""
    address = rollup.reach.address
    storm = draft.storms[address]
    if not storm.waiting:
        draft.storm(address, replace(storm, rollup=None))
        over = ended(draft, replace(incident, rollup=replace(rollup, waiting=0)), "calm")
        return draft.incident(replace(over, ended_at=draft.now))
    due = list(_due(draft, storm))
    for entry in heapq.nsmallest(room(storm, draft.policy.timings, draft.now), due, key=lambda one: _rank(draft, one)):
        _release(draft, entry)
    waiting = [entry for entry in _waiting(draft, storm) if entry.want is None]
    seen = replace(rollup, waiting=len(waiting), taken=storm.taken, silenced=_silenced(draft, incident, waiting))
    worst = heapq.nsmallest(LINKS, waiting, key=lambda one: _rank(draft, one))
    seen_by = replace(
        _raised(draft, incident, due),
        rollup=seen,
        links=tuple(entry.incident for entry in worst),
        models=frozenset[str]().union(*(draft.incidents[entry.incident].models for entry in waiting)),
    )
    return incident if seen_by == incident else draft.incident(seen_by)


def look_due(draft: Draft, rollup: RollUp) -> Iterator[int]:
    """When a roll-up is looked at again: its numbers at the next update, and once its address has room for one more."""
    storm, timings = draft.storms[rollup.reach.address], draft.policy.timings
    yield draft.now + max(rollup.reach.update_interval, MINUTE)
    if room(storm, timings, draft.now) <= 0:  # below, where a new configuration takes fewer
        yield storm.asked[-timings.storm] + timings.storm_window


def room(storm: Storm, timings: Timings, now: int) -> int:
    """How many openings the address takes at once.

    >>> timings = Timings(storm=2, storm_window=600)
    >>> [room(Storm(asked=(100, 300)), timings, now) for now in (300, 699, 700, 900)]
    [0, 0, 1, 2]
    """
    return timings.storm - sum(at > now - timings.storm_window for at in storm.asked)


def spoken_for(state: State, incident: Incident, *, most: int) -> list[Member]:
    """Of each incident that a roll-up stands for the worst finding, the worst first."""
    return [strongest(one, 1)[0] for one in heapq.nsmallest(most, _children(state, incident), key=_worst_first)]


def extent(state: State, incident: Incident) -> tuple[int, int]:
    """How many findings fire in what a roll-up stands for, and how many there are."""
    members = [one.members for one in _children(state, incident)]
    return sum(some.active for some in members), sum(map(len, members))


def _storm(draft: Draft, address: str) -> Storm:
    return draft.storms.get(address) or Storm()


def _ask(draft: Draft, address: str, storm: Storm) -> Storm:
    storm = replace(storm, asked=(*storm.asked, draft.now)[-draft.policy.timings.storm :])
    draft.storm(address, storm)
    return storm


def _begun(draft: Draft, want: Want, entry: Entry) -> str:
    """Begin a roll-up: its id follows from the incident that was one too many, so that every replay finds the same."""
    digest = hashlib.sha256(f"storm|{want.address}|{entry.incident}".encode()).hexdigest()[:10]
    spare = (f"inc-{digest}-{number}" for number in count(2))
    name = next(name for name in chain((f"inc-{digest}",), spare) if name not in draft.incidents)
    reach = Reach(want.address, want.kind, want.receiver, 0, want.update_interval, want.repeat_interval)
    begun = Incident(
        id=name,
        seed=entry.incident,
        opened=draft.now,
        updated=draft.now,
        state="open",
        severity=want.severity,
        worst=want.severity,
        rollup=RollUp(reach),
    )
    most, length = draft.policy.timings.storm, duration(draft.policy.timings.storm_window)
    draft.incident(noted(begun, draft.now, f"a storm begins: more than {most} openings in {length} at {want.receiver}"))
    return name


def _looks(draft: Draft, storm: Storm, part: Entry) -> bool:
    """Whether the roll-up has to be looked at because of one that it speaks for."""
    rollup = draft.incidents[storm.rollup or ""]
    return part.severity < rollup.severity or room(storm, draft.policy.timings, draft.now) > 0


def _waiting(draft: Draft, storm: Storm) -> Iterator[Entry]:
    return (draft.entries[name] for name in storm.waiting)


def _due(draft: Draft, storm: Storm) -> Iterator[Entry]:
    """What would be opened if there were room: it fires, is not silenced, and is not on its way already."""
    for entry in _waiting(draft, storm):
        if entry.want is None and not entry.held and draft.incidents[entry.incident].firing:
            yield entry


def _rank(draft: Draft, entry: Entry) -> tuple[str, int, str]:
    return entry.severity, draft.incidents[entry.incident].opened, entry.id


def _release(draft: Draft, entry: Entry) -> None:
    generation = entry.generation + 1
    draft.entry(replace(entry, generation=generation, want=generation, motive="calmer", rung=draft.now))
    asked(draft, entry)


def _raised(draft: Draft, incident: Incident, due: list[Entry]) -> Incident:
    """The roll-up as bad as the worst that it ever spoke for."""
    severity = min((entry.severity for entry in due), default=incident.severity)
    if severity >= incident.severity:
        return incident
    worsenings = (*incident.worsenings, (incident.revision + 1, incident.severity))
    worse = replace(incident, severity=severity, worst=severity, worsenings=worsenings)
    return noted(worse, draft.now, f"{incident.severity} → {severity}")


def _silenced(draft: Draft, incident: Incident, waiting: list[Entry]) -> int | None:
    """Until when nobody is to be rung for it: it is silenced itself, or everything that it still speaks for."""
    own = silenced_until(draft.silences.values(), {"incident": incident.id}, draft.now)
    if own is not None or not waiting or not all(entry.held for entry in waiting):
        return own
    return min(totals(draft.incidents[entry.incident]).least.silenced for entry in waiting)


def _children(state: State, incident: Incident) -> Iterator[Incident]:
    storm = state.storms.get(incident.rollup.reach.address) if incident.rollup is not None else None
    if storm is not None and storm.rollup == incident.id:
        names = {state.entries[name].incident for name in storm.waiting}
        yield from (state.incidents[name] for name in names)


def _worst_first(incident: Incident) -> tuple[str, int, str]:
    return incident.severity, incident.opened, incident.id
