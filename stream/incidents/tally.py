"""What the incident owner has counted, for the metrics: numbers only, read at every scrape."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from alerting.incident import Incident
from alerting.state import State

#: Durations of requests that wait for a scrape; a process that nobody scrapes keeps only these.
UNREAD = 10_000


@dataclass(slots=True)
class OwnerTally:
    """Counters only grow in a process; the others say how it is now, and are empty where this process is not the owner.

    ``findings`` counts by state, ``opened`` by the severity after the turn in which an incident began, ``ended`` by reason,
    ``deliveries`` by (receiver kind, call, outcome); ``seconds`` are durations of requests by receiver kind, taken out when
    they are shown.  ``open`` are incidents by severity, ``failing`` the addresses whose last request was not taken, ``inbox``
    what waits to be fed; ``unpublished`` counts documents that are too large for Kafka, ``clock_jumps`` the times that Redis'
    clock was seen to be set.  ``unowned``: one of the two inputs is assigned here without the other, so nobody decides about
    pages.  ``awaited`` are the streams for which event time has stood for long.
    """

    owning: bool = False
    unowned: bool = False
    findings: Counter[str] = field(default_factory=Counter)
    damaged: int = 0
    opened: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    deliveries: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    seconds: deque[tuple[str, float]] = field(default_factory=lambda: deque(maxlen=UNREAD))
    open: Counter[str] = field(default_factory=Counter)
    failing: set[str] = field(default_factory=set)
    inbox: int = 0
    turns: int = 0
    commit_seconds: float = 0.0
    slowest_commit_s: float = 0.0
    fenced: int = 0
    unpublished: int = 0
    awaited: int = 0
    clock_jumps: int = 0

    def note_commit(self, seconds: float) -> None:
        """A turn was stored."""
        self.turns += 1
        self.commit_seconds += seconds
        self.slowest_commit_s = max(self.slowest_commit_s, seconds)

    def note_ownership(self, state: State) -> None:
        """This process is the owner now, with what is stored."""
        self.owning = True
        self.open = open_of(state)

    def note_incidents(self, old: State, new: State) -> None:
        """What a turn that was stored began and ended; those count too that came and went within it."""
        if new.incidents is old.incidents:
            return
        gone = {name: left.incident for name, left in new.left.items() if name not in new.incidents}
        for name, incident in (*new.incidents.items(), *gone.items()):
            before = old.incidents.get(name)
            if before is not incident:
                self._note(before, incident)
        self.open = open_of(new)
        if self.failing:  # what nobody is told of any more fails no more
            self.failing &= {entry.address for entry in new.entries.values()}

    def _note(self, before: Incident | None, after: Incident) -> None:
        if before is None:
            self.opened[after.severity] += 1
        if after.reason is not None and (before is None or before.live):
            self.ended[after.reason] += 1

    def note_loss(self) -> None:
        """This process is the owner no more."""
        self.owning = False
        self.open = Counter()
        self.failing = set()
        self.inbox = 0


def open_of(state: State) -> Counter[str]:
    """The incidents that have not ended, by severity."""
    return Counter(incident.severity for incident in state.incidents.values() if incident.live)
