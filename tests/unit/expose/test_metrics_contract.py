"""The series that users' rules and panels query by name: written down here once more, so that no change of code changes them.

What is not exported yet is listed too: it comes with labels joined to predictions.  The GPU agent's are in tests/unit/gpu.
"""

from __future__ import annotations

from stream.evaluate.panes.totals import bounds_of
from stream.expose.model_families import COUNTERS, GAUGES, HISTOGRAMS, families
from stream.state.columns import LATENCY_S, TOKENS
from tests.support.source import ROOT

MODEL, SERVED, FEATURE = ("model_name",), ("model_name", "service"), ("feature_name", "model_name")
CONTRACT = {
    "model_predictions_total": ("counter", SERVED),
    "model_prediction_errors_total": ("counter", SERVED),
    "model_requests_total": ("counter", ("model_name", "status")),
    "driftline_expected_false_alarms_total": ("counter", MODEL),
    "driftline_alarms_total": ("counter", MODEL),
    "model_inference_latency_seconds": ("histogram", SERVED),
    "model_inference_duration_seconds": ("histogram", SERVED),
    "model_input_tokens": ("histogram", MODEL),
    "model_output_tokens": ("histogram", MODEL),
    "model_prediction_mean": ("gauge", MODEL),
    "model_baseline_mean": ("gauge", MODEL),
    "model_baseline_std": ("gauge", MODEL),
    "model_drift_score": ("gauge", MODEL),
    "model_perplexity": ("gauge", MODEL),
    "driftline_slo_burn_rate": ("gauge", ("model_name", "slo", "window")),
    "driftline_slo_budget_remaining_ratio": ("gauge", ("model_name", "slo")),
    "driftline_slo_allowed_ratio": ("gauge", ("model_name", "slo")),
    "driftline_release_share_ratio": ("gauge", ("model_name", "version")),
    "model_version_info": ("gauge", ("model_name", "version")),
    "driftline_model_pane_seconds": ("gauge", MODEL),
    "driftline_model_lateness_seconds": ("gauge", MODEL),
    "feature_missing_ratio": ("gauge", FEATURE),
    "feature_last_updated_timestamp": ("gauge", FEATURE),
    "feature_freshness_sla_seconds": ("gauge", FEATURE),
}
LATER = ("model_accuracy", "model_accuracy_gauge")


def test_the_exported_series_of_models_are_those_of_the_contract() -> None:
    kinds = ((COUNTERS, "counter"), (HISTOGRAMS, "histogram"), (GAUGES, "gauge"))
    found = {
        f"{name}_total" if kind == "counter" else name: (kind, labels)
        for listed, kind in kinds
        for name, _, labels in listed
    }
    assert found == CONTRACT


def test_every_series_says_what_it_is() -> None:
    said = [one.documentation for one in families().values()]
    assert [text for text in said if not text.endswith(".")] == []
    assert len(set(said)) == len(said)


def test_the_buckets_hold_the_bounds_that_rules_ask_for() -> None:
    assert {0.1, 0.5, 1, 2, 5, 10} < set(bounds_of(LATENCY_S))
    assert min(bounds_of(LATENCY_S)) == 0.001
    assert {10, 50, 100, 200, 500, 1000, 2000} < set(bounds_of(TOKENS))


def test_what_is_not_exported_yet_is_said() -> None:
    document = (ROOT / "docs" / "metrics.md").read_text()
    assert [name for name in LATER if name in CONTRACT] == []
    assert [name for name in LATER if f"`{name}`" not in document] == []
