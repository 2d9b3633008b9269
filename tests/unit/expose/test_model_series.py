"""The series of a model: names, labels and numbers, from sums, a report and a monitor."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.monitored import FeatureMonitor, ModelMonitor, PredictionMonitor, ServingMonitor
from schemas.reports import Report
from schemas.service_levels import Level, Perplexity, Service
from stream.expose.baseline import Baseline
from stream.expose.model_series import MOST_VERSIONS, Exported, outdated, series
from stream.ingest.capped import MOST_FEATURES
from tests.support.exposition import REPORT, TOTALS, of_families
from tests.support.models import DAY, monitor


def changed(**fields: Any) -> ModelMonitor:
    return monitor().model_copy(update=fields)


def shown(
    watched: ModelMonitor | None = None, *, totals: dict[str, int] = TOTALS, report: Report | None = REPORT
) -> dict[str, float]:
    return of_families(series(Exported("m", watched or monitor(), Baseline(0.31, 0.02)), totals, report))


def test_requests_are_counted_by_their_outcome() -> None:
    found = shown()
    assert found['model_predictions_total{model_name="m",service="m"}'] == 100
    assert found['model_prediction_errors_total{model_name="m",service="m"}'] == 3
    # seven events named no status: nothing failed
    assert found['model_requests_total{model_name="m",status="success"}'] == 97
    assert found['model_requests_total{model_name="m",status="error"}'] == 3


def test_a_model_without_an_event_has_its_counters_and_histograms_with_zero_and_no_gauge_but_what_is_configured() -> (
    None
):
    found = of_families(series(Exported("m", monitor()), {}, None))
    assert {name for name, value in found.items() if value} == {'driftline_model_pane_seconds{model_name="m"}'}
    assert {name.partition("{")[0] for name in found} == {
        "model_predictions_total", "model_prediction_errors_total", "model_requests_total",
        "driftline_expected_false_alarms_total", "driftline_alarms_total",
        "driftline_model_pane_seconds", "driftline_model_lateness_seconds",
        *(f"model_inference_{name}_seconds_{part}" for name in ("latency", "duration") for part in PARTS),
        *(f"model_{name}_tokens_{part}" for name in ("input", "output") for part in PARTS),
    }  # fmt: skip


PARTS = ("bucket", "count", "sum")


@pytest.mark.parametrize("name", ["model_inference_latency_seconds", "model_inference_duration_seconds"])
def test_latency_is_a_cumulative_histogram_with_sum_and_count(name: str) -> None:
    found = shown()
    labels = 'model_name="m",service="m"'
    buckets = {
        bound: found[f'{name}_bucket{{le="{bound}",{labels}}}']
        for bound in ("0.001", "0.01", "0.025", "0.1", "0.25", "0.5", "1.0", "2.0", "5.0", "10.0", "60.0", "+Inf")
    }
    assert list(buckets.values()) == [0, 0, 40, 40, 40, 90, 90, 90, 90, 90, 90, 92]
    assert found[f"{name}_count{{{labels}}}"] == 92
    assert found[f"{name}_sum{{{labels}}}"] == 150.25


def test_tokens_have_the_bounds_of_the_contract() -> None:
    found = shown()
    buckets = {
        bound: found[f'model_input_tokens_bucket{{le="{bound}",model_name="m"}}']
        for bound in ("10.0", "50.0", "100.0", "200.0", "500.0", "1000.0", "2000.0", "+Inf")
    }
    assert list(buckets.values()) == [0, 7, 7, 7, 7, 7, 7, 7]
    assert found['model_input_tokens_sum{model_name="m"}'] == 250.5
    assert found['model_output_tokens_count{model_name="m"}'] == 0


def test_with_serving_events_all_of_these_come_from_them_and_none_from_predictions() -> None:
    found = shown(changed(serving=ServingMonitor(stream="serving"), service="flight-api"))
    labels = 'model_name="m",service="flight-api"'
    assert found[f"model_predictions_total{{{labels}}}"] == 7
    assert found['model_requests_total{model_name="m",status="success"}'] == 7
    assert found[f"model_inference_latency_seconds_count{{{labels}}}"] == 7
    assert found[f'model_inference_latency_seconds_bucket{{le="0.5",{labels}}}'] == 0
    assert found['model_input_tokens_count{model_name="m"}'] == 0


def test_the_gauges_tell_of_the_newest_report_and_of_the_reference() -> None:
    found = shown()
    assert found['model_prediction_mean{model_name="m"}'] == 0.375
    assert found['model_drift_score{model_name="m"}'] == 0.5
    assert found['model_baseline_mean{model_name="m"}'] == 0.31
    assert found['model_baseline_std{model_name="m"}'] == 0.02
    regression = shown(changed(prediction=PredictionMonitor(kind="regression")))
    assert regression['model_prediction_mean{model_name="m"}'] == 12.0


def test_freshness_is_that_of_the_feature_store_and_else_that_of_predictions() -> None:
    found = shown(changed(features={
        "temp": FeatureMonitor(type="numeric", freshness_sla_ms=7_200_000),
        "gust": FeatureMonitor(type="numeric"),
        "never": FeatureMonitor(type="numeric"),
    }))  # fmt: skip
    updated = {name: value for name, value in found.items() if name.startswith("feature_last_updated_timestamp")}
    assert updated == {
        'feature_last_updated_timestamp{feature_name="temp",model_name="m"}': 1_357_036_200.0,
        'feature_last_updated_timestamp{feature_name="gust",model_name="m"}': 1_357_038_000.0,
    }
    promised = {name: value for name, value in found.items() if name.startswith("feature_freshness_sla_seconds")}
    assert promised == {'feature_freshness_sla_seconds{feature_name="temp",model_name="m"}': 7200.0}


@pytest.mark.parametrize(
    ("updated", "expected"),
    [
        ({"features:temp": 1_357_036_199_250, "predictions:temp": 1_357_038_000_500}, 1_357_036_199.25),
        ({"features:temp": 1_357_037_000_500}, 1_357_037_000.5),
        # Counted by a release that knew of panes only: the feature store had events of it, and still says it.
        ({"predictions:temp": 1_357_038_000_500}, 1_357_036_200.0),
        ({}, 1_357_036_200.0),
    ],
)
def test_freshness_is_that_of_the_newest_value_and_not_of_its_pane(updated: dict[str, int], expected: float) -> None:
    found = of_families(series(Exported("m", monitor()), TOTALS, None, updated=updated))
    assert found['feature_last_updated_timestamp{feature_name="temp",model_name="m"}'] == expected


def test_a_release_says_what_share_its_challenger_is_to_be_sent() -> None:
    found = of_families(series(Exported("m", monitor()), TOTALS, None, release=("4", 0.25)))
    assert found['driftline_release_share_ratio{model_name="m",version="4"}'] == 0.25
    assert [name for name in shown() if name.startswith("driftline_release")] == []


def test_a_model_says_what_its_series_lag_by() -> None:
    found = shown(changed(pane_ms=3_600_000, lateness_ms=7_200_000))
    assert found['driftline_model_pane_seconds{model_name="m"}'] == 3600.0
    assert found['driftline_model_lateness_seconds{model_name="m"}'] == 7200.0


def test_a_ratio_without_a_number_is_absent_and_not_zero() -> None:
    ratios = {name: value for name, value in shown().items() if name.startswith("feature_missing_ratio")}
    assert ratios == {'feature_missing_ratio{feature_name="temp",model_name="m"}': 0.25}


def test_versions_are_those_seen_within_a_day_of_the_newest() -> None:
    seen = {"version:3": 10 * DAY, "version:4": 10 * DAY - 3_600_000, "version:2": 9 * DAY}
    found = shown(totals=TOTALS | seen)
    assert {name: value for name, value in found.items() if name.startswith("model_version_info")} == {
        'model_version_info{model_name="m",version="3"}': 1.0,
        'model_version_info{model_name="m",version="4"}': 1.0,
    }


def test_of_many_versions_the_newest_are_exported_and_the_others_can_be_forgotten() -> None:
    seen = {f"version:{at:03}": 10 * DAY + at for at in range(MOST_VERSIONS + 5)}
    found = shown(totals=TOTALS | seen)
    versions = [name.rpartition('version="')[2][:3] for name in found if name.startswith("model_version_info")]
    assert sorted(versions) == [f"{at:03}" for at in range(5, MOST_VERSIONS + 5)]
    assert outdated(TOTALS | seen | {"version:old": 8 * DAY}) == [
        *(f"version:{at:03}" for at in range(5)), "version:old",
    ]  # fmt: skip
    assert outdated(TOTALS) == []


def test_the_most_important_features_are_exported_and_the_rest_is_counted() -> None:
    features = {f"f{at:03}": FeatureMonitor(type="numeric", freshness_sla_ms=1000) for at in range(MOST_FEATURES + 2)}
    features["zz"] = FeatureMonitor(type="numeric", freshness_sla_ms=1000, importance=0.5)
    exported = Exported("m", changed(features=features))
    names = [name for name in of_families(series(exported, {}, None)) if name.startswith("feature_")]
    assert len(names) == MOST_FEATURES
    assert 'feature_freshness_sla_seconds{feature_name="zz",model_name="m"}' in names
    assert 'feature_freshness_sla_seconds{feature_name="f199",model_name="m"}' not in names
    assert exported.dropped == 3


def test_the_gauges_tell_of_the_shortest_window() -> None:
    assert Exported("m", changed(windows={"week": 7 * DAY, "day": DAY, "month": 28 * DAY})).window == "day"


LEVELS = Service(
    at=0, period=30 * DAY, perplexity=Perplexity(mean=5.5, n=3),
    levels={
        "errors": Level(allowed=0.05, requests=100, bad=2.5, left=0.5, burn={"5m": 14.5, "1h": None}),
        "latency": Level(allowed=0.05, requests=0, bad=0.0, left=None, burn={"5m": None}),
    },
)  # fmt: skip


def leveled(promised: ServingMonitor, **services: Service) -> dict[str, float]:
    found = of_families(series(Exported("m", changed(serving=promised)), {}, None, services=services))
    return {name: value for name, value in found.items() if "slo" in name or "perplexity" in name}


def test_service_levels_are_told_of_the_stream_that_serving_is_taken_from() -> None:
    promised = ServingMonitor(error_rate=0.05, latency_p95_ms=500)
    allowed = {f'driftline_slo_allowed_ratio{{model_name="m",slo="{slo}"}}': 0.05 for slo in ("errors", "latency")}
    assert leveled(promised, predictions=LEVELS) == allowed | {
        'driftline_slo_burn_rate{model_name="m",slo="errors",window="5m"}': 14.5,
        'driftline_slo_budget_remaining_ratio{model_name="m",slo="errors"}': 0.5,
    }
    assert leveled(promised, serving=LEVELS) == allowed | {'model_perplexity{model_name="m"}': 5.5}


def test_what_is_not_promised_any_more_is_not_told() -> None:
    allowed = {'driftline_slo_allowed_ratio{model_name="m",slo="latency"}': 0.05}
    assert leveled(ServingMonitor(latency_p95_ms=500), predictions=LEVELS) == allowed
    assert leveled(ServingMonitor(), predictions=LEVELS) == {}
