"""A feature's page: the newest window against the reference, its numbers, and how they came there.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.monitored import FeatureMonitor
from schemas.reports import Column, Measure, Report
from stream.expose.console.histogram import Histogram
from stream.expose.console.measured import chart, line, measure_of, offered
from stream.expose.console.model_page import Place

#: Judgements that the table lists, the newest first.
MOST_JUDGEMENTS = 60


@dataclass(frozen=True, slots=True)
class FeaturePage:
    """One feature of one model in one window by one measure; ``why_not`` says why there is no histogram.

    ``judgements`` are the newest ones with that measure, the last one first.
    """

    model: str
    name: str
    monitor: FeatureMonitor | None
    place: Place
    measures: Sequence[tuple[str, str]]
    report: Report | None
    column: Column | None
    histogram: Histogram | None
    why_not: str
    chart: Mapping[str, Any] | None
    missing: Mapping[str, Any] | None
    judgements: Sequence[tuple[Report, Column, Measure | None]]


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
    newest = judged[: -MOST_JUDGEMENTS - 1 : -1]
    return FeaturePage(
        place.model,
        name,
        monitor,
        place,
        offered([each for _, each in judged] + ([column] if column else []), place.measure),
        report,
        column,
        picture.histogram,
        picture.why_not,
        measure_chart(name, judged, measure=place.measure),
        missing_chart(judged) if place.measure != "missing" else None,
        [(each, judgement, measure_of(judgement, place.measure)) for each, judgement in newest],
    )


def measure_chart(name: str, judged: Sequence[tuple[Report, Column]], *, measure: str) -> Mapping[str, Any] | None:
    """The feature's measure over time with its newest threshold."""
    found = [measure_of(column, measure) for _, column in judged]
    return chart([report.end for report, _ in judged], [line(name, found)], measure=measure)


def missing_chart(judged: Sequence[tuple[Report, Column]]) -> Mapping[str, Any] | None:
    """The share of missing values over time; None where it was never known or always nothing."""
    return measure_chart("missing", judged, measure="missing") if any(one.missing_ratio for _, one in judged) else None
