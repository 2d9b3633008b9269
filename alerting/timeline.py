"""The timeline of incidents: what one or more steps changed, in words, for the console and the command line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from alerting.entry import Entry
from alerting.incident import Incident
from alerting.members import Members
from alerting.state import State

What = Literal["incident", "member", "delivery"]


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One change; ``at`` is the owner's clock."""

    incident: str
    at: int
    what: What
    text: str


def timeline(old: State, new: State, now: int) -> list[TimelineEntry]:
    """What happened between two states, by incident: its own lines, then members, then deliveries."""
    found: list[TimelineEntry] = []
    for name, incident in new.incidents.items():
        before = old.incidents.get(name)
        if before is not incident:
            found.extend(_lines(before, incident))
            found.extend(TimelineEntry(name, now, "member", text) for text in _members(before, incident))
        found.extend(TimelineEntry(name, now, "delivery", text) for text in tellings(old, new, name))
    return found


def tellings(old: State, new: State, incident: str) -> Iterator[str]:
    """What became known between two states of what receivers were told of an incident, also of one that has left."""
    left = new.left.get(incident)
    here = new.incidents.get(incident)
    entries = (
        [new.entries[name] for name in here.entries] if here is not None else left.entries if left is not None else ()
    )
    for entry in entries:
        yield from _delivery(old.entries.get(entry.id), entry)


def _lines(before: Incident | None, after: Incident) -> Iterator[TimelineEntry]:
    last = before.lines[-1].number if before is not None and before.lines else 0
    for line in after.lines:
        if line.number > last:
            yield TimelineEntry(after.id, line.at, "incident", line.text)


def _members(before: Incident | None, after: Incident) -> Iterator[str]:
    known = Members() if before is None else before.members
    for key, member in after.members.differing(known):
        was = known.get(key)
        subject = f"{member.finding.subject} ({member.finding.rule})"
        if was is None:
            yield f"{subject} joined by {member.joined_by}, {member.finding.severity}"
        elif was.state != member.state:
            yield f"{subject} is {member.state}"
        elif was.severity != member.severity:
            yield f"{subject}: {was.severity or 'clear'} → {member.severity or 'clear'}"


def _delivery(before: Entry | None, after: Entry) -> Iterator[str]:
    if before is after:
        return
    known = {} if before is None else before.believed
    for generation, belief in after.believed.items():
        was = known.get(generation)
        if not belief.doubt and (was is None or was.doubt):
            yield f"{after.receiver} ({after.kind}) was told {belief.severity}"
        elif was is not None and belief.severity != was.severity:
            yield f"{after.receiver} ({after.kind}) shows {belief.severity}"
    for generation in known:
        if generation not in after.believed:
            yield f"{after.receiver} ({after.kind}) was told that it is over"
