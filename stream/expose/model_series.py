"""The series of one model: from its cumulative sums, its newest report and its monitor to what Prometheus reads.

Pure.  A counter or a histogram is there from the start, with 0; a gauge that has no number is left out, for absent is not 0.
Requests, errors, latency and tokens are those of one stream, the one that the monitor's ``serving.from`` names.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import accumulate
from typing import Any

from prometheus_client.metrics_core import Metric
from prometheus_client.utils import floatToGoString

from schemas.monitored import FeatureMonitor, ModelMonitor
from schemas.reports import Report
from schemas.service_levels import Service
from stream.evaluate.calibration import alarms
from stream.evaluate.panes.totals import bins, bounds_of, total
from stream.evaluate.verdicts.burn import promises_of
from stream.expose.baseline import Baseline
from stream.expose.model_families import families
from stream.ingest.capped import MOST_FEATURES
from stream.ingest.versions import PREFIX
from stream.state.columns import LATENCY_S, TOKENS
from stream.state.updated import member_of

#: Versions of a model that are exported, the newest: a producer may write anything there, also a number of its own an event.
MOST_VERSIONS = 20
DAY_MS = 86_400_000

Totals = Mapping[str, int]
Buckets = list[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Exported:
    """What is known of a model before any event: its monitor, and how its score was in the reference."""

    model: str
    monitor: ModelMonitor
    baseline: Baseline | None = None

    @property
    def window(self) -> str:
        """The shortest window, which the gauges tell of."""
        windows = self.monitor.windows
        return min(windows, key=lambda name: windows[name])

    @property
    def features(self) -> dict[str, FeatureMonitor]:
        """The features that are exported: by falling importance, then by name."""
        ranked = sorted(self.monitor.features.items(), key=lambda item: (-(item[1].importance or 0.0), item[0]))
        return dict(ranked[:MOST_FEATURES])

    @property
    def dropped(self) -> int:
        """Features that are not."""
        return max(0, len(self.monitor.features) - MOST_FEATURES)


def series(
    exported: Exported,
    totals: Totals,
    report: Report | None,
    *,
    updated: Mapping[str, int] | None = None,
    services: Mapping[str, Service] | None = None,
    release: tuple[str, float] | None = None,
) -> list[Metric]:
    """Every family that the model has series in, with them.

    :param report: the newest one of its shortest window; ``updated``: event times of the newest values, as Redis has them;
        ``services``: service levels, by the stream that says so; ``release``: the version that is being released, and the share
        of requests that it is to be sent.
    """
    found: dict[str, Any] = families()
    _add_requests(found, exported, totals)
    _add_distributions(found, exported, totals)
    for name, count in zip(
        ("driftline_expected_false_alarms", "driftline_alarms"), alarms.of_model(totals), strict=True
    ):
        found[name].add_metric([exported.model], count)
    for name, value in _gauges(exported, report):
        if value is not None:
            found[name].add_metric([exported.model], value)
    _add_levels(found, exported, services or {})
    if release is not None:
        version, share = release
        found["driftline_release_share_ratio"].add_metric([exported.model, version], share)
    for version in _versions(totals):
        found["model_version_info"].add_metric([exported.model, version], 1)
    for feature, monitor in exported.features.items():
        for name, value in _feature_gauges(feature, monitor, last=_last(totals, updated or {}, feature), report=report):
            if value is not None:
                found[name].add_metric([feature, exported.model], value)
    return [family for family in found.values() if family.samples]


def outdated(totals: Totals) -> list[str]:
    """Fields of versions that are not shown any more."""
    shown = set(_versions(totals))
    return [name for name in totals if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in shown]


def _versions(totals: Totals) -> list[str]:
    """Those seen within a day of the one seen last, the newest of them."""
    seen = {name.removeprefix(PREFIX): at for name, at in totals.items() if name.startswith(PREFIX)}
    recent = (version for version, at in seen.items() if at > max(seen.values()) - DAY_MS)
    return nsmallest(MOST_VERSIONS, recent, key=lambda version: (-seen[version], version))


def _add_requests(found: dict[str, Any], exported: Exported, totals: Totals) -> None:
    """An event that says no status was a success: nothing failed that anybody noticed."""
    model, stream = exported.model, exported.monitor.serving.stream
    attempts, errors = (totals.get(f"{stream}:{name}", 0) for name in ("events", "status:error"))
    found["model_predictions"].add_metric(_served(exported), attempts)
    found["model_prediction_errors"].add_metric(_served(exported), errors)
    found["model_requests"].add_metric([model, "success"], attempts - errors)
    found["model_requests"].add_metric([model, "error"], errors)


def _add_distributions(found: dict[str, Any], exported: Exported, totals: Totals) -> None:
    stream = exported.monitor.serving.stream
    latency = _buckets(bins(totals, stream, column="latency_s"), LATENCY_S), total(totals, stream, column="latency_s")
    for name in ("model_inference_latency_seconds", "model_inference_duration_seconds"):
        found[name].add_metric(_served(exported), *latency)
    for column in ("input_tokens", "output_tokens"):
        tokens = _buckets(bins(totals, stream, column=column), TOKENS)
        found[f"model_{column}"].add_metric([exported.model], tokens, total(totals, stream, column=column))


def _add_levels(found: dict[str, Any], exported: Exported, services: Mapping[str, Service]) -> None:
    """Of what is promised now; a perplexity is said in ``serving`` events only."""
    service, promised = services.get(exported.monitor.serving.stream), promises_of(exported.monitor.serving)
    for slo, allowed in promised.items():
        found["driftline_slo_allowed_ratio"].add_metric([exported.model, slo], allowed)
    for slo, level in service.levels.items() if service is not None else ():
        if slo not in promised:
            continue
        if level.left is not None:
            found["driftline_slo_budget_remaining_ratio"].add_metric([exported.model, slo], level.left)
        for window, rate in level.burn.items():
            if rate is not None:
                found["driftline_slo_burn_rate"].add_metric([exported.model, slo, window], rate)
    said = services.get("serving")
    if said is not None and said.perplexity is not None:
        found["model_perplexity"].add_metric([exported.model], said.perplexity.mean)


def _gauges(exported: Exported, report: Report | None) -> Iterator[tuple[str, float | None]]:
    if report is not None:
        name = "value" if exported.monitor.prediction.kind == "regression" else "score"
        prediction = report.prediction.get(name)
        yield "model_prediction_mean", prediction.mean if prediction else None
        yield "model_drift_score", report.drift_score
    yield "driftline_model_pane_seconds", _seconds(exported.monitor.pane_ms)
    yield "driftline_model_lateness_seconds", _seconds(exported.monitor.lateness_ms)
    if exported.baseline is not None:
        yield "model_baseline_mean", exported.baseline.mean
        yield "model_baseline_std", exported.baseline.std


def _feature_gauges(
    feature: str, monitor: FeatureMonitor, *, last: int | None, report: Report | None
) -> Iterator[tuple[str, float | None]]:
    column = report.features.get(feature) if report is not None else None
    yield "feature_missing_ratio", column.missing_ratio if column else None
    yield "feature_last_updated_timestamp", _seconds(last)
    yield "feature_freshness_sla_seconds", _seconds(monitor.freshness_sla_ms)


def _last(totals: Totals, updated: Mapping[str, int], feature: str) -> int | None:
    """Of the feature store's events, or of predictions where the feature has none.

    Where nothing was counted since a release that kept no event times, the end of the pane that evaluation knows.
    """
    for stream in ("features", "predictions"):
        known = updated.get(member_of(stream, feature)), totals.get(f"{stream}:feature:{feature}:last")
        for at_ms in known:
            if at_ms is not None:
                return at_ms
    return None


def _served(exported: Exported) -> list[str]:
    return [exported.model, exported.monitor.service or exported.model]


def _buckets(counts: Mapping[float, int], edges: Sequence[float]) -> Buckets:
    """Cumulative counts at every bound of the column, and at any other that was ever counted."""
    bounds = sorted({*bounds_of(edges), *counts, math.inf})
    cumulative = accumulate(counts.get(bound, 0) for bound in bounds)
    return [(_le(bound), count) for bound, count in zip(bounds, cumulative, strict=True)]


def _le(bound: float) -> str:
    text: str = floatToGoString(bound)  # type: ignore[no-untyped-call]
    return text


def _seconds(ms: int | None) -> float | None:
    return None if ms is None else ms / 1000
