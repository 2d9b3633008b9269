"""The series of evaluation and of the incident owner: what their tallies say, set a moment before they are shown.

Counters only grow within a process.  What says how it is *now* (open incidents, failing receivers) is shown by the owner alone,
so a sum over the workers counts it once.
"""

from __future__ import annotations

from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from schemas.findings import Severity
from stream.evaluate.storing.tally import EvaluationTally
from stream.expose.growth import Growth
from stream.incidents.tally import OwnerTally

SEVERITIES: tuple[str, ...] = get_args(Severity)


class EvaluationMetrics:
    """``sample`` sets every series of evaluation."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._grow = Growth()

        def counter(name: str, means: str) -> Counter:
            return Counter(f"driftline_{name}", means, registry=registry)

        def gauge(name: str, means: str) -> Gauge:
            return Gauge(f"driftline_{name}", means, registry=registry)

        self.seconds = counter("evaluation_seconds", "Time that evaluation took.")
        self.passes = counter("evaluation_passes", "Times that evaluation looked for closed panes.")
        self.panes = counter("closed_panes", "Panes merged and closed.")
        self.windows = counter("judged_windows", "Windows judged.")
        self.revised = counter("revised_windows", "Windows judged anew, for events that came after.")
        self.emitted = counter("emitted_findings", "Findings that evaluation has written.")
        self.relayed = counter("relayed_messages", "Messages of evaluation that were sent to Kafka.")
        self.given_up = counter("given_up_messages", "Messages of evaluation that Kafka will never take.")
        self.fenced = counter("evaluation_fenced", "Conclusions refused by the store.")
        self.failed = counter("evaluation_failures", "Streams of models that could not be evaluated.")
        self.hold = gauge("evaluation_longest_hold_seconds", "Longest that evaluation has held the event loop.")
        self.leases = gauge("leases", "Shards of models evaluated here.")
        self.backlog = gauge("evaluation_backlog_panes", "Panes that are due and not closed.")

    def sample(self, tally: EvaluationTally) -> None:
        """Set every series from the tally."""
        for series, total in self._totals(tally).items():
            self._grow(series, total)
        self.hold.set(tally.longest_hold_s)
        self.leases.set(tally.shards)
        self.backlog.set(sum(tally.backlog.values()))

    def _totals(self, tally: EvaluationTally) -> dict[Counter, float]:
        return {
            self.seconds: tally.seconds,
            self.passes: tally.polls,
            self.panes: tally.panes,
            self.windows: tally.windows,
            self.revised: tally.revised,
            self.emitted: tally.findings,
            self.relayed: tally.relayed,
            self.given_up: tally.given_up,
            self.fenced: tally.fenced,
            self.failed: tally.failed,
        }


class IncidentMetrics:
    """``sample`` sets every series of the incident owner."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._grow = Growth()

        def counter(name: str, means: str, *labels: str) -> Counter:
            return Counter(f"driftline_{name}", means, labels, registry=registry)

        def gauge(name: str, means: str, *labels: str) -> Gauge:
            return Gauge(f"driftline_{name}", means, labels, registry=registry)

        self.owner = gauge("incident_owner", "1 in the worker that decides about pages.")
        self.findings = counter("findings", "Findings taken in, by state.", "state")
        self.damaged = counter("damaged_inputs", "Findings and actions that could not be read, or decided by.")
        self.unowned = gauge("incidents_unowned", "1 in a worker that has one of the owner's inputs without the other.")
        self.opened = counter("incidents", "Incidents begun, by severity.", "severity")
        self.ended = counter("incidents_ended", "Incidents ended, by reason.", "reason")
        self.open = gauge("incidents_open", "Incidents that are open, by severity.", "severity")
        self.deliveries = counter(
            "deliveries", "Requests to receivers, by outcome.", "receiver_kind", "kind", "outcome"
        )  # fmt: skip
        self.seconds = Histogram(
            "driftline_delivery_seconds", "Time that requests to receivers took.", ["receiver_kind"], registry=registry
        )  # fmt: skip
        self.failing = gauge(
            "receivers_failing", "Addresses whose last request was not taken, until their incidents go."
        )
        self.inbox = gauge("incident_inbox", "Inputs that wait for the owner.")
        self.awaited = gauge("awaited_streams", "Streams of models for which event time stands still, in a replay.")
        self.turns = counter("incident_turns", "Turns of the owner that were stored.")
        self.turn_seconds = counter("incident_turn_seconds", "Time that storing them took.")
        self.slowest = gauge("incident_slowest_turn_seconds", "The slowest of them.")
        self.unpublished = counter("unpublished_documents", "Documents of incidents that Kafka will never take.")
        self.jumps = counter("clock_jumps", "Times that Redis' clock was set by more than five minutes.")
        self.fenced = counter("incident_fenced", "Turns refused by the store.")

    def sample(self, tally: OwnerTally) -> None:
        """Set every series from the tally."""
        for series, total in self._totals(tally).items():
            self._grow(series, total)
        for state, count in tally.findings.items():
            self._grow(self.findings.labels(state), count)
        for severity in SEVERITIES:
            self._grow(self.opened.labels(severity), tally.opened[severity])
        for reason, count in tally.ended.items():
            self._grow(self.ended.labels(reason), count)
        for labels, count in tally.deliveries.items():
            self._grow(self.deliveries.labels(*labels), count)
        while tally.seconds:
            kind, seconds = tally.seconds.popleft()
            self.seconds.labels(kind).observe(seconds)
        self._sample_standing(tally)

    def _sample_standing(self, tally: OwnerTally) -> None:
        self.owner.set(int(tally.owning))
        self.unowned.set(int(tally.unowned))
        self.failing.set(len(tally.failing))
        self.inbox.set(tally.inbox)
        self.awaited.set(tally.awaited)
        self.slowest.set(tally.slowest_commit_s)
        self.open.clear()
        for severity in SEVERITIES if tally.owning else ():
            self.open.labels(severity).set(tally.open.get(severity, 0))

    def _totals(self, tally: OwnerTally) -> dict[Counter, float]:
        return {
            self.damaged: tally.damaged,
            self.turns: tally.turns,
            self.turn_seconds: tally.commit_seconds,
            self.unpublished: tally.unpublished,
            self.jumps: tally.clock_jumps,
            self.fenced: tally.fenced,
        }
