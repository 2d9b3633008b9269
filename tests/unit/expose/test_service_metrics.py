"""What evaluation and the incident owner have done, as Prometheus reads it."""

from __future__ import annotations

from collections import Counter

from prometheus_client import CollectorRegistry
from prometheus_client import Counter as PromCounter

from stream.evaluate.storing.tally import EvaluationTally
from stream.expose.growth import Growth
from stream.expose.service_metrics import EvaluationMetrics, IncidentMetrics
from stream.incidents.tally import OwnerTally
from tests.support.exposition import numbers


def test_evaluation_says_what_it_did_and_how_it_stands() -> None:
    registry = CollectorRegistry()
    tally = EvaluationTally(
        polls=11, panes=7, windows=5, revised=2, findings=4, fenced=1, failed=6, relayed=3, given_up=2,
        seconds=0.75, longest_hold_s=0.009, backlog={"predictions": 5, "labels": 3}, shards=64,
    )  # fmt: skip
    metrics = EvaluationMetrics(registry)
    metrics.sample(tally)
    tally.panes, tally.shards = 9, 32
    metrics.sample(tally)
    assert numbers(registry) == {
        "driftline_evaluation_passes_total": 11,
        "driftline_closed_panes_total": 9,
        "driftline_judged_windows_total": 5,
        "driftline_revised_windows_total": 2,
        "driftline_emitted_findings_total": 4,
        "driftline_evaluation_fenced_total": 1,
        "driftline_evaluation_failures_total": 6,
        "driftline_relayed_messages_total": 3,
        "driftline_given_up_messages_total": 2,
        "driftline_evaluation_seconds_total": 0.75,
        "driftline_evaluation_longest_hold_seconds": 0.009,
        "driftline_evaluation_backlog_panes": 8,
        "driftline_leases": 32,
    }


def owner_tally() -> OwnerTally:
    return OwnerTally(owning=True, opened=Counter(P1=3), open=Counter(P1=2), failing={"oncall"})


def test_the_owner_says_what_came_in_what_is_open_and_what_was_told() -> None:
    registry = CollectorRegistry()
    metrics, tally = IncidentMetrics(registry), owner_tally()
    tally.findings = Counter(firing=5, over=1)
    tally.deliveries = Counter({("pagerduty", "open", "ok"): 2, ("slack", "open", "retry"): 1})
    tally.ended = Counter(recovered=1)
    tally.seconds.extend([("slack", 0.25), ("slack", 3.0), ("pagerduty", 0.5)])
    tally.note_commit(0.5)
    tally.unpublished = 4
    tally.clock_jumps = 2
    metrics.sample(tally)
    metrics.sample(tally)
    found = numbers(registry)
    assert found["driftline_incident_owner"] == 1
    assert found['driftline_findings_total{state="firing"}'] == 5
    assert found['driftline_incidents_total{severity="P1"}'] == 3
    assert found['driftline_incidents_total{severity="P0"}'] == 0
    assert found["driftline_incidents_unowned"] == 0
    assert found['driftline_delivery_seconds_count{receiver_kind="slack"}'] == 2
    assert found['driftline_delivery_seconds_sum{receiver_kind="slack"}'] == 3.25
    assert found['driftline_delivery_seconds_bucket{le="0.25",receiver_kind="slack"}'] == 1
    assert found['driftline_incidents_ended_total{reason="recovered"}'] == 1
    assert found['driftline_incidents_open{severity="P0"}'] == 0
    assert found['driftline_incidents_open{severity="P1"}'] == 2
    assert found['driftline_deliveries_total{kind="open",outcome="retry",receiver_kind="slack"}'] == 1
    assert found["driftline_receivers_failing"] == 1
    assert found["driftline_incident_turns_total"] == 1
    assert found["driftline_unpublished_documents_total"] == 4
    assert found["driftline_clock_jumps_total"] == 2
    assert found["driftline_incident_turn_seconds_total"] == 0.5


def test_who_is_not_the_owner_shows_no_open_incident_and_keeps_its_counters() -> None:
    registry = CollectorRegistry()
    metrics, tally = IncidentMetrics(registry), owner_tally()
    metrics.sample(tally)
    tally.note_loss()
    metrics.sample(tally)
    found = numbers(registry)
    assert [name for name in found if name.startswith("driftline_incidents_open")] == []
    assert (found["driftline_incident_owner"], found["driftline_receivers_failing"]) == (0, 0)
    assert found['driftline_incidents_total{severity="P1"}'] == 3


def test_a_worker_with_half_of_the_inputs_shows_that_nobody_owns() -> None:
    registry = CollectorRegistry()
    IncidentMetrics(registry).sample(OwnerTally(unowned=True))
    found = numbers(registry)
    assert (found["driftline_incidents_unowned"], found["driftline_incident_owner"]) == (1, 0)


def test_a_total_that_begins_anew_grows_its_counter_from_there() -> None:
    registry = CollectorRegistry()
    counter, grow = PromCounter("done", "Done.", registry=registry), Growth()
    for total in (5, 7, 2):
        grow(counter, total)
    assert numbers(registry)["done_total"] == 9
