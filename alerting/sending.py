"""What senders report, taken into the register: a call was begun, was taken, or failed.

``Began`` is stored before the call, so after a crash the register says "in doubt" and the call is made again; PagerDuty
recognises its key and Slack's message is looked up.
"""

from __future__ import annotations

from dataclasses import replace

from alerting.deliveries import Call
from alerting.digest import added, begun, everything, taken
from alerting.draft import Draft
from alerting.entry import Belief, Entry, entry_id
from alerting.history import noted
from alerting.inputs import Began, Confirmed, Failed
from alerting.register import dedup_key
from alerting.renewal import renewed
from alerting.resolves import dropped, resolved


def began(draft: Draft, sent: Began) -> None:
    """A call is about to be made."""
    _digested(draft, sent)
    entry = _entry_of(draft, sent)
    if entry is None:
        return
    call = sent.call
    if call.kind == "note":
        # At most once: a page matters, a remark does not ring twice.
        draft.entry(_remembering(replace(entry, note=None), sent))
    elif call.kind == "close":
        belief = entry.believed.get(call.generation)
        if belief is not None:
            draft.entry(_believing(entry, call, replace(belief, closing=True)))
    else:
        belief = entry.believed.get(call.generation) or Belief()
        picture = draft.incidents[entry.incident].picture
        draft.entry(_remembering(_believing(entry, call, replace(belief, sent=picture)), sent))
    draft.touch([entry.incident])


def confirmed(draft: Draft, sent: Confirmed) -> None:
    """The vendor took a call."""
    _digested(draft, sent)
    entry = _entry_of(draft, sent)
    if entry is None:
        return
    call = sent.call
    if call.kind == "close":
        closed = resolved(draft, entry, call.generation)
        draft.entry(replace(closed, root=sent.thread or call.thread or entry.root))
    elif call.kind == "note":
        draft.entry(_remembering(entry, sent))
    else:
        draft.entry(_taken(draft, entry, sent))
    draft.touch([entry.incident])


def _remembering(entry: Entry, sent: Began | Confirmed) -> Entry:
    """With how that is found which may be there now: a remark to an Alertmanager posts the alert itself."""
    belief = entry.believed.get(sent.call.generation)
    if sent.thread is None or belief is None:
        return entry
    return _believing(entry, sent.call, replace(belief, thread=sent.thread))


def _taken(draft: Draft, entry: Entry, sent: Confirmed) -> Entry:
    call = sent.call
    belief = entry.believed.get(call.generation) or Belief()
    thread = belief.thread if sent.thread is None else sent.thread
    taken = replace(belief, severity=call.severity, doubt=False, thread=thread, shown=belief.sent)
    # The opening said what the note would have said.
    note = None if entry.note is not None and call.kind == "open" and call.why.endswith(entry.note) else entry.note
    # Repeats count from when it rang there: after an outage the opening is not said twice.
    rung = draft.now if call.kind == "open" else entry.rung
    return replace(_believing(entry, call, taken), told=draft.now, rung=rung, note=note)


def failed(draft: Draft, sent: Failed) -> None:
    """A call failed: it is made again, unless the address will never take it; then the fallback is told."""
    _digested(draft, sent)
    entry = _entry_of(draft, sent)
    if entry is None:
        return
    if sent.call.kind == "close" and sent.call.generation in entry.again:
        draft.entry(dropped(entry, sent.call.generation) if sent.permanent else entry)
    elif sent.permanent and not renewed(draft, entry, sent.secret):
        _given_up(draft, replace(entry, failed_under=sent.secret), sent.why)
    elif sent.call.kind == "note" and entry.note is None:
        draft.entry(replace(entry, note=sent.call.why))
    draft.touch([entry.incident])


def _entry_of(draft: Draft, sent: Began | Confirmed | Failed) -> Entry | None:
    """The entry that a call was made for.

    While it was under way a person may have merged its incident or split it: then the vendor's incident is another one's.
    """
    entry = draft.entries.get(sent.entry)
    if sent.call.kind == "digest" or (entry is not None and _is_of(entry, sent.call)):
        return entry
    there = (one for one in draft.entries.values() if one.address == sent.call.address and _is_of(one, sent.call))
    return next(there, None)


def _is_of(entry: Entry, call: Call) -> bool:
    return dedup_key(entry, call.generation) == call.dedup_key


def _digested(draft: Draft, sent: Began | Confirmed | Failed) -> None:
    """A digest was begun, was taken, or will never be: then the fallback's channels hear it."""
    address = sent.call.address
    digest = draft.digests.get(address) if sent.call.kind == "digest" else None
    if digest is None:
        return
    if isinstance(sent, Began):
        draft.digest(address, begun(digest))
    elif isinstance(sent, Confirmed):
        draft.digest(address, taken(digest))
    elif sent.permanent:
        draft.digest(address, None)
        for other in draft.policy.fallback:
            if other.kind == "slack" and other.name != address:
                known = draft.digests.get(other.name)
                draft.digest(other.name, added(known, other.name, everything(digest), now=draft.now))


def _given_up(draft: Draft, entry: Entry, why: str) -> None:
    if entry.failed is not None:
        return
    draft.entry(replace(entry, failed=why, want=None, note=None))
    incident = draft.incidents[entry.incident]
    text = f"{entry.receiver} ({entry.kind}) cannot be told: {why}"
    incident = noted(incident, draft.now, text)
    told = list(incident.entries)
    for address in draft.policy.fallback:
        name = entry_id(incident.id, address.name)
        receiver = draft.policy.tree.receiver or ""
        other = draft.entries.get(name) or Entry(name, incident.id, address.name, address.kind, receiver)
        if other.failed is None:
            draft.entry(replace(other, note=text, note_motive="again"))
            told.append(name)
    draft.incident(replace(incident, entries=tuple(dict.fromkeys(told))))


def _believing(entry: Entry, call: Call, belief: Belief) -> Entry:
    return replace(entry, believed={**entry.believed, call.generation: belief})
