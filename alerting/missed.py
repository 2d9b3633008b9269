"""An incident ended: who was to be told of it and could not be, because it began and ended before they were reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from alerting.deliveries import ReceiverKind
from alerting.digest import Batch, Missed, added
from alerting.document import since
from alerting.draft import Draft
from alerting.entry import Entry, entry_id
from alerting.history import noted
from alerting.incident import Incident
from alerting.late import held_until
from alerting.titles import title_of
from alerting.wanted import Want, wanted

#: What somebody resolved, or took out of the file, is known to them.
_BY_ITSELF = ("recovered", "no_data", "expired", "calm")
Place = tuple[str, ReceiverKind, str]


def note_missed(draft: Draft, incident: Incident) -> Incident:
    """The incident that has just ended, with a line that says who never heard of it; channels are told in one digest."""
    places = dict.fromkeys(_missed(draft, incident)) if incident.reason in _BY_ITSELF else {}
    if not places:
        return incident
    one = Missed(incident.worst, since(incident)[1], incident.id, title_of(incident), incident.ended_at or 0)
    for address, kind, _ in places:
        if kind == "slack":
            draft.digest(address, added(draft.digests.get(address), address, Batch((one,)), now=draft.now))
    whom = ", ".join(f"{receiver} ({kind})" for _, kind, receiver in places)
    return draft.incident(noted(incident, draft.now, f"over before it could be told: {whom}"))


def _missed(draft: Draft, incident: Incident) -> Iterator[Place]:
    for name in incident.entries:
        entry = draft.entries[name]
        if entry.want is not None and _unreached(entry):
            yield entry.address, entry.kind, entry.receiver
    if (held_until(incident) or 0) > draft.now:
        for want in wanted(replace(incident, ended=None)).values():
            if _would_open(draft, incident, want):
                yield want.address, want.kind, want.receiver


def _would_open(draft: Draft, incident: Incident, want: Want) -> bool:
    entry = draft.entries.get(entry_id(incident.id, want.address))
    return not want.held and (entry is None or (entry.want is None and _unreached(entry)))


def _unreached(entry: Entry) -> bool:
    """Nothing of it was ever sent there; what may have arrived is closed there instead."""
    return entry.told is None and not entry.believed and entry.failed is None
