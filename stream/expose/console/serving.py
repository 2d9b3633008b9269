"""Serving since the start, from a model's cumulative sums: requests, errors, latency, tokens.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.monitored import ServingMonitor
from stream.evaluate.panes.totals import bins, total


@dataclass(frozen=True, slots=True)
class Served:
    """Sums of one stream; a quantile is the upper bound of its bin (infinite: beyond the last one), None where nothing came."""

    stream: str
    requests: int
    errors: int
    latency_mean_s: float | None
    latency_p50_s: float | None
    latency_p95_s: float | None
    input_tokens: float | None
    output_tokens: float | None
    objective: ServingMonitor

    @property
    def error_share(self) -> float | None:
        """Of the requests; None where there was none."""
        return self.errors / self.requests if self.requests else None


def served(totals: Mapping[str, int], monitor: ServingMonitor) -> Served | None:
    """What the totals say of the stream that serving is taken from; None where nothing was counted there.

    >>> served({"serving:events": 9, "serving:status:error": 1}, ServingMonitor(stream="serving")).requests
    9
    """
    stream = monitor.stream
    requests = totals.get(f"{stream}:events", 0)
    if not requests:
        return None
    latency = bins(totals, stream, column="latency_s")
    return Served(
        stream,
        requests,
        totals.get(f"{stream}:status:error", 0),
        _mean(totals, stream, column="latency_s"),
        bound_of(latency, 0.5),
        bound_of(latency, 0.95),
        _mean(totals, stream, column="input_tokens"),
        _mean(totals, stream, column="output_tokens"),
        monitor,
    )


def bound_of(counts: Mapping[float, int], level: float) -> float | None:
    """The upper bound of the bin that holds a quantile; None of no value.

    >>> bound_of({0.1: 90, 0.25: 9, float("inf"): 1}, 0.95), bound_of({}, 0.5)
    (0.25, None)
    """
    wanted, seen = level * sum(counts.values()), 0
    for bound in sorted(counts):
        seen += counts[bound]
        if seen and seen >= wanted:
            return bound
    return None


def _mean(totals: Mapping[str, int], stream: str, *, column: str) -> float | None:
    count = sum(bins(totals, stream, column=column).values())
    return total(totals, stream, column=column) / count if count else None
