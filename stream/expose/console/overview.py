"""The first page: what is open, how each model is, how far everything has come.  Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.config import Generation
from schemas.findings import SEVERITIES
from schemas.monitored import ModelMonitor
from schemas.names import TOPICS_IN
from schemas.reports import Report
from stream.evaluate.panes.windows import windows_of as window_specs
from stream.expose.console.charts import Spark, sparkline
from stream.expose.console.incident_page import Row, open_rows
from stream.expose.console.read import Found, Place, Standing
from stream.state.progress import PartitionProgress, greatest_clock

#: States of a model from the one that needs a person most; the gravest of its windows is the model's.
GRAVITY = ("drift", "no_traffic", "no_reference", "stale", "warming", "not_enough_data", "ok")
#: Open incidents that the first page lists; the others are on their own page.
MOST_OPEN = 12


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model in the table; None where no window of it was judged yet."""

    name: str
    monitor: ModelMonitor
    state: str | None
    newest: Report | None
    windows: Sequence[tuple[str, Report | None]]
    drifting: int
    spark: Spark | None
    incidents: int


@dataclass(frozen=True, slots=True)
class StreamRow:
    """An incoming stream: who reads it, how far it is counted, what was refused."""

    name: str
    partitions: int
    owners: int
    records: int
    first_clock_ms: int | None
    last_clock_ms: int | None
    refused: int
    lost: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The page; ``severities`` counts open incidents, ``states`` the models."""

    standing: Standing
    severities: Mapping[str, int]
    incidents: Sequence[Row]
    more_incidents: int
    models: Sequence[ModelRow]
    states: Mapping[str, int]
    streams: Sequence[StreamRow]
    workers: int
    clock_ms: int | None
    judged_ms: int | None


def overview(standing: Standing, found: Found, histories: Mapping[Place, Sequence[Report]]) -> Overview:
    """Everything the first page shows."""
    rows = open_rows(found.incidents)
    models = model_rows(standing.generation, found, histories)
    judged = [row.newest.end for row in models if row.newest]
    return Overview(
        standing,
        {severity: sum(row.view.severity == severity for row in rows) for severity in SEVERITIES},
        rows[:MOST_OPEN],
        max(0, len(rows) - MOST_OPEN),
        models,
        Counter(row.state or "not judged" for row in models),
        stream_rows(standing.partitions),
        len({one.owner for one in standing.partitions if one.owner}),
        greatest_clock(standing.partitions),
        min(judged, default=None),
    )


def model_rows(
    generation: Generation | None, found: Found, histories: Mapping[Place, Sequence[Report]]
) -> list[ModelRow]:
    """All models in force: those that need a person first, then by name."""
    if generation is None:
        return []
    open_of = Counter(name for view in found.incidents if view.state != "ended" for name in view.models)
    rows = [
        _model_row(name, force.monitor, found.reports, history=histories, incidents=open_of[name])
        for name, force in generation.models.items()
    ]
    return sorted(rows, key=lambda row: (_gravity(row.state), row.name))


def _model_row(
    name: str,
    monitor: ModelMonitor,
    reports: Mapping[Place, Report],
    *,
    history: Mapping[Place, Sequence[Report]],
    incidents: int,
) -> ModelRow:
    windows = [(window, reports.get((name, window))) for window, _ in windows_of(monitor)]
    judged = [report for _, report in windows if report is not None]
    worst = min(judged, key=lambda report: _gravity(report.state), default=None)
    primary = next((window for window, report in windows if report is not None), None)
    scores = [report.drift_score for report in history.get((name, primary or ""), ())]
    return ModelRow(
        name,
        monitor,
        worst.state if worst else None,
        reports.get((name, primary)) if primary else None,
        windows,
        max((drifting(report) for report in judged), default=0),
        sparkline(scores),
        incidents,
    )


def windows_of(monitor: ModelMonitor, stream: str = "predictions") -> list[tuple[str, int]]:
    """A stream's windows as (what their reports are kept under, length in ms), the shortest first."""
    specs = window_specs(monitor, stream)
    return sorted(((spec.label, spec.length_ms) for spec in specs), key=lambda window: (window[1], window[0]))


def drifting(report: Report) -> int:
    """How many features are in drift."""
    return sum(column.state == "drift" for column in report.features.values())


def stream_rows(partitions: Sequence[PartitionProgress]) -> list[StreamRow]:
    """Incoming streams that anybody reads."""
    by_stream = {name: [one for one in partitions if one.stream == name] for name in TOPICS_IN}
    return [_stream_row(name, parts) for name, parts in by_stream.items() if parts]


def _stream_row(name: str, parts: Sequence[PartitionProgress]) -> StreamRow:
    clocks = [one.clock_ms for one in parts if one.clock_ms is not None]
    return StreamRow(
        name,
        len(parts),
        len({one.owner for one in parts if one.owner}),
        sum(one.next_offset or 0 for one in parts),
        min(clocks, default=None),
        max(clocks, default=None),
        sum(sum(one.rejected.values()) for one in parts),
        sum(one.lost for one in parts),
    )


def _gravity(state: str | None) -> int:
    return GRAVITY.index(state) if state in GRAVITY else len(GRAVITY) - 2
