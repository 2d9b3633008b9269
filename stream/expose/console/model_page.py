"""A model's page: its newest report of a window, feature by feature, and how each came there.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.config import InForce
from schemas.incidents import IncidentView
from schemas.monitored import FeatureMonitor
from schemas.reports import Column, Measure, Report
from stream.expose.console.charts import Series, Spark, sparkline, timeline
from stream.expose.console.incident_page import Row, open_rows
from stream.expose.console.overview import GRAVITY
from stream.expose.console.serving import Served, served

#: The statistic that stands for a column in tables and charts.
SHOWN = "psi"
#: Tests whose p-value a table shows, the first that a report has.
TESTS = ("ks", "chi2")
#: Lines that a chart begins with; the others are a click away.
MOST_LINES = 6


@dataclass(frozen=True, slots=True)
class Place:
    """Which model, in which of its windows (name, length in ms)."""

    model: str
    window: str
    windows: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """A feature (or a part of the prediction) in the table."""

    name: str
    monitor: FeatureMonitor | None
    column: Column
    measure: Measure | None
    p_value: float | None
    test: str | None
    spark: Spark | None
    decided_by: Sequence[str]


@dataclass(frozen=True, slots=True)
class ServingRow:
    """A number about the serving of a model, and how it came there."""

    name: str
    measure: Measure
    spark: Spark | None


@dataclass(frozen=True, slots=True)
class ModelPage:
    """One model in one window; ``chart`` is what the script draws, None where there is nothing to draw."""

    name: str
    force: InForce
    window: str
    windows: Sequence[tuple[str, int]]
    report: Report | None
    judgements: int
    features: Sequence[FeatureRow]
    prediction: Sequence[FeatureRow]
    serving: Sequence[ServingRow]
    score: Spark | None
    chart: Mapping[str, Any] | None
    incidents: Sequence[Row]
    served: Served | None


def model_page(
    place: Place,
    force: InForce,
    *,
    report: Report | None,
    history: Sequence[Report],
    incidents: Sequence[IncidentView],
    totals: Mapping[str, int],
) -> ModelPage:
    """The page of a model's window."""
    name = place.model
    monitor = force.monitor
    newest = report or (history[-1] if history else None)
    features = feature_rows(newest.features if newest else {}, monitor.features, history=history)
    return ModelPage(
        name,
        force,
        place.window,
        place.windows,
        newest,
        len(history),
        features,
        feature_rows(newest.prediction if newest else {}, {}, history=history),
        serving_rows(newest, history),
        sparkline([one.drift_score for one in history]),
        drift_chart(features, history),
        open_rows(view for view in incidents if name in view.models),
        served(totals, monitor.serving),
    )


def feature_rows(
    columns: Mapping[str, Column], monitors: Mapping[str, FeatureMonitor], *, history: Sequence[Report]
) -> list[FeatureRow]:
    """Columns of the newest report: what drifts first, then by importance, then by name."""
    rows = [_feature_row(name, column, monitors.get(name), history=history) for name, column in columns.items()]
    return sorted(rows, key=_worst_first)


def serving_rows(report: Report | None, history: Sequence[Report]) -> list[ServingRow]:
    """Errors, latency and what else the newest report says of serving."""
    measures = report.serving if report else {}
    return [
        ServingRow(name, measure, sparkline(_serving_values(history, name), threshold=measure.threshold))
        for name, measure in sorted(measures.items())
    ]


def drift_chart(rows: Sequence[FeatureRow], history: Sequence[Report]) -> Mapping[str, Any] | None:
    """Every feature's statistic over time; the first few are shown, and each that drifts."""
    series = [
        Series(
            row.name,
            values_of(history, row.name),
            row.measure.threshold if row.measure else None,
            shown=at < MOST_LINES or row.column.state == "drift",
        )
        for at, row in enumerate(rows)
    ]
    drawn = [one for one in series if any(value is not None for value in one.values)]
    return timeline([report.end for report in history], drawn, unit=SHOWN) if drawn else None


def values_of(history: Sequence[Report], name: str) -> list[float | None]:
    """A column's statistic in every judgement, of the features or of the prediction."""
    found = [report.features.get(name) or report.prediction.get(name) for report in history]
    measures = [shown_measure(column) if column else None for column in found]
    return [measure.value if measure else None for measure in measures]


def shown_measure(column: Column) -> Measure | None:
    """The statistic that stands for a column; None where it is not computed (names counted by a hash)."""
    return column.measures.get(SHOWN)


def deciding(column: Column) -> list[str]:
    """The statistics that are beyond their threshold."""
    return [name for name, measure in column.measures.items() if measure.exceeded]


def _feature_row(name: str, column: Column, monitor: FeatureMonitor | None, *, history: Sequence[Report]) -> FeatureRow:
    measure = shown_measure(column)
    test = next((each for each in TESTS if each in column.measures), None)
    threshold = measure.threshold if measure else None
    return FeatureRow(
        name,
        monitor,
        column,
        measure,
        column.measures[test].p_value if test else None,
        test,
        sparkline(values_of(history, name), threshold=threshold),
        deciding(column),
    )


def _serving_values(history: Sequence[Report], name: str) -> list[float | None]:
    return [report.serving[name].value if name in report.serving else None for report in history]


def _worst_first(row: FeatureRow) -> tuple[int, float, str]:
    gravity = GRAVITY.index(row.column.state) if row.column.state in GRAVITY else len(GRAVITY)
    importance = row.monitor.importance if row.monitor and row.monitor.importance is not None else 0.0
    return gravity, -importance, row.name
