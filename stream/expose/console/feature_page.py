"""A feature's page: the newest window against the reference, its numbers, and how they came there.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.monitored import FeatureMonitor
from schemas.reports import Column, Report
from stream.expose.console.charts import Series, timeline
from stream.expose.console.histogram import Histogram
from stream.expose.console.model_page import SHOWN, Place, shown_measure

#: Judgements that the table lists, the newest first.
MOST_JUDGEMENTS = 60


@dataclass(frozen=True, slots=True)
class FeaturePage:
    """One feature of one model in one window; ``why_not`` says why there is no histogram."""

    model: str
    name: str
    monitor: FeatureMonitor | None
    window: str
    windows: Sequence[tuple[str, int]]
    report: Report | None
    column: Column | None
    histogram: Histogram | None
    why_not: str
    statistic: str
    chart: Mapping[str, Any] | None
    missing: Mapping[str, Any] | None
    judgements: Sequence[tuple[Report, Column]]


@dataclass(frozen=True, slots=True)
class Picture:
    """The histogram of a window, or why there is none."""

    histogram: Histogram | None
    why_not: str = ""


def feature_page(
    name: str,
    place: Place,
    monitor: FeatureMonitor | None,
    *,
    report: Report | None,
    history: Sequence[Report],
    picture: Picture,
) -> FeaturePage:
    """The page of a feature."""
    judged = [(each, each.features[name]) for each in history if name in each.features]
    column = report.features.get(name) if report else None
    return FeaturePage(
        place.model,
        name,
        monitor,
        place.window,
        place.windows,
        report,
        column,
        picture.histogram,
        picture.why_not,
        SHOWN,
        statistic_chart(name, judged),
        missing_chart(judged),
        judged[: -MOST_JUDGEMENTS - 1 : -1],
    )


def statistic_chart(name: str, judged: Sequence[tuple[Report, Column]]) -> Mapping[str, Any] | None:
    """The feature's statistic over time with its newest threshold."""
    measures = [shown_measure(column) for _, column in judged]
    known = [measure for measure in measures if measure is not None]
    if not known:
        return None
    line = Series(name, [measure.value if measure else None for measure in measures], known[-1].threshold)
    return timeline([report.end for report, _ in judged], [line], unit=SHOWN)


def missing_chart(judged: Sequence[tuple[Report, Column]]) -> Mapping[str, Any] | None:
    """The share of missing values over time; None where it was never known or always nothing."""
    ratios = [column.missing_ratio for _, column in judged]
    if not any(ratios):
        return None
    line = Series("missing", [None if ratio is None else 100 * ratio for ratio in ratios])
    return timeline([report.end for report, _ in judged], [line], unit="%")
