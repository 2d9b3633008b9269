"""The series of evaluation and of the incident owner: what their tallies say, set a moment before they are shown.

Each tally is a protocol here, so this file needs nothing of what it watches.  Counters only grow within a process; what says how
it is *now* (open incidents, failing receivers) is shown by the owner alone, so a sum over workers counts it once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from stream.expose.growth import Growth


class EvaluationTally(Protocol):
    """What evaluation has done so far; ``seconds`` holds the passes since it was last taken from."""

    panes: int
    windows: int
    revised: int
    fenced: int
    leases: int
    backlog: int
    longest_hold_s: float
    seconds: list[float]


class IncidentTally(Protocol):
    """What the incident owner has done so far; ``deliveries`` by (receiver kind, call, outcome)."""

    owning: bool
    findings: Mapping[str, int]
    damaged: int
    opened: int
    ended: Mapping[str, int]
    deliveries: Mapping[tuple[str, str, str], int]
    open: Mapping[str, int]
    failing: Collection[str]
    inbox: int
    turns: int
    commit_seconds: float
    slowest_commit_s: float
    fenced: int


SEVERITIES = ("P0", "P1", "P2", "P3")


class EvaluationMetrics:
    """``sample`` sets every series of evaluation."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._grow = Growth()
        self.seconds = Histogram("driftline_evaluation_seconds", "One pass of evaluation.", registry=registry)
        self.hold = Gauge(
            "driftline_evaluation_longest_hold_seconds",
            "Longest that evaluation has held the event loop.",
            registry=registry,
        )
        self.panes = Counter("driftline_closed_panes", "Panes merged and closed.", registry=registry)
        self.windows = Counter("driftline_judged_windows", "Windows judged.", registry=registry)
        self.revised = Counter(
            "driftline_revised_windows", "Windows judged anew, for late events.", registry=registry
        )  # fmt: skip
        self.fenced = Counter("driftline_evaluation_fenced", "Conclusions refused by the store.", registry=registry)
        self.leases = Gauge("driftline_leases", "Shards of models evaluated here.", registry=registry)
        self.backlog = Gauge("driftline_evaluation_backlog_panes", "Closed panes not yet evaluated.", registry=registry)

    def sample(self, tally: EvaluationTally) -> None:
        """Set every series from the tally."""
        grown = {self.panes: tally.panes, self.windows: tally.windows, self.revised: tally.revised}
        for series, total in {**grown, self.fenced: tally.fenced}.items():
            self._grow(series, total)
        self.hold.set(tally.longest_hold_s)
        self.leases.set(tally.leases)
        self.backlog.set(tally.backlog)
        while tally.seconds:
            self.seconds.observe(tally.seconds.pop())


class IncidentMetrics:
    """``sample`` sets every series of the incident owner."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._grow = Growth()
        self.owner = Gauge("driftline_incident_owner", "1 in the worker that decides about pages.", registry=registry)
        self.findings = Counter("driftline_findings", "Findings taken in, by state.", ["state"], registry=registry)
        self.damaged = Counter(
            "driftline_damaged_inputs", "Findings and actions that cannot be read.", registry=registry
        )
        self.opened = Counter("driftline_incidents", "Incidents opened.", registry=registry)
        self.ended = Counter("driftline_incidents_ended", "Incidents ended, by reason.", ["reason"], registry=registry)
        self.open = Gauge(
            "driftline_incidents_open", "Incidents open now, by severity.", ["severity"], registry=registry
        )
        self.deliveries = Counter(
            "driftline_deliveries",
            "Requests to receivers, by outcome.",
            ["receiver_kind", "kind", "outcome"],
            registry=registry,
        )
        self.failing = Gauge(
            "driftline_receivers_failing", "Addresses whose last request was not taken.", registry=registry
        )
        self.inbox = Gauge("driftline_incident_inbox", "Inputs waiting for the owner.", registry=registry)
        self.turns = Counter("driftline_incident_turns", "Turns of the owner stored.", registry=registry)
        self.turn_seconds = Counter(
            "driftline_incident_turn_seconds", "Time that storing them took.", registry=registry
        )  # fmt: skip
        self.slowest = Gauge("driftline_incident_slowest_turn_seconds", "The slowest of them.", registry=registry)
        self.fenced = Counter("driftline_incident_fenced", "Turns refused by the store.", registry=registry)

    def sample(self, tally: IncidentTally) -> None:
        """Set every series from the tally; what is open or failing is shown by the owner alone."""
        for series, total in self._totals(tally).items():
            self._grow(series, total)
        for state, count in tally.findings.items():
            self._grow(self.findings.labels(state), count)
        for reason, count in tally.ended.items():
            self._grow(self.ended.labels(reason), count)
        for labels, count in tally.deliveries.items():
            self._grow(self.deliveries.labels(*labels), count)
        self.owner.set(int(tally.owning))
        self.slowest.set(tally.slowest_commit_s)
        self.inbox.set(tally.inbox)
        self._sample_open(tally)

    def _sample_open(self, tally: IncidentTally) -> None:
        self.failing.set(len(tally.failing))
        self.open.clear()
        for severity in SEVERITIES if tally.owning else ():
            self.open.labels(severity).set(tally.open.get(severity, 0))

    def _totals(self, tally: IncidentTally) -> dict[Counter, float]:
        return {
            self.damaged: tally.damaged,
            self.opened: tally.opened,
            self.turns: tally.turns,
            self.turn_seconds: tally.commit_seconds,
            self.fenced: tally.fenced,
        }
