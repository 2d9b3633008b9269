"""All models at a glance: who is in trouble, and how much of it reached a person."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana.boards.board import board, by_pane, chosen, with_row
from deploy.grafana.boards.panels import HERE, OF_MODEL, Text, lines, number, rows

_ALARM = ((None, "green"), (1.0, "red"))
_ERRORS = f'sum by (model_name) (rate(model_requests_total{{{OF_MODEL}, status="error"}}[$__rate_interval]))'
_REQUESTS = f"sum by (model_name) (rate(model_requests_total{{{OF_MODEL}}}[$__rate_interval]))"
_P95 = (
    "histogram_quantile(0.95, sum by (model_name, le) "
    f"(rate(model_inference_latency_seconds_bucket{{{OF_MODEL}}}[$__rate_interval])))"
)
_DRIFT = f"max by (model_name) (model_drift_score{{{OF_MODEL}}})"
_RELEASES = f"max by (model_name, version) (driftline_release_share_ratio{{{OF_MODEL}}})"
_MISSING = f"max by (model_name) (feature_missing_ratio{{{OF_MODEL}}})"


def fleet() -> Dashboard:
    """The dashboard."""
    means = "Every model that driftline watches: traffic, errors, latency, drift, and what is open."
    made = board("Fleet", name="fleet", means=means)
    made = made.with_variable(chosen("model", of=f"model_requests_total{{{HERE}}}", label="model_name"))
    return _models(_people(_now(by_pane(made))))


def _now(made: Dashboard) -> Dashboard:
    return with_row(
        made,
        "Now",
        number(
            Text("Models", "Models whose series are exported.", "short"),
            f"count(count by (model_name) (model_requests_total{{{OF_MODEL}}}))",
        ),
        number(
            Text("Requests", "Requests of all models, a second.", "reqps"),
            f"sum(rate(model_requests_total{{{OF_MODEL}}}[$__rate_interval]))",
        ),
        number(
            Text("Errors", "Share of all requests that failed; 0 where there were none.", "percentunit"),
            f'sum(rate(model_requests_total{{{OF_MODEL}, status="error"}}[$__rate_interval]))'
            f" / (sum(rate(model_requests_total{{{OF_MODEL}}}[$__rate_interval])) > 0) or vector(0)",
            steps=((None, "green"), (0.01, "orange"), (0.05, "red")),
        ),
        number(
            Text("Models in drift", "Models of which some importance is in drift in the newest window.", "short"),
            f"count({_DRIFT} > 0) or vector(0)",
            steps=((None, "green"), (1.0, "orange")),
        ),
        number(
            Text("Open P0 and P1", "Incidents that page somebody, and are not over.", "short"),
            f'sum(driftline_incidents_open{{{HERE}, severity=~"P0|P1"}})',
            steps=_ALARM,
        ),
        number(
            Text("Receivers failing", "Addresses whose last request was not taken: somebody may not know.", "short"),
            f"sum(driftline_receivers_failing{{{HERE}}})",
            steps=_ALARM,
        ),
    )


def _people(made: Dashboard) -> Dashboard:
    return with_row(
        made,
        "What reached people",
        lines(
            Text("Open incidents", "By severity, as the worker that owns them says.", "short"),
            (f"sum by (severity) (driftline_incidents_open{{{HERE}}})", "{{severity}}"),
        ),
        lines(
            Text("Incidents begun", "By their severity after the turn in which they began, an hour.", "short"),
            (f"sum by (severity) (increase(driftline_incidents_total{{{HERE}}}[1h]))", "{{severity}}"),
        ),
        lines(
            Text("Alarms and what the budget allows", "Alarms that began, beside the false ones allowed for.", "short"),
            (f"sum(driftline_alarms_total{{{OF_MODEL}}})", "alarms"),
            (f"sum(driftline_expected_false_alarms_total{{{OF_MODEL}}})", "false ones allowed for"),
        ),
    )


def _models(made: Dashboard) -> Dashboard:
    return with_row(
        made,
        "Models",
        rows(
            Text("Models by their numbers", "One row a model; shares are 0 to 1, latency in seconds.", "short"),
            (_REQUESTS, "requests/s"),
            (f"{_ERRORS} / ({_REQUESTS} > 0) or 0 * {_REQUESTS}", "errors"),
            (_P95, "p95 latency"),
            (_DRIFT, "drift score"),
            (_MISSING, "most missing"),
            by="model_name",
        ),
        lines(Text("Requests", "Requests of a model, a second.", "reqps"), (_REQUESTS, "{{model_name}}")),
        lines(
            Text("Error rate", "Share of a model's requests that failed; 0 without requests.", "percentunit"),
            (f"{_ERRORS} / ({_REQUESTS} > 0) or 0 * {_REQUESTS}", "{{model_name}}"),
        ),
        lines(Text("Latency p95", "From the histogram's buckets, linear within one.", "s"), (_P95, "{{model_name}}")),
        lines(
            Text("Drift score", "Share of the declared importance that is in drift.", "percentunit"),
            (_DRIFT, "{{model_name}}"),
            width=12,
        ),
        lines(
            Text("Missing values", "Of the feature of each model that lacks most.", "percentunit"),
            (_MISSING, "{{model_name}}"),
            width=12,
        ),
        lines(
            Text(
                "Error budgets left",
                "1 is all of a period's budget; below 0 more than allowed was used.",
                "percentunit",
            ),
            (
                f"min by (model_name, slo) (driftline_slo_budget_remaining_ratio{{{OF_MODEL}}})",
                "{{model_name}} {{slo}}",
            ),
            width=12,
        ),
        lines(
            Text("Releases", "Share of requests that a new version is to be sent; 0 without a release.", "percentunit"),
            (
                f"{_RELEASES} or 0 * group by (model_name) (driftline_model_pane_seconds{{{OF_MODEL}}})"
                f" unless on (model_name) {_RELEASES}",
                "{{model_name}} {{version}}",
            ),
            width=12,
        ),
    )
