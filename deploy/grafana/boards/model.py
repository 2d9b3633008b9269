"""One model, or a few side by side: traffic, latency, errors, drift, the quality of its features, and what it predicts."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana.boards.board import board, by_pane, chosen, with_row
from deploy.grafana.boards.panels import HERE, OF_MODEL, Text, heat, lines, number

_REQUESTS = f"sum by (model_name) (rate(model_requests_total{{{OF_MODEL}}}[$__rate_interval]))"
_ERRORS = f'sum by (model_name) (rate(model_requests_total{{{OF_MODEL}, status="error"}}[$__rate_interval]))'
_LATENCY = f"rate(model_inference_latency_seconds_bucket{{{OF_MODEL}}}[$__rate_interval])"
_OF_FEATURE = f'{OF_MODEL}, feature_name=~"$feature"'
_BASELINE = f"max by (model_name) (model_baseline_mean{{{OF_MODEL}}})"
_SD = f"max by (model_name) (model_baseline_std{{{OF_MODEL}}})"


def model() -> Dashboard:
    """The dashboard."""
    means = "What a model is asked, how it answers, and how far its inputs and predictions are from its reference."
    made = board("Model", name="model", means=means)
    made = made.with_variable(chosen("model", of=f"model_requests_total{{{HERE}}}", label="model_name"))
    made = made.with_variable(chosen("feature", of=f"feature_missing_ratio{{{OF_MODEL}}}", label="feature_name"))
    return _features(_predictions(_drift(_promises(_traffic(by_pane(made))))))


def _traffic(made: Dashboard) -> Dashboard:
    return with_row(
        made,
        "Traffic",
        lines(
            Text("Request rate", "Requests a second, by outcome.", "reqps"),
            (
                f"sum by (model_name, status) (rate(model_requests_total{{{OF_MODEL}}}[$__rate_interval]))",
                "{{model_name}} {{status}}",
            ),
        ),
        lines(
            Text("Latency", "Median, p95 and p99, linear within a bucket.", "s"),
            *((_quantile(level), f"{{{{model_name}}}} p{100 * level:.0f}") for level in (0.5, 0.95, 0.99)),
        ),
        lines(
            Text("Error rate", "Share of requests that failed; 0 without requests.", "percentunit"),
            (f"{_ERRORS} / ({_REQUESTS} > 0) or 0 * {_REQUESTS}", "{{model_name}}"),
        ),
    )


def _promises(made: Dashboard) -> Dashboard:
    return with_row(
        made,
        "Service levels",
        number(
            Text(
                "Error budget left", "Of the period: 1 is all of it, below 0 more than allowed was used.", "percentunit"
            ),
            f"min(driftline_slo_budget_remaining_ratio{{{OF_MODEL}}})",
            steps=((None, "red"), (0.0, "orange"), (0.25, "green")),
        ),
        lines(
            Text("Burn rate", "How many times faster than allowed the budget is used, by window.", "short"),
            (
                f"max by (model_name, slo, window) (driftline_slo_burn_rate{{{OF_MODEL}}})",
                "{{model_name}} {{slo}} {{window}}",
            ),
            width=10,
        ),
        heat(
            Text("Latency, all of it", "Requests by how long they took.", "s"),
            f"sum by (le) (increase(model_inference_latency_seconds_bucket{{{OF_MODEL}}}[$__rate_interval]))",
            width=10,
        ),
    )


def _drift(made: Dashboard) -> Dashboard:
    return with_row(
        made,
        "Drift",
        lines(
            Text("Drift score", "Share of the declared importance that is in drift.", "percentunit"),
            (f"max by (model_name) (model_drift_score{{{OF_MODEL}}})", "{{model_name}}"),
        ),
        lines(
            Text("Alarms and what the budget allows", "Alarms that began, beside the false ones allowed for.", "short"),
            (f"max by (model_name) (driftline_alarms_total{{{OF_MODEL}}})", "{{model_name}} alarms"),
            (
                f"max by (model_name) (driftline_expected_false_alarms_total{{{OF_MODEL}}})",
                "{{model_name}} false ones allowed for",
            ),
        ),
        lines(
            Text("Versions", "Versions that events named within a day of the newest.", "short"),
            (
                f"max by (model_name, version) (model_version_info{{{OF_MODEL}}})",
                "{{model_name}} {{version}}",
            ),
        ),
    )


def _predictions(made: Dashboard) -> Dashboard:
    return with_row(
        made,
        "Predictions",
        lines(
            Text(
                "Mean prediction", "Of the newest window, beside the reference's and three sd of its windows.", "short"
            ),
            (f"max by (model_name) (model_prediction_mean{{{OF_MODEL}}})", "{{model_name}}"),
            (_BASELINE, "{{model_name}} reference"),
            (f"{_BASELINE} + 3 * {_SD}", "{{model_name}} + 3 sd"),
            (f"{_BASELINE} - 3 * {_SD}", "{{model_name}} − 3 sd"),
            width=12,
        ),
        lines(
            Text("Off the reference", "By how many sd of the reference's windows the mean prediction is off.", "short"),
            (
                f"(max by (model_name) (model_prediction_mean{{{OF_MODEL}}}) - {_BASELINE}) / {_SD}",
                "{{model_name}}",
            ),
            width=12,
        ),
    )


def _features(made: Dashboard) -> Dashboard:
    sla = f"max by (model_name, feature_name) (feature_freshness_sla_seconds{{{_OF_FEATURE}}})"
    updated = f"max by (model_name, feature_name) (feature_last_updated_timestamp{{{_OF_FEATURE}}})"
    return with_row(
        made,
        "Data quality",
        lines(
            Text("Missing values", "Share of a feature's values that are missing in the newest window.", "percentunit"),
            (
                f"max by (model_name, feature_name) (feature_missing_ratio{{{_OF_FEATURE}}})",
                "{{model_name}} {{feature_name}}",
            ),
        ),
        lines(
            Text("Age of features", "Since the newest value of the feature.", "s"),
            (f"time() - {updated}", "{{model_name}} {{feature_name}}"),
        ),
        lines(
            Text(
                "Age by what was promised",
                "Age over the SLA; above 1 it is stale.",
                "short",
            ),
            (f"clamp_min(time() - {updated}, 0) / {sla}", "{{model_name}} {{feature_name}}"),
        ),
    )


def _quantile(level: float) -> str:
    return f"histogram_quantile({level}, sum by (model_name, le) ({_LATENCY}))"
