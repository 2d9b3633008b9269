"""From what addresses should see to entries of the register: what opens, worsens, rings again, is held, and is withdrawn.

Mutes stop openings and repeats and never a close.  A worsening into a paging tier gives PagerDuty a new generation, because
an acknowledged incident does not ring there again; the old one is closed once the new one is confirmed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from alerting.draft import Draft
from alerting.entry import Entry, Motive, entry_id
from alerting.incident import Acknowledged, Incident, Member
from alerting.recovery import unstable
from alerting.severity import PAGING
from alerting.stopped import stopped
from alerting.storm import asked, rolled, told_singly
from alerting.table import Summary
from alerting.wanted import Want, both, wanted


@dataclass(frozen=True, slots=True)
class _Audience:
    """``told``: somebody was told of the incident; ``leaving``: at an address that it is no longer routed to."""

    told: bool
    leaving: bool


def reconcile(draft: Draft, incident: Incident, *, rings: bool) -> Incident:
    """Bring the incident's entries to what its addresses should see; ``rings``: it has just outlived its cause."""
    wants = _redirected(draft, incident, wanted(incident))
    entries = dict.fromkeys((*incident.entries, *(entry_id(incident.id, address) for address in wants)))
    audience = _audience(draft, incident, wants)
    held = bool(wants) and all(want.held for want in wants.values())
    for want in wants.values():
        entry = draft.entries.get(entry_id(incident.id, want.address)) or _entry(incident, want)
        if entry.failed is None:
            new = _repeated(draft, incident, _raised(draft, incident, want, entry=entry, audience=audience))
            draft.entry(_rung(draft, new) if rings and not want.held else new)
    for name in incident.entries:
        entry = draft.entries[name]
        if entry.want is not None and entry.address not in wants and not held:
            entry = draft.entry(replace(entry, want=None, motive=incident.reason or "moved"))
        if entry.rolled is not None and (entry.address not in wants or entry.confirmed):
            told_singly(draft, entry)
    kept = tuple(name for name in entries if name in draft.entries)
    return incident if kept == incident.entries else draft.incident(replace(incident, entries=kept))


def _audience(draft: Draft, incident: Incident, wants: Mapping[str, Want]) -> _Audience:
    known = [draft.entries[name] for name in incident.entries if draft.entries[name].believed]
    leaving = any(entry.address not in wants and entry.failed is None for entry in known)
    return _Audience(told=bool(known), leaving=leaving)


def _redirected(draft: Draft, incident: Incident, wants: dict[str, Want]) -> dict[str, Want]:
    """What an address that failed for good should see goes to the fallback."""
    kept = dict(wants)
    for address, want in wants.items():
        if _failed(draft, incident, address):
            del kept[address]
            for other in draft.policy.fallback:
                if not _failed(draft, incident, other.name):
                    moved = replace(
                        want, address=other.name, kind=other.kind, receiver=draft.policy.tree.receiver or ""
                    )
                    kept[other.name] = both(moved, kept.get(other.name))
    return kept


def _failed(draft: Draft, incident: Incident, address: str) -> bool:
    entry = draft.entries.get(entry_id(incident.id, address))
    return entry is not None and entry.failed is not None


def _entry(incident: Incident, want: Want) -> Entry:
    return Entry(entry_id(incident.id, want.address), incident.id, want.address, want.kind, want.receiver)


def _raised(draft: Draft, incident: Incident, want: Want, *, entry: Entry, audience: _Audience) -> Entry:
    """The entry with what it wants now."""
    entry = _addressed(entry, want)
    if entry.want is None:
        # Who was told once is handed over to the next address without another wait, or nobody would be told for a while.
        ready = want.ready <= draft.now or audience.told
        if not ready or want.held or not incident.firing:
            return entry
        # What somebody is about to lose sight of is handed over, whatever the weather.
        alone = incident.rollup is not None or audience.leaving
        return (None if alone else rolled(draft, want, entry)) or _opened(draft, want, entry)
    if want.severity < entry.severity and not want.held:
        return _worse(draft, entry, want)
    return entry if want.severity <= entry.severity else replace(entry, severity=want.severity)


