"""A state being changed: a working copy that one step owns, and that nobody sees before it is finished.

It copies a table the first time something in it changes, so everything else stays the identical object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from alerting.digest import Digest
from alerting.entry import Entry
from alerting.incident import Incident, Member
from alerting.policy import Policy
from alerting.silences import Silence
from alerting.state import Heard, Index, Known, Left, State, Storm


class Draft:
    """Reads see what was written before.  ``touched`` are the incidents that have to be settled before the end, ``moved`` the
    models whose event time has moved."""

    def __init__(self, state: State, now: int) -> None:
        self.before = state
        self.now = max(state.now, now)
        self.policy: Policy = state.policy
        self.models = state.models
        self.incidents = state.incidents
        self.entries = state.entries
        self.silences = state.silences
        self.storms = state.storms
        self.digests = state.digests
        self.left = state.left
        self.touched: dict[str, None] = {}
        self.moved: set[str] = set()

    def heard(self, model: str) -> Heard:
        """What was heard of a model."""
        return self.models.get(model) or Heard()

    def clock(self, model: str) -> int:
        """Up to which event time a model is judged."""
        return self.heard(model).clock

    def hear(self, model: str, at: int) -> bool:
        """Move a model's event time; whether it moved."""
        heard = self.heard(model)
        if at <= heard.clock:
            return False
        self._put_model(model, replace(heard, clock=at, heard=self.now))
        self.moved.add(model)
        return True

    def known(self, model: str, key: str) -> Known | None:
        """What is remembered of a finding's key."""
        return self.heard(model).keys.get(key)

    def know(self, model: str, key: str, known: Known) -> None:
        """Remember it."""
        self.know_all(model, {key: known})

    def know_all(self, model: str, known: Mapping[str, Known]) -> None:
        """The same of several keys, at the cost of little more than one."""
        heard = self.heard(model)
        self._put_model(model, replace(heard, keys=heard.keys.put(known)))

    def release(self, members: Iterable[Member], home: str) -> None:
        """The keys of members that are at home in an incident may join elsewhere from now on."""
        free: dict[str, dict[str, Known]] = {}
        for finding in (member.finding for member in members):
            known = self.known(finding.model, finding.key)
            if known is not None and known.home == home:
                free.setdefault(finding.model, {})[finding.key] = replace(known, home=None)
        for model, keys in free.items():
            self.know_all(model, keys)

    def incident(self, incident: Incident) -> Incident:
        """Put an incident, and have it settled."""
        if self.incidents is self.before.incidents:
            self.incidents = dict(self.incidents)
        self.incidents[incident.id] = incident
        self.touched[incident.id] = None
        return incident

    def members(self, incident: Incident, changes: Mapping[str, Member]) -> Incident:
        """Put an incident with some of its members replaced."""
        return self.incident(replace(incident, members=incident.members.put(changes)))

    def forget(self, incident: Incident) -> None:
        """Drop an incident that ended long ago, with its entries; its last word is kept for whoever stores the state."""
        entries = tuple(self.entries[name] for name in incident.entries)
        self.left = {**self.left, incident.id: Left(incident, entries)}
        self.incidents = {name: kept for name, kept in self.incidents.items() if name != incident.id}
        gone = set(incident.entries)
        if gone:
            self.entries = {name: entry for name, entry in self.entries.items() if name not in gone}
        self.touched[incident.id] = None

    def entry(self, entry: Entry) -> Entry:
        """Put an entry."""
        if self.entries is self.before.entries:
            self.entries = dict(self.entries)
        if self.entries.get(entry.id) != entry:
            self.entries[entry.id] = entry
        return entry

    def silence(self, silence: Silence | None, name: str) -> None:
        """Put a silence, or drop one."""
        kept = {key: value for key, value in self.silences.items() if key != name}
        self.silences = kept if silence is None else {**kept, name: silence}

    def storm(self, address: str, storm: Storm) -> None:
        """Put what is known of the openings at an address."""
        self.storms = {**self.storms, address: storm}

    def digest(self, address: str, digest: Digest | None) -> None:
        """Put what a channel is still to hear, or drop it."""
        kept = {key: value for key, value in self.digests.items() if key != address}
        self.digests = kept if digest is None else {**kept, address: digest}

    def touch(self, incidents: Iterable[str]) -> None:
        """Have incidents settled."""
        self.touched.update(dict.fromkeys(incidents))

    def live(self) -> list[Incident]:
        """Every incident that has not ended."""
        return [incident for incident in self.incidents.values() if incident.live]

    def finish(self, index: Index) -> State:
        """The new state."""
        return State(
            policy=self.policy,
            now=self.now,
            models=self.models,
            incidents=self.incidents,
            entries=self.entries,
            silences=self.silences,
            storms=self.storms,
            digests=self.digests,
            index=index,
            left=self.left,
        )

    def _put_model(self, model: str, heard: Heard) -> None:
        if self.models is self.before.models:
            self.models = dict(self.models)
        self.models[model] = heard
