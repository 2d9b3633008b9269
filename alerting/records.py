"""The state as fields of one Redis hash: what a step changed, and the state that the fields hold.

An incident, each of its members, each entry, silence, finding key and model is a field of its own, so a step writes what it
changed and not an incident of 300 members.  What follows from the rest (routes, silenced members, index) is not stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from alerting.digest import Digest
from alerting.draft import Draft
from alerting.entry import Entry
from alerting.incident import Incident, Member
from alerting.members import Members
from alerting.policy import Policy
from alerting.silences import Silence
from alerting.state import Heard, Known, State, Storm
from alerting.table import Table
from alerting.timers import indexed
from alerting.wanted import muted, reached

#: The shape of the records; another number is refused.
SCHEMA = 1
_SEPARATOR = "\x1f"
_T = TypeVar("_T")
#: Members are fields of their own.
_ENCODER = msgspec.json.Encoder(enc_hook=lambda _: {})


def changed(old: State, new: State) -> dict[str, bytes | None]:
    """The fields to write, and with None those to delete, to go from one state's records to the next's."""
    return dict(changes(old, new))


def changes(old: State, new: State) -> Iterator[tuple[str, bytes | None]]:
    """The same, one by one."""
    if old is new:
        return
    if new.now != old.now or not old.models:
        yield "meta", _ENCODER.encode({"now": new.now, "schema": SCHEMA})
    yield from _table("silence", old.silences, new.silences)
    yield from _table("entry", old.entries, new.entries)
    yield from _storms(old, new)
    yield from _table("digest", old.digests, new.digests)
    yield from _incidents(old, new)
    yield from _models(old, new)


def restored(records: Mapping[str, bytes], policy: Policy) -> State:
    """The state that the records hold, under a policy; a newer one than they were written under needs ``Configure`` too.

    :raises ValueError: they are of another shape.
    """
    return _derived(tabled(records, policy))


def tabled(records: Mapping[str, bytes], policy: Policy) -> State:
    """The same without routes, silenced members and index: nothing can be decided by it yet.

    :raises ValueError: they are of another shape.
    """
    tables = _tables(records)
    meta = msgspec.json.decode(records["meta"]) if "meta" in records else {"now": 0, "schema": SCHEMA}
    if meta["schema"] != SCHEMA:
        raise ValueError(f"the incident owner's records have the shape {meta['schema']}; this program reads {SCHEMA}")
    entries = {name: _read(value, Entry) for (name,), value in tables.get("entry", {}).items()}
    return State(
        policy,
        meta["now"],
        models=_heard(tables),
        incidents=_rebuilt(tables),
        entries=entries,
        storms=_weather(tables, entries),
        silences={name: _read(value, Silence) for (name,), value in tables.get("silence", {}).items()},
        digests={name: _read(value, Digest) for (name,), value in tables.get("digest", {}).items()},
    )


def records_of(state: State, name: str, members: Sequence[Member]) -> Iterator[tuple[str, bytes]]:
    """The fields of one incident, what its addresses believe, its members' models, these members, and what their keys were."""
    incident = state.incidents[name]
    yield _field("incident", name), _ENCODER.encode(incident)
    for entry in incident.entries:
        yield _field("entry", entry), _ENCODER.encode(state.entries[entry])
    models = {model: state.models.get(model) or Heard() for model in (member.finding.model for member in members)}
    for model, heard in models.items():
        yield _field("model", model), _ENCODER.encode((heard.clock, heard.heard))
    for member in members:
        key, model = member.finding.key, member.finding.model
        yield _field("member", name, key), _ENCODER.encode(replace(member, reach=(), silenced=None))
        known = models[model].keys.get(key)
        if known is not None:
            yield _field("key", model, key), _ENCODER.encode(known)


def shut_of(state: State, members: Iterable[Member]) -> Iterator[tuple[str, bytes]]:
    """The fields of those of the keys that a person has closed while they fired."""
    for member in members:
        key, model = member.finding.key, member.finding.model
        heard = state.models.get(model)
        known = heard.keys.get(key) if heard is not None else None
        if known is not None and known.shut is not None:
            yield _field("key", model, key), _ENCODER.encode(known)


def stored_now(meta: bytes) -> int:
    """The owner's time as its records hold it in the field ``meta``.

    >>> stored_now(b'{"now":7,"schema":1}')
    7
    """
    return int(msgspec.json.decode(meta)["now"])


Tables = dict[str, dict[tuple[str, ...], bytes]]


def _tables(records: Mapping[str, bytes]) -> Tables:
    tables: Tables = {}
    for field, value in records.items():
        table, *name = field.split(_SEPARATOR, 1)
        if table in ("member", "key"):  # The last part is a finding's key, and what stands in that is not ours.
            name = name[0].split(_SEPARATOR, 1)
        tables.setdefault(table, {})[tuple(name)] = value
    return tables


