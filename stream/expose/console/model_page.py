"""A model's page: its newest report of a window, feature by feature, and how each came there.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.config import InForce
from schemas.incidents import IncidentView
from schemas.monitored import FeatureMonitor
from schemas.reports import Column, Measure, Report
from stream.expose.console.charts import Spark, sparkline
from stream.expose.console.incident_page import Row, open_rows
from stream.expose.console.measured import FIRST, chart, columns_in, line, measure_of, offered
from stream.expose.console.overview import GRAVITY
from stream.expose.console.serving import Served, served
from stream.expose.feature_health import FeatureHealth, unhealthy_of

#: Tests whose p-value a table shows, the first that a report has.
TESTS = ("ks", "chi2")
#: Lines that a chart begins with; the others are a click away.
MOST_LINES = 6


@dataclass(frozen=True, slots=True)
class Place:
    """Which model, in which of its windows (name, length in ms), by which measure."""

    model: str
    window: str
    windows: Sequence[tuple[str, int]]
    measure: str = FIRST


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
    """One model in one window by one measure; ``chart`` is what the script draws, None where there is nothing to draw."""

    name: str
    force: InForce
    place: Place
    measures: Sequence[tuple[str, str]]
    report: Report | None
    judgements: int
    features: Sequence[FeatureRow]
    prediction: Sequence[FeatureRow]
    serving: Sequence[ServingRow]
    score: Spark | None
    chart: Mapping[str, Any] | None
    incidents: Sequence[Row]
    served: Served | None
    unhealthy: Sequence[FeatureHealth] = ()


def model_page(
    place: Place,
    force: InForce,
    *,
    report: Report | None,
    history: Sequence[Report],
    incidents: Sequence[IncidentView],
    totals: Mapping[str, int],
    health: Iterable[FeatureHealth] = (),
) -> ModelPage:
    """The page of a model's window; ``health`` is of all its features."""
    name = place.model
    monitor = force.monitor
    newest = report or (history[-1] if history else None)
    measure = place.measure
    features = feature_rows(newest.features if newest else {}, monitor.features, history=history, measure=measure)
    return ModelPage(
        name,
        force,
        place,
        offered(columns_in([*history, *([newest] if newest else [])]), measure),
        newest,
        len(history),
        features,
        feature_rows(newest.prediction if newest else {}, {}, history=history, measure=measure),
        serving_rows(newest, history),
        sparkline([one.drift_score for one in history]),
        drift_chart(features, history, measure=measure),
        open_rows(view for view in incidents if name in view.models),
        served(totals, monitor.serving),
        unhealthy_of(health),
    )


def feature_rows(
    columns: Mapping[str, Column],
    monitors: Mapping[str, FeatureMonitor],
    *,
    history: Sequence[Report],
    measure: str = FIRST,
) -> list[FeatureRow]:
    """Columns of the newest report: what drifts first, then by the rate of false discoveries, by importance, and by name."""
    rows = [
        _feature_row(name, column, monitors.get(name), history=history, measure=measure)
        for name, column in columns.items()
    ]
    return sorted(rows, key=_worst_first)


def serving_rows(report: Report | None, history: Sequence[Report]) -> list[ServingRow]:
    """Errors, latency and what else the newest report says of serving, and of whole events."""
    measures = _of_all_events(report) if report else {}
    return [
        ServingRow(
            name,
            measure,
            sparkline(_serving_values(history, name), threshold=measure.threshold, over=measure.exceeded),
        )
        for name, measure in sorted(measures.items())
    ]


def drift_chart(
    rows: Sequence[FeatureRow], history: Sequence[Report], *, measure: str = FIRST
) -> Mapping[str, Any] | None:
    """Every feature's measure over time; the first few are shown, and each that drifts."""
    lines = [
        line(
            row.name,
            measured(history, row.name, measure=measure),
            shown=at < MOST_LINES or row.column.state == "drift",
        )
        for at, row in enumerate(rows)
    ]
    return chart([report.end for report in history], lines, measure=measure)


def measured(history: Sequence[Report], name: str, *, measure: str) -> list[Measure | None]:
    """A column's measure in every judgement, of the features or of the prediction."""
    found = [report.features.get(name) or report.prediction.get(name) for report in history]
    return [measure_of(column, measure) if column else None for column in found]


def deciding(column: Column) -> list[str]:
    """The statistics that are beyond their threshold."""
    return [name for name, measure in column.measures.items() if measure.exceeded]


def _feature_row(
    name: str, column: Column, monitor: FeatureMonitor | None, *, history: Sequence[Report], measure: str
) -> FeatureRow:
    now = measure_of(column, measure)
    test = next((each for each in TESTS if each in column.measures), None)
    values = [one.value if one else None for one in measured(history, name, measure=measure)]
    return FeatureRow(
        name,
        monitor,
        column,
        now,
        column.measures[test].p_value if test else None,
        test,
        sparkline(values, threshold=now.threshold if now else None, over=now is not None and now.exceeded),
        deciding(column),
    )


def _serving_values(history: Sequence[Report], name: str) -> list[float | None]:
    found = (_of_all_events(report).get(name) for report in history)
    return [None if one is None else one.value for one in found]


def _of_all_events(report: Report) -> dict[str, Measure]:
    return {**report.serving, **report.quality}


def _worst_first(row: FeatureRow) -> tuple[int, float, float, str]:
    gravity = GRAVITY.index(row.column.state) if row.column.state in GRAVITY else len(GRAVITY)
    importance = row.monitor.importance if row.monitor and row.monitor.importance is not None else 0.0
    return gravity, 1.0 if row.column.q is None else row.column.q, -importance, row.name
