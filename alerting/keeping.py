"""What goes with an incident's document, for an owner whose records were lost: its part of them, and a state made of such parts.

A part is the incident, its strongest members, what is remembered of their keys and models, and its entries of the register:
who was told what, and when it rang.  Findings beyond those come again with their next refresh.  Of an incident that has left the
working state only what a person resolved while it fired is kept, and has not been seen clear since: it stays closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import msgspec

from alerting.document import SHOWN
from alerting.entry import Entry
from alerting.incident import Incident, Reach
from alerting.lineage import Lineage
from alerting.policy import Policy
from alerting.records import SCHEMA, changed, records_of, shut_of, tabled
from alerting.silences import Silence
from alerting.state import Known, State, Storm
from alerting.table import Table
from alerting.titles import strongest
from schemas.monitored import RouteMonitor

#: Of the records of one part: with the document it has to fit into a record of Kafka.
MOST_BYTES = 500_000


class Kept(msgspec.Struct, frozen=True):
    """One part; ``schema`` is that of :mod:`alerting.records`, ``now`` the owner's time."""

    schema: int
    now: int
    records: dict[str, msgspec.Raw]


_DECODER = msgspec.json.Decoder(Kept)


def kept(state: State, name: str) -> bytes | None:
    """The part of an incident, as JSON; None where nothing has to be known of it."""
    incident = state.incidents.get(name)
    if incident is not None:
        found = list(_fitting(records_of(state, name, strongest(incident, SHOWN))))
    elif name in state.left:
        found = list(shut_of(state, strongest(state.left[name].incident, SHOWN)))
    else:
        found = []
    if not found:
        return None
    return msgspec.json.encode(Kept(SCHEMA, state.now, {field: msgspec.Raw(value) for field, value in found}))


def _fitting(records: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """As many as there is room for: the incident, its entries and models come first, the strongest members before others."""
    room = MOST_BYTES
    for field, value in records:
        room -= len(field) + len(value)
        if room < 0 and field.startswith("member"):
            return
        yield field, value


def read(part: bytes) -> Kept:
    """:raises msgspec.DecodeError: it is damaged, or of another shape (``ValidationError``)."""
    found = _DECODER.decode(part)
    if found.schema != SCHEMA:
        raise msgspec.ValidationError(f"the shape {found.schema}; this program reads {SCHEMA}")
    return found


def rejoined(parts: Iterable[Kept], silences: Iterable[Silence]) -> dict[str, bytes]:
    """The records that these parts and silences make; what names a part that is missing lets go of it.

    :raises ValueError: a part is not what ``kept`` wrote.
    """
    records: dict[str, bytes] = {}
    now = 0
    for part in sorted(parts, key=lambda one: one.now):  # of what two name, the newer word
        records |= {field: bytes(value) for field, value in part.records.items()}
        now = max(now, part.now)
    records["meta"] = msgspec.json.encode({"now": now, "schema": SCHEMA})
    policy = Policy.of(Lineage.of({}, {}), RouteMonitor(), {})
    try:
        whole = _mended(tabled(records, policy), {silence.id: silence for silence in silences})
    except (msgspec.DecodeError, AttributeError) as error:
        raise ValueError(f"incidents cannot be put together: {error!r}") from None
    return {name: value for name, value in changed(State(policy), whole).items() if value is not None}


def _mended(state: State, silences: Mapping[str, Silence]) -> State:
    incidents = {name: _whole(state, incident) for name, incident in state.incidents.items()}
    entries = {name: _told(incidents, entry) for name, entry in state.entries.items() if entry.incident in incidents}
    models = {
        model: replace(heard, keys=Table.of({key: _homed(incidents, known, key) for key, known in heard.keys.rows()}))
        for model, heard in state.models.items()
    }
    storms = {storm.address: Storm((), name, taken) for name, storm, taken in _rolling(incidents)}
    return replace(state, incidents=incidents, entries=entries, models=models, storms=storms, silences=dict(silences))


def _whole(state: State, incident: Incident) -> Incident:
    return replace(incident, entries=tuple(name for name in incident.entries if name in state.entries))


def _told(incidents: Mapping[str, Incident], entry: Entry) -> Entry:
    return entry if entry.rolled is None or entry.rolled in incidents else replace(entry, rolled=None)


def _homed(incidents: Mapping[str, Incident], known: Known, key: str) -> Known:
    home = incidents.get(known.home or "")
    return known if home is not None and key in home.members else replace(known, home=None)


def _rolling(incidents: Mapping[str, Incident]) -> Iterator[tuple[str, Reach, int]]:
    """The storms that there are, each with the address that it is told at; what they speak for is in the entries."""
    for name, incident in incidents.items():
        if incident.rollup is not None and incident.live:
            yield name, incident.rollup.reach, incident.rollup.taken
