"""The names, types and labels of the series of a model: a public contract that users' rules and panels query.

The list is ``docs/metrics.md``; a test compares it with what is exported.
"""

from __future__ import annotations

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

MODEL, FEATURE = ("model_name",), ("feature_name", "model_name")
SERVED = ("model_name", "service")

COUNTERS = (
    ("model_predictions", "Predictions attempted.", SERVED),
    ("model_prediction_errors", "Of these, those that failed.", SERVED),
    ("model_requests", "Requests by outcome.", ("model_name", "status")),
    ("driftline_expected_false_alarms", "False alarms that the budget allows at the judgements made so far.", MODEL),
    ("driftline_alarms", "Alarms by rules of the budget that began.", MODEL),
)
HISTOGRAMS = (
    ("model_inference_latency_seconds", "How long a prediction took.", SERVED),
    ("model_inference_duration_seconds", "How long a prediction took: the same by its other name.", SERVED),
    ("model_input_tokens", "Tokens of a request.", MODEL),
    ("model_output_tokens", "Tokens of an answer.", MODEL),
)
GAUGES = (
    ("model_prediction_mean", "Mean prediction in the newest window.", MODEL),
    ("model_baseline_mean", "Mean score of the reference.", MODEL),
    ("model_baseline_std", "Standard deviation of the mean scores of the reference's windows.", MODEL),
    ("model_drift_score", "Share of the declared importance that is in drift, 0 to 1.", MODEL),
    ("model_perplexity", "Mean perplexity of the answers in the newest window.", MODEL),
    (
        "driftline_slo_burn_rate",
        "How fast the budget of bad requests is spent: 1 spends it in just its period.",
        ("model_name", "slo", "window"),
    ),
    (
        "driftline_slo_budget_remaining_ratio",
        "Share of the budget of bad requests that is not spent; negative where more is.",
        ("model_name", "slo"),
    ),
    (
        "driftline_slo_allowed_ratio",
        "Share of requests that a service level allows to be bad.",
        ("model_name", "slo"),
    ),
    (
        "driftline_release_share_ratio",
        "Share of the requests that a release's challenger is to be sent.",
        ("model_name", "version"),
    ),
    (
        "model_version_info",
        "A version of the model that was seen within a day of the last one.",
        ("model_name", "version"),
    ),
    ("driftline_model_pane_seconds", "Length of a pane: the series of the model step once a pane.", MODEL),
    ("driftline_model_lateness_seconds", "Event time that is waited for before a pane is closed.", MODEL),
    ("feature_missing_ratio", "Share of a feature's values that are missing in the newest window.", FEATURE),
    ("feature_last_updated_timestamp", "Event time of the newest value of the feature, epoch seconds.", FEATURE),
    ("feature_freshness_sla_seconds", "Age that a feature may reach.", FEATURE),
)


def families() -> dict[str, Metric]:
    """Every family by its name, without a sample, in the order in which they are exposed."""
    made: list[Metric] = [
        *(CounterMetricFamily(name, means, labels=labels) for name, means, labels in COUNTERS),
        *(HistogramMetricFamily(name, means, labels=labels) for name, means, labels in HISTOGRAMS),
        *(GaugeMetricFamily(name, means, labels=labels) for name, means, labels in GAUGES),
    ]
    return {family.name: family for family in made}
