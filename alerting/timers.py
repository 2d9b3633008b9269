"""Deadlines: when time alone changes something, by the owner's clock.

Due times are the owner's clock's only: waits, updates, repeats, silences, limits.  What waits for event time (holds, memory,
overdue refreshes) fires on a finding or a progress mark of the model that moves it there, and has no due time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from alerting.digest import digest_due
from alerting.draft import Draft
from alerting.entry import entry_id
from alerting.incident import Incident
from alerting.reconcile import repeat_due
from alerting.recovery import blind_until, expires
from alerting.register import update_due
from alerting.resolves import resolve_due
from alerting.silences import edges
from alerting.state import Index
from alerting.storm import look_due
from alerting.totals import totals
from alerting.wanted import first_ready, wanted


def due_of(draft: Draft, incident: Incident) -> int | None:
    """When time alone changes something about an incident; always in the future."""
    dues = _live_dues(draft, incident) if incident.live else _kept_until(draft, incident)
    again = (resolve_due(draft.entries[name]) for name in incident.entries)
    return min((due for due in (*dues, *again) if due is not None and due > draft.now), default=None)


def _live_dues(draft: Draft, incident: Incident) -> Iterator[int | None]:
    yield blind_until(draft, incident)
    yield expires(draft, incident)
    if incident.rollup is not None:
        yield from look_due(draft, incident.rollup)
    elif incident.firing:
        yield first_ready(draft.policy, incident)
        yield from _openings(draft, incident)
    for name in incident.entries:
        entry = draft.entries[name]
        yield repeat_due(draft, incident, entry)
        yield update_due(entry, incident.picture, again=draft.policy.post_again(entry.kind))


def _openings(draft: Draft, incident: Incident) -> Iterator[int]:
    """When addresses that were not told yet are ready; none once the longest wait has passed."""
    if incident.opened + totals(incident).most.wait > draft.now:
        for want in wanted(incident).values():
            entry = draft.entries.get(entry_id(incident.id, want.address))
            if not want.held and (entry is None or entry.want is None):
                yield want.ready


def _kept_until(draft: Draft, incident: Incident) -> Iterator[int | None]:
    if incident.ended is not None and all(draft.entries[name].settled for name in incident.entries):
        yield incident.ended + draft.policy.timings.keep_ended


def over(draft: Draft, incident: Incident) -> bool:
    """It ended long enough ago, and everybody was told: it may be forgotten."""
    until = next(_kept_until(draft, incident), None)
    return not incident.live and until is not None and until <= draft.now


def indexed(draft: Draft) -> Index:
    """The index with what the touched incidents changed."""
    old = draft.before.index
    same = draft.silences is draft.before.silences and draft.digests is draft.before.digests
    if not draft.touched and same and (old.due is None or old.due > draft.now):
        return old
    by_node, by_model, dues, live = old.by_node, old.by_model, old.dues, old.live
    for name in draft.touched:
        before, after = draft.before.incidents.get(name), draft.incidents.get(name)
        by_node = _moved(by_node, name, gone=_nodes(before), here=_nodes(after))
        by_model = _moved(by_model, name, gone=_models(before), here=_models(after))
        due = None if after is None else after.due
        if dues.get(name) != due:
            if dues is old.dues:
                dues = dict(dues)
            dues.pop(name, None)
            if due is not None:
                dues[name] = due
        live += _lives(after) - _lives(before)
    return Index(by_node, by_model, dues, _first(draft, dues), live)


def _first(draft: Draft, dues: dict[str, int]) -> int | None:
    silences = (at for silence in draft.silences.values() for at in edges(silence, draft.now))
    digests = (digest_due(digest, draft.policy.timings.digest_wait) for digest in draft.digests.values())
    return min((*dues.values(), *silences, *(at for at in digests if at > draft.now)), default=None)


def _moved(
    table: dict[str, frozenset[str]], name: str, *, gone: Iterable[str], here: Iterable[str]
) -> dict[str, frozenset[str]]:
    if gone is here:
        return table
    before, after = set(gone), set(here)
    if before == after:
        return table
    table = dict(table)
    for node in before - after:
        left = table[node] - {name}
        if left:
            table[node] = left
        else:
            del table[node]
    for node in after - before:
        table[node] = table.get(node, frozenset()) | {name}
    return table


def _nodes(incident: Incident | None) -> Iterable[str]:
    return incident.anchor if incident is not None and incident.live else ()


def _models(incident: Incident | None) -> Iterable[str]:
    return incident.models if incident is not None and incident.live else ()


def _lives(incident: Incident | None) -> int:
    return int(incident is not None and incident.live)


def scheduled(draft: Draft, incident: Incident) -> Incident:
    """The incident with its next deadline."""
    due = due_of(draft, incident)
    return incident if due == incident.due else draft.incident(replace(incident, due=due))
