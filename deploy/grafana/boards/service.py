"""driftline itself: does it keep up, does it decide, and does what it decides arrive."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana.boards.board import board, with_row
from deploy.grafana.boards.panels import HERE, Text, lines, number


def service() -> Dashboard:
    """The dashboard."""
    made = board("Service", name="service", means="The workers of driftline: reading, judging, telling.")
    return _processes(_telling(_judging(_reading(_now(made)))))


def _now(made: Dashboard) -> Dashboard:
    return with_row(
        made,
        "Now",
        number(Text("Workers", "Processes that answer.", "short"), f"sum(up{{{HERE}}})"),
        number(Text("Events", "Counted, a second.", "eps"), f"sum({_rate('driftline_events_total')})"),
        number(
            Text("Records not yet stored", "Of all partitions.", "short"),
            f"sum(driftline_lag_records{{{HERE}}})",
            steps=((None, "green"), (100_000.0, "orange")),
        ),
        number(
            Text("Shards evaluated", "Of 64; fewer, and some models are judged by nobody.", "short"),
            f"sum(driftline_leases{{{HERE}}})",
            steps=((None, "red"), (64.0, "green")),
        ),
        number(
            Text("Owners of incidents", "Exactly one decides about pages.", "short"),
            f"sum(driftline_incident_owner{{{HERE}}})",
            steps=((None, "red"), (1.0, "green"), (2.0, "red")),
        ),
        number(
            Text("Receivers failing", "Addresses whose last request was not taken.", "short"),
            f"sum(driftline_receivers_failing{{{HERE}}})",
            steps=((None, "green"), (1.0, "red")),
        ),
    )


def _reading(made: Dashboard) -> Dashboard:
    return with_row(
        made,
        "Reading",
        lines(
            Text("Events", "Counted into panes, a second; of them late.", "eps"),
            (f"sum by (instance) ({_rate('driftline_events_total')})", "{{instance}}"),
            (f"sum by (instance) ({_rate('driftline_late_events_total')})", "{{instance}} late"),
        ),
        lines(
            Text("Lag", "Records not yet stored, of the topic's worst partition.", "short"),
            (f"max by (topic) (driftline_lag_records{{{HERE}}})", "{{topic}}"),
        ),
        lines(
            Text("Event time behind the clock", "Wall clock less the greatest event time, worst partition.", "s"),
            (f"max by (topic) (driftline_watermark_delay_seconds{{{HERE}}})", "{{topic}}"),
        ),
        lines(
            Text("Refused events", "By stream and reason, an hour; they are kept as dead letters.", "short"),
            (
                f"sum by (stream, reason) (increase(driftline_rejected_events_total{{{HERE}}}[1h])) or vector(0)",
                "{{stream}} {{reason}}",
            ),
        ),
        lines(
            Text("Checkpoint p99", "Counting, packing and storing what is buffered.", "s"),
            (
                f"histogram_quantile(0.99, sum by (instance, le) ({_rate('driftline_checkpoint_seconds_bucket')}))",
                "{{instance}}",
            ),
        ),
        lines(
            Text("Trouble with the store", "Refused writes and repeated requests, an hour.", "short"),
            (f"sum(increase(driftline_fenced_writes_total{{{HERE}}}[1h]))", "refused: another owner"),
            (f"sum(increase(driftline_store_retries_total{{{HERE}}}[1h]))", "asked again"),
        ),
    )


def _judging(made: Dashboard) -> Dashboard:
    return with_row(
        made,
        "Judging",
        lines(
            Text("Panes and windows", "Closed and judged, a second.", "short"),
            (f"sum({_rate('driftline_closed_panes_total')})", "panes closed"),
            (f"sum({_rate('driftline_judged_windows_total')})", "windows judged"),
            (f"sum({_rate('driftline_revised_windows_total')})", "judged anew"),
        ),
        lines(
            Text("Panes that are due", "And not closed: evaluation is behind.", "short"),
            (f"sum by (instance) (driftline_evaluation_backlog_panes{{{HERE}}})", "{{instance}}"),
        ),
        lines(
            Text("CPU of evaluation", "Share of a core.", "percentunit"),
            (f"sum by (instance) ({_rate('driftline_evaluation_seconds_total')})", "{{instance}}"),
        ),
        lines(
            Text("Shards", "Of 64, by worker.", "short"),
            (f"sum by (instance) (driftline_leases{{{HERE}}})", "{{instance}}"),
        ),
        lines(
            Text("Not evaluated", "Streams that could not be evaluated, and conclusions refused, an hour.", "short"),
            (f"sum(increase(driftline_evaluation_failures_total{{{HERE}}}[1h]))", "failed"),
            (f"sum(increase(driftline_evaluation_fenced_total{{{HERE}}}[1h]))", "refused: another evaluator"),
        ),
        lines(
            Text("Configuration", "Generation that each worker follows; they should agree.", "short"),
            (f"max by (instance) (driftline_config_generation{{{HERE}}})", "{{instance}}"),
        ),
    )


def _telling(made: Dashboard) -> Dashboard:
    return with_row(
        made,
        "Telling",
        lines(
            Text("Findings taken in", "By state, an hour.", "short"),
            (f"sum by (state) (increase(driftline_findings_total{{{HERE}}}[1h]))", "{{state}}"),
        ),
        lines(
            Text("Deliveries", "Requests to receivers by outcome, an hour.", "short"),
            (
                f"sum by (receiver_kind, outcome) (increase(driftline_deliveries_total{{{HERE}}}[1h]))",
                "{{receiver_kind}} {{outcome}}",
            ),
        ),
        lines(
            Text("Delivery p95", "What a request to a receiver took.", "s"),
            (
                "histogram_quantile(0.95, sum by (receiver_kind, le) "
                f"(increase(driftline_delivery_seconds_bucket{{{HERE}}}[1h])))",
                "{{receiver_kind}}",
            ),
        ),
        lines(
            Text("Inputs that wait", "For the owner of incidents.", "short"),
            (f"sum(driftline_incident_inbox{{{HERE}}})", "inbox"),
        ),
        lines(
            Text("Turns of the owner", "A second, and the slowest since its start.", "short"),
            (f"sum({_rate('driftline_incident_turns_total')})", "turns/s"),
            (f"max(driftline_incident_slowest_turn_seconds{{{HERE}}})", "slowest, s"),
        ),
        lines(
            Text("Inputs that could not be decided by", "Damaged, or a bug: they are dead letters.", "short"),
            (f"sum(increase(driftline_damaged_inputs_total{{{HERE}}}[1h]))", "damaged"),
        ),
    )


def _processes(made: Dashboard) -> Dashboard:
    return with_row(
        made,
        "Processes",
        lines(
            Text("Memory", "Resident; an evaluator beside a worker is a process of its own.", "bytes"),
            (f"process_resident_memory_bytes{{{HERE}}}", "{{instance}}"),
            (f"driftline_evaluator_process_resident_memory_bytes{{{HERE}}}", "{{instance}} evaluator"),
            width=12,
        ),
        lines(
            Text("CPU", "Share of a core.", "percentunit"),
            (_rate("process_cpu_seconds_total"), "{{instance}}"),
            (_rate("driftline_evaluator_process_cpu_seconds_total"), "{{instance}} evaluator"),
            width=12,
        ),
    )


def _rate(series: str) -> str:
    return f"rate({series}{{{HERE}}}[$__rate_interval])"
