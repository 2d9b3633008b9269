"""What Prometheus would read of a registry or of some families, and the sums and report of a model to make families of."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from schemas.reports import Column, Report
from tests.support.models import HOUR

TOTALS = {
    "predictions:events": 100,
    "predictions:status:success": 90,
    "predictions:status:error": 3,
    "predictions:latency_s:0.01..0.025": 40,
    "predictions:latency_s:0.25..0.5": 50,
    "predictions:latency_s:60..": 2,
    "predictions:latency_s:sum/4096": 4096 * 150 + 1024,
    "predictions:input_tokens:20..50": 7,
    "predictions:input_tokens:sum/4": 4 * 250 + 2,
    "predictions:feature:temp:last": 1_357_038_000_000,
    "features:feature:temp:last": 1_357_036_200_000,
    "predictions:feature:gust:last": 1_357_038_000_000,
    "serving:events": 7,
    "serving:latency_s:0.5..0.75": 7,
}
REPORT = Report(
    model="m", stream="predictions", window="hour", start=0, end=HOUR, seen=HOUR, state="drift", events=9,
    features={"temp": Column("drift", 9, missing_ratio=0.25), "gust": Column("no_reference", 0)},
    prediction={"score": Column("ok", 9, mean=0.375), "value": Column("ok", 9, mean=12.0)},
    drift_score=0.5,
)  # fmt: skip


class Fixed(Collector):
    """A collector of families that are given."""

    def __init__(self, found: Iterable[Metric]) -> None:
        self._found = list(found)

    def collect(self) -> list[Metric]:
        """What was given."""
        return self._found


def of_families(found: Iterable[Metric]) -> dict[str, float]:
    """Name and labels to value."""
    registry = CollectorRegistry()
    registry.register(Fixed(found))
    return numbers(registry)


def numbers(registry: CollectorRegistry) -> dict[str, float]:
    """Name and labels to value, without the creation times that the client library adds."""
    lines = [line for line in generate_latest(registry).decode().splitlines() if line[0] != "#"]
    found = {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}
    return {name: value for name, value in found.items() if "_created" not in name}
