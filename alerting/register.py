"""The register's next call for an entry: the difference between what an address should believe and what it may believe.

Make before break: a close because the audience moved waits until everybody who should be told is; an old generation closes
once the new one is confirmed.  The close of an incident that ended waits for nobody.
"""

from __future__ import annotations

from collections.abc import Iterator

from alerting.deliveries import Call, CallKind
from alerting.digest import call_of, digest_due
from alerting.entry import Belief, Entry, entry_id
from alerting.incident import Picture
from alerting.recovery import REASONS
from alerting.resolves import due_again
from alerting.state import State
from schemas.findings import Severity


def entries(state: State) -> Iterator[Entry]:
    """The entries that are not settled: those at which there may be something to do."""
    return (entry for entry in state.entries.values() if not entry.settled)


def calls(state: State, now: int) -> list[Call]:
    """The next call of every entry that needs one, and the digests that are due."""
    return list(planned(state, now))


def planned(state: State, now: int) -> Iterator[Call]:
    """The same, one by one: of thousands of openings each takes a moment."""
    for entry in entries(state):
        call = plan(state, entry.id, now)
        if call is not None:
            yield call
    wait = state.policy.timings.digest_wait
    yield from (call_of(digest) for digest in state.digests.values() if digest_due(digest, wait) <= now)


def planned_again(state: State, call: Call, now: int) -> Call | None:
    """What is to be called instead of a call that was planned by an earlier state; None: nothing there."""
    if call.kind != "digest":
        return plan(state, call.entry, now)
    digest = state.digests.get(call.address)
    due = digest is not None and digest_due(digest, state.policy.timings.digest_wait) <= now
    return call_of(digest) if digest is not None and due else None


def untold(state: State, now: int) -> set[str]:
    """The addresses at which some opening or closing is not confirmed; at each the first that is found is enough."""
    found: set[str] = set()
    for entry in entries(state):
        if entry.address not in found:
            call = plan(state, entry.id, now)
            if call is not None and call.kind in ("open", "close"):
                found.add(entry.address)
    return found


def plan(state: State, entry_id: str, now: int) -> Call | None:
    """The next call for an entry, or None; None too for an entry that is not known any more."""
    entry = state.entries.get(entry_id)
    if entry is None or entry.failed is not None:
        return None
    return _wanted(state, entry, now) or _note(entry) or _close(state, entry) or _again(state, entry, now)


def _wanted(state: State, entry: Entry, now: int) -> Call | None:
    if entry.want is None:
        return None
    belief = entry.believed.get(entry.want)
    if belief is None or belief.doubt:
        return _call(entry, "open", entry.want, why=_opening(state, entry))
    if belief.severity != entry.severity:
        became = f"was {belief.severity}, is {entry.severity}"
        return _call(entry, "update", entry.want, why=became)
    again = state.policy.post_again(entry.kind)
    due = update_due(entry, state.incidents[entry.incident].picture, again=again)
    return _call(entry, "update", entry.want, why="changed") if due is not None and due <= now else None


def update_due(entry: Entry, picture: Picture, *, again: int | None = None) -> int | None:
    """When what has changed is to be shown: at once, or at the next update; None: nothing has changed.

    ``again``: after how long it is shown although nothing has.
    """
    belief = entry.believed.get(entry.want) if entry.want is not None else None
    if belief is None or belief.doubt:
        return None
    told = entry.told or 0
    if belief.shown == picture:
        return None if again is None else told + again
    if belief.shown is None or belief.shown.urgent != picture.urgent:
        return told
    return told + entry.update_interval


def _note(entry: Entry) -> Call | None:
    if entry.note is None or not entry.notable:
        return None
    generation = entry.want or entry.generation
    return _call(entry, "note", generation, why=entry.note)


def _close(state: State, entry: Entry) -> Call | None:
    for generation in sorted(entry.believed):
        if generation != entry.want and _may_close(state, entry):
            return _call(entry, "close", generation, why=_closing(state, entry))
    return None


def _again(state: State, entry: Entry, now: int) -> Call | None:
    generation = due_again(entry, now)
    return None if generation is None else _call(entry, "close", generation, why=_closing(state, entry))


def _may_close(state: State, entry: Entry) -> bool:
    incident = state.incidents[entry.incident]
    if not incident.live:
        return incident.into is None or _taken_over(state, entry, incident.into)
    others = (state.entries[name] for name in incident.entries)
    return all(other.confirmed for other in others if other.want is not None and other.failed is None)


def _taken_over(state: State, entry: Entry, into: str) -> bool:
    """Whether an address of what was merged surely shows what it was merged into, if it is to."""
    other = state.entries.get(entry_id(into, entry.address))
    return other is None or other.want is None or other.failed is not None or other.confirmed


def _opening(state: State, entry: Entry) -> str:
    incident = state.incidents[entry.incident]
    texts = {
        "first": "opened" if incident.worst == entry.severity else f"opened here, was {incident.worst}",
        "again": "routed here again",
        "worse": f"got worse: {entry.severity}",
        "outlived": "still open although its likely cause recovered",
        "repeat": "still open",
        "calmer": "opened; it came in a storm",
    }
    text = texts.get(entry.motive, "opened")
    return text if entry.note is None else f"{text}; {entry.note}"


def _closing(state: State, entry: Entry) -> str:
    incident = state.incidents[entry.incident]
    if incident.into is not None:
        return f"merged into {incident.into}"
    if incident.reason is not None:
        return REASONS[incident.reason]
    if entry.want is not None:
        return f"replaced by {dedup_key(entry, entry.want)}"
    return "no longer routed here"


def _call(entry: Entry, kind: CallKind, generation: int, *, why: str) -> Call:
    belief = entry.believed.get(generation) or Belief(doubt=False)
    return Call(
        entry=entry.id,
        kind=kind,
        generation=generation,
        severity=_severity(entry, belief, kind),
        address=entry.address,
        receiver_kind=entry.kind,
        dedup_key=dedup_key(entry, generation),
        thread=belief.thread or (entry.root if kind == "open" else None),
        why=why,
        doubt=belief.doubt,
    )


def _severity(entry: Entry, belief: Belief, kind: CallKind) -> Severity:
    if kind == "close" and belief.severity is not None:
        return belief.severity
    return entry.severity


def dedup_key(entry: Entry, generation: int) -> str:
    """The key by which a vendor knows one generation of an incident."""
    return f"{entry.under or entry.incident}:{generation}"