def _incidents(old: State, new: State) -> Iterator[tuple[str, bytes | None]]:
    for name, incident in new.incidents.items():
        before = old.incidents.get(name)
        if before is not incident:
            yield _field("incident", name), _ENCODER.encode(incident)
            yield from _members(name, before, incident)
            # It left, and the same verdict, revised, began it anew; or somebody split findings off.
            if before is not None and (name in new.left or incident.splits != before.splits):
                yield from ((_field("member", name, key), None) for key in before.members.keys() - incident.members)
    for name, incident in old.incidents.items():
        if name not in new.incidents:
            yield _field("incident", name), None
            for key in incident.members:
                yield _field("member", name, key), None


def _members(name: str, before: Incident | None, after: Incident) -> Iterator[tuple[str, bytes | None]]:
    known = before.members if before is not None else Members()
    for key, member in after.members.differing(known):
        if known.get(key) == member:  # Another silence or another route: neither is compared, neither is stored.
            continue
        yield _field("member", name, key), _ENCODER.encode(replace(member, reach=(), silenced=None))


def _models(old: State, new: State) -> Iterator[tuple[str, bytes | None]]:
    for model, heard in new.models.items():
        before = old.models.get(model) or Heard()
        if before is heard:
            continue
        if (before.clock, before.heard) != (heard.clock, heard.heard):
            yield _field("model", model), _ENCODER.encode((heard.clock, heard.heard))
        for key, known in heard.keys.differing(before.keys):
            yield _field("key", model, key), _ENCODER.encode(known)


def _table(table: str, old: Mapping[str, _T], new: Mapping[str, _T]) -> Iterator[tuple[str, bytes | None]]:
    if old is new:
        return
    for name, value in new.items():
        if old.get(name) is not value:
            yield _field(table, name), _ENCODER.encode(value)
    for name in old:
        if name not in new:
            yield _field(table, name), None


def _storms(old: State, new: State) -> Iterator[tuple[str, bytes | None]]:
    for address, storm in new.storms.items():
        before = old.storms.get(address)
        if before is None or replace(before, waiting=storm.waiting) != storm:
            yield _field("storm", address), _ENCODER.encode(replace(storm, waiting=frozenset()))


def _weather(tables: Tables, entries: Mapping[str, Entry]) -> dict[str, Storm]:
    waiting: dict[str, set[str]] = {}
    for entry in entries.values():
        if entry.rolled is not None:
            waiting.setdefault(entry.address, set()).add(entry.id)
    read = ((address, _read(value, Storm)) for (address,), value in tables.get("storm", {}).items())
    return {address: replace(storm, waiting=frozenset(waiting.get(address, ()))) for address, storm in read}


def _rebuilt(tables: Tables) -> dict[str, Incident]:
    members: dict[str, dict[str, Member]] = {}
    for (name, key), value in tables.get("member", {}).items():
        members.setdefault(name, {})[key] = _read(value, Member)
    read = ((name, _read(value, Incident)) for (name,), value in tables.get("incident", {}).items())
    return {name: replace(incident, members=Members.of(members.get(name, {}))) for name, incident in read}


def _heard(tables: Tables) -> dict[str, Heard]:
    keys: dict[str, dict[str, Known]] = {}
    for (model, key), value in tables.get("key", {}).items():
        keys.setdefault(model, {})[key] = _read(value, Known)
    heard = {model: Heard(*_read(value, tuple[int, int])) for (model,), value in tables.get("model", {}).items()}
    return {model: replace(heard.get(model, Heard()), keys=Table.of(keys.get(model, {}))) for model in {*keys, *heard}}


def _derived(state: State) -> State:
    """The state with routes, silenced members and index."""
    draft = Draft(state, state.now)
    for incident in state.incidents.values():
        known = incident.members.table.rows()
        members = {key: muted(draft, incident.id, reached(state.policy, member)) for key, member in known}
        draft.incident(replace(incident, members=Members.of(members)) if incident.live else incident)
    empty = Draft(State(state.policy, state.now), state.now)
    empty.models, empty.incidents, empty.entries = state.models, draft.incidents, state.entries
    empty.silences, empty.storms, empty.digests = state.silences, state.storms, state.digests
    empty.touched = draft.touched
    return empty.finish(indexed(empty))


def _field(*parts: str) -> str:
    return _SEPARATOR.join(parts)


def _read(value: bytes, shape: Any) -> Any:
    return msgspec.json.decode(value, type=shape, dec_hook=lambda kind, _: kind())