def _addressed(entry: Entry, want: Want) -> Entry:
    """The entry with what its route says; the identical one where nothing has changed, as with nearly every finding."""
    said = (want.receiver, want.update_interval, want.repeat_interval, want.held)
    if said == (entry.receiver, entry.update_interval, entry.repeat_interval, entry.held):
        return entry
    return replace(
        entry,
        receiver=want.receiver,
        update_interval=want.update_interval,
        repeat_interval=want.repeat_interval,
        held=want.held,
    )


def _opened(draft: Draft, want: Want, entry: Entry) -> Entry:
    last = entry.believed.get(entry.generation)
    if last is not None and not last.closing:
        # Its close has not begun: take it back rather than ring again.
        back = replace(entry, want=entry.generation)
        if want.severity < entry.severity:
            return _worse(draft, back, want)
        return replace(back, severity=want.severity)
    asked(draft, entry)
    motive: Motive = "first" if entry.generation == 0 else "again"
    generation = entry.generation + 1
    return replace(entry, generation=generation, want=generation, severity=want.severity, motive=motive, rung=draft.now)


def _worse(draft: Draft, entry: Entry, want: Want) -> Entry:
    worse = replace(entry, severity=want.severity, motive="worse", rung=draft.now)
    return _next_generation(worse) if want.severity <= PAGING else worse


def _rung(draft: Draft, entry: Entry) -> Entry:
    """What outlived its cause rings once where it pages."""
    if entry.want is None or entry.severity > PAGING:
        return entry
    return _ringing(replace(entry, motive="outlived", rung=draft.now), "outlived")


def _repeated(draft: Draft, incident: Incident, entry: Entry) -> Entry:
    """Say it again when the repeat is due; after an outage once, and in the old rhythm."""
    due = repeat_due(draft, incident, entry)
    if due is None or due > draft.now or entry.repeat_interval is None:
        return entry
    missed = (draft.now - due) // entry.repeat_interval
    if stopped(draft, incident):
        return replace(entry, rung=due + missed * entry.repeat_interval)
    return _ringing(replace(entry, motive="repeat", rung=due + missed * entry.repeat_interval), "repeat")


def repeat_due(draft: Draft, incident: Incident, entry: Entry) -> int | None:
    """When an entry is to be said again; None: not asked for, muted, taken, unstable, or not even confirmed."""
    if entry.repeat_interval is None or entry.rung is None or entry.held or not entry.confirmed:
        return None
    if not incident.firing or covered(incident) or unstable(draft, incident):
        return None
    return entry.rung + entry.repeat_interval


def covered(incident: Incident) -> bool:
    """Somebody has it, and with it everything that fires."""
    taken = incident.acknowledged
    if taken is None or incident.severity < taken.severity:
        return False
    return not incident.members.table.summed(_beyond(taken))


def _beyond(taken: Acknowledged) -> Summary[Member, bool]:
    """Whether something fires that was not there when somebody took the incident."""
    return Summary(
        "beyond", lambda member: member.active and member.finding.key not in taken.keys, any, by=taken, lasting=True
    )


def _ringing(entry: Entry, motive: Motive) -> Entry:
    if entry.kind == "pagerduty":
        return _next_generation(entry)
    return replace(entry, note=NOTES[motive], note_motive=motive)


NOTES: dict[Motive, str] = {"repeat": "still open", "outlived": "still open although its likely cause recovered"}


def _next_generation(entry: Entry) -> Entry:
    """A new incident at PagerDuty; unless the present one was never begun: then one opening says it all."""
    if entry.kind != "pagerduty" or entry.generation not in entry.believed:
        return entry
    return replace(entry, generation=entry.generation + 1, want=entry.generation + 1)
