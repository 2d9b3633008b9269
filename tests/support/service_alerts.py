"""Histories in which an alert about the service fires at the end, and histories in which it does not, though it is near."""

from __future__ import annotations

from tests.support.promtool import LOST, NONE, Case, Minutes, flat, rising

JOB = {"job": "driftline"}
A, B = '{job="driftline",instance="a:8780"}', '{job="driftline",instance="b:8780"}'
TARGET = 'driftline_scrape_target_up{target="llm",job="driftline",instance='
P0 = 'topic="predictions",partition="0",job="driftline",instance='
P1 = 'topic="predictions",partition="1",job="driftline",instance='


def only(series: str, values: Minutes, **labels: str) -> Case:
    """One series of one worker, and the alert that it makes fire."""
    return Case({f"{series}{A}": values}, [{**JOB, **labels}])


def calm(series: str, values: Minutes) -> Case:
    """One series of one worker, and no alert."""
    return Case({f"{series}{A}": values})


def counted(series: str, minutes: int = 40) -> Case:
    """A counter without labels that grows each minute."""
    return only(series, rising(1, minutes))


def restarted(series: str, minutes: int = 40) -> Case:
    """A counter that goes back to 0, because its worker was started anew, and does not grow."""
    return calm(series, [*flat(7, minutes // 2), *flat(0, minutes // 2)])


#: A handover: worker a has both, is killed, and b has both from the next minute on.
MOVED = {
    f"driftline_leases{A}": [*flat(64, 20), LOST],
    f"driftline_leases{B}": [*flat(0, 20), *flat(64, 20)],
    f"driftline_incident_owner{A}": [*flat(1, 20), LOST],
    f"driftline_incident_owner{B}": [*flat(0, 20), *flat(1, 20)],
}
BUCKETS = ("0.5", "2.5", "5.0", "10.0", "+Inf")


def checkpoints(*each_minute: float) -> dict[str, Minutes]:
    """Checkpoints by how long they took: so many more a minute of each bucket, cumulative."""
    made = zip(BUCKETS, each_minute, strict=True)
    return {f'driftline_checkpoint_seconds_bucket{A[:-1]},le="{le}"}}': rising(by, 40) for le, by in made}


def refused(permanent: Minutes) -> dict[str, Minutes]:
    return {f'driftline_deliveries_total{A[:-1]},receiver_kind="slack",kind="open",outcome="permanent"}}': permanent}


def rejected(events: float, *, refused: float) -> dict[str, Minutes]:
    """So many events a minute, and so many refused ones, of two workers."""
    labels = 'stream="predictions",reason="not_json"'
    return {
        f"driftline_events_total{A}": rising(events / 2, 60),
        f"driftline_events_total{B}": rising(events / 2, 60),
        f"driftline_rejected_events_total{A[:-1]},{labels}}}": rising(refused, 60),
    }


UP = 'up{job="driftline",instance="a:8780"}'
FIRES: dict[str, list[Case]] = {
    "DriftlineWatchdog": [Case({f"driftline_leases{A}": flat(64, 2)}, [{}])],
    "DriftlineNoWorker": [
        Case({f"driftline_config_generation{A}": [*flat(3, 5), LOST, *[NONE] * 10]}, [{}]),
        Case({"up": flat(0, 10)}, [{}]),
    ],
    "DriftlineWorkerGone": [
        Case({UP: [*flat(1, 30), *flat(0, 6)]}, [{**JOB, "instance": "a:8780"}]),
        *(
            Case({f'up{{job="driftline-{job}"}}': [*flat(1, 30), *flat(0, 6)]}, [{"job": f"driftline-{job}"}])
            for job in ("gpu", "scrape")
        ),
    ],
    "DriftlineLagGrowing": [
        Case(
            {f'driftline_lag_records{{{P0}"a"}}': rising(500, 60), f'driftline_lag_records{{{P1}"b"}}': rising(50, 60)},
            [{**JOB, "topic": "predictions"}],
        ),
    ],
    "DriftlineWatermarkDelayed": [
        Case(
            {
                f'driftline_watermark_delay_seconds{{{P0}"a"}}': flat(4000, 40),
                f'driftline_lag_records{{{P0}"a"}}': flat(3, 40),
            },
            [{**JOB, "topic": "predictions"}],
        ),
    ],
    "DriftlineModelsNotEvaluated": [
        Case({f"driftline_leases{A}": flat(32, 20)}, [JOB]),
        Case({f"driftline_leases{A}": flat(32, 40), f"driftline_leases{B}": [*flat(32, 20), LOST]}, [JOB]),
        Case({f"driftline_config_generation{A}": flat(3, 20)}, [JOB]),  # workers count, and no process evaluates
        Case({f"driftline_config_generation{A}": flat(3, 40), f"driftline_leases{B}": [*flat(64, 20), LOST]}, [JOB]),
    ],
    "DriftlineEvaluationBacklog": [only("driftline_evaluation_backlog_panes", flat(2, 40))],
    "DriftlineEvaluationFailing": [counted("driftline_evaluation_failures_total")],
    "DriftlineNoIncidentOwner": [
        only("driftline_incident_owner", flat(0, 15)),
        Case(
            {f"driftline_incident_owner{A}": [*flat(1, 20), LOST], f"driftline_incident_owner{B}": flat(0, 40)}, [JOB]
        ),
    ],
    "DriftlineSeveralIncidentOwners": [
        Case({f"driftline_incident_owner{A}": flat(1, 20), f"driftline_incident_owner{B}": flat(1, 20)}, [JOB])
    ],
    "DriftlineIncidentsUnowned": [only("driftline_incidents_unowned", [*flat(0, 10), *flat(1, 10)])],
    "DriftlineFindingsNotTaken": [
        counted("driftline_emitted_findings_total", 60),
        Case(
            {
                f"driftline_emitted_findings_total{A}": rising(1, 120),
                f'driftline_findings_total{B[:-1]},state="firing"}}': flat(9, 120),
            },
            [JOB],
        ),
    ],
    "DriftlineIncidentInboxWaiting": [only("driftline_incident_inbox", flat(200, 30))],
    "DriftlineReceiversFailing": [only("driftline_receivers_failing", flat(1, 30))],
    "DriftlineDeliveriesRefused": [
        Case(
            refused([*[NONE] * 30, *flat(1, 10)]), [{**JOB, "receiver_kind": "slack"}]
        ),  # the first ever: from nothing to 1
        Case(refused([*flat(1, 60), *flat(2, 10)]), [{**JOB, "receiver_kind": "slack"}]),
    ],
    "DriftlineDeadLetters": [Case(rejected(1000, refused=20), [JOB])],
    "DriftlineDamagedInputs": [counted("driftline_damaged_inputs_total")],
    "DriftlineConfigRefused": [counted("driftline_config_refused_total")],
    "DriftlineConfigDiffers": [
        Case({f"driftline_config_generation{A}": flat(7, 30), f"driftline_config_generation{B}": flat(6, 30)}, [JOB])
    ],
    "DriftlineCheckpointSlow": [Case(checkpoints(80, 90, 95, 100, 100), [{**JOB, "instance": "a:8780"}])],
    "DriftlineRedisNotAnswering": [counted("driftline_store_retries_total")],
    "DriftlineGroupErrors": [counted("driftline_group_errors_total")],
    "DriftlineFencedWrites": [counted("driftline_fenced_writes_total")],
    "DriftlineMessagesGivenUp": [
        Case(
            {
                f"driftline_given_up_messages_total{A}": [*flat(0, 20), *flat(1, 20)],
                f"driftline_unpublished_documents_total{A}": flat(0, 40),
            },
            [JOB],
        ),
    ],
    "DriftlineCapped": [
        Case({f'driftline_capped_total{A[:-1]},cap="versions"}}': rising(1, 40)}, [{**JOB, "cap": "versions"}]),
        # A new configuration, once, and half an hour ago.
        Case(
            {f'driftline_capped_total{A[:-1]},cap="series"}}': [*flat(0, 20), *flat(40, 30)]},
            [{**JOB, "cap": "series"}],
        ),
    ],
    "DriftlinePanesEvicted": [only("driftline_evicted_panes_total", rising(60 * 60, 40))],
    "DriftlineScrapedTwice": [
        Case({f'{TARGET}"a"}}': flat(1, 30), f'{TARGET}"b"}}': flat(1, 30)}, [{**JOB, "target": "llm"}])
    ],
    "DriftlineScrapeTargetFailing": [Case({f'{TARGET}"a"}}': [*flat(1, 5), *flat(0, 30)]}, [{**JOB, "target": "llm"}])],
    "DriftlineClockSet": [only("driftline_clock_jumps_total", [*flat(0, 20), *flat(1, 20)])],
}

QUIET: dict[str, list[Case]] = {
    "DriftlineNoWorker": [Case({f"driftline_config_generation{A}": [*flat(3, 5), LOST, LOST, LOST, 3]})],
    "DriftlineWorkerGone": [
        Case({UP: flat(0, 90)}),  # a port that no worker has
        Case({UP: [*flat(1, 30), 0, 0, 1, 0]}),
        Case({UP: [*flat(1, 10), *flat(0, 61)]}),  # it was taken away an hour ago
    ],
    "DriftlineLagGrowing": [
        Case({f'driftline_lag_records{{{P0}"a"}}': rising(-500, 60, start=60_000)}),  # it catches up
        Case({f'driftline_lag_records{{{P0}"a"}}': [900, 100] * 30}),
        # It moves: for three minutes both are remembered, and nothing grows.
        Case(
            {
                f'driftline_lag_records{{{P0}"a"}}': [*flat(2000, 40), LOST],
                f'driftline_lag_records{{{P0}"b"}}': [*[NONE] * 40, *flat(2000, 20)],
            }
        ),
    ],
    "DriftlineWatermarkDelayed": [
        # A quiet topic: nothing comes, nothing waits.
        Case(
            {
                f'driftline_watermark_delay_seconds{{{P0}"a"}}': rising(60, 90),
                f'driftline_lag_records{{{P0}"a"}}': flat(0, 90),
            }
        ),
        # Nobody writes to one partition any more, and another has what has just come.
        Case(
            {
                f'driftline_watermark_delay_seconds{{{P0}"a"}}': rising(60, 90),
                f'driftline_lag_records{{{P0}"a"}}': flat(0, 90),
                f'driftline_watermark_delay_seconds{{{P1}"b"}}': flat(2, 90),
                f'driftline_lag_records{{{P1}"b"}}': flat(50, 90),
            }
        ),
    ],
    "DriftlineModelsNotEvaluated": [
        Case(MOVED),
        Case({f"driftline_leases{A}": flat(32, 40), f"driftline_leases{B}": flat(32, 40)}),
        Case(
            {f"driftline_config_generation{A}": flat(3, 40), f"driftline_leases{B}": flat(64, 40)}
        ),  # evaluated elsewhere
    ],
    "DriftlineEvaluationBacklog": [calm("driftline_evaluation_backlog_panes", [9, 9, 0, 0, 0, 0] * 7)],
    "DriftlineEvaluationFailing": [restarted("driftline_evaluation_failures_total")],
    "DriftlineNoIncidentOwner": [Case(MOVED)],
    "DriftlineSeveralIncidentOwners": [
        Case(MOVED),
        Case(
            {
                f"driftline_incident_owner{A}": [*flat(1, 10), *flat(0, 10)],
                f"driftline_incident_owner{B}": [*flat(0, 8), *flat(1, 12)],
            }
        ),
    ],
    "DriftlineIncidentsUnowned": [calm("driftline_incidents_unowned", [*flat(0, 18), 1, 0])],
    "DriftlineFindingsNotTaken": [
        Case(
            {
                f"driftline_emitted_findings_total{A}": rising(1, 60),
                f'driftline_findings_total{B[:-1]},state="firing"}}': rising(1, 60),
            }
        ),
        # The owner's first finding ever: its series begins with it.
        Case(
            {
                f"driftline_emitted_findings_total{A}": [*flat(0, 50), *flat(1, 10)],
                f'driftline_findings_total{B[:-1]},state="firing"}}': [*[NONE] * 50, *flat(1, 10)],
            }
        ),
    ],
    "DriftlineIncidentInboxWaiting": [calm("driftline_incident_inbox", [5000, 5000, 3] * 10)],
    "DriftlineReceiversFailing": [calm("driftline_receivers_failing", [1, 1, 1, 0] * 10)],
    "DriftlineDeliveriesRefused": [Case(refused(flat(3, 90))), Case(refused([*flat(3, 60), *flat(0, 20)]))],
    "DriftlineDeadLetters": [Case(rejected(1000, refused=5)), Case(rejected(0, refused=0))],
    "DriftlineDamagedInputs": [restarted("driftline_damaged_inputs_total")],
    "DriftlineConfigRefused": [restarted("driftline_config_refused_total")],
    "DriftlineConfigDiffers": [
        Case(
            {
                f"driftline_config_generation{A}": [*flat(6, 28), 7, 7],
                f"driftline_config_generation{B}": [*flat(6, 29), 7],
            }
        ),
    ],
    "DriftlineCheckpointSlow": [Case(checkpoints(90, 99, 100, 100, 100)), Case(checkpoints(0, 0, 0, 0, 0))],
    "DriftlineRedisNotAnswering": [restarted("driftline_store_retries_total")],
    "DriftlineGroupErrors": [restarted("driftline_group_errors_total")],
    "DriftlineFencedWrites": [calm("driftline_fenced_writes_total", [*flat(0, 20), *flat(4, 20)])],
    "DriftlineMessagesGivenUp": [
        Case(
            {
                f"driftline_given_up_messages_total{A}": [*flat(5, 20), *flat(0, 20)],
                f"driftline_unpublished_documents_total{A}": flat(2, 40),
            }
        ),
    ],
    "DriftlineCapped": [
        # What is in force is beyond a cap, as it was before the worker was started anew: only more than that counts.
        Case({f'driftline_capped_total{A[:-1]},cap="categories"}}': [*flat(3, 20), NONE, *flat(0, 20)]}),
        Case({f'driftline_capped_total{A[:-1]},cap="letters"}}': [*flat(0, 20), *flat(9, 70)]}),
    ],
    # A replay, or an hour's turn: some leave for a while.
    "DriftlinePanesEvicted": [
        calm("driftline_evicted_panes_total", rising(40 * 60, 40)),
        calm("driftline_evicted_panes_total", [*flat(0, 20), *flat(20_000, 20)]),
    ],
    "DriftlineScrapedTwice": [
        # Another one takes over; and of several in an environment each has targets of its own.
        Case({f'{TARGET}"a"}}': [*flat(1, 20), LOST], f'{TARGET}"b"}}': [*[NONE] * 19, *flat(1, 20)]}),
        Case({f'{TARGET}"a"}}': flat(1, 30), f'{TARGET.replace("llm", "other")}"b"}}': flat(1, 30)}),
    ],
    "DriftlineScrapeTargetFailing": [Case({f'{TARGET}"a"}}': [0, 0, 0, 1] * 10})],
    "DriftlineClockSet": [restarted("driftline_clock_jumps_total")],
}
