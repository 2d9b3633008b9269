"""What the incident owner has counted, for the metrics: numbers only, read at every scrape."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class OwnerTally:
    """Counters only grow in a process; the others say how it is now, and are empty where this process is not the owner.

    ``findings`` counts by state, ``ended`` by reason, ``deliveries`` by (receiver kind, call, outcome); ``open`` are incidents
    by severity, ``failing`` the addresses whose last request was not taken, ``inbox`` what waits to be fed.
    """

    owning: bool = False
    findings: Counter[str] = field(default_factory=Counter)
    damaged: int = 0
    opened: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    deliveries: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    open: dict[str, int] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    inbox: int = 0
    turns: int = 0
    commit_seconds: float = 0.0
    slowest_commit_s: float = 0.0
    fenced: int = 0

    def note_commit(self, seconds: float) -> None:
        """A turn was stored."""
        self.turns += 1
        self.commit_seconds += seconds
        self.slowest_commit_s = max(self.slowest_commit_s, seconds)

    def note_loss(self) -> None:
        """This process is the owner no more."""
        self.owning = False
        self.open = {}
        self.failing = set()
        self.inbox = 0
