"""The page of service levels: every promise of every model, how fast its budget is spent, and what is left of it.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest

from schemas.config import InForce
from schemas.monitored import ServingMonitor
from schemas.service_levels import Level, Service, Slo
from stream.evaluate.verdicts.burn import PAIRS, WINDOWS_MS, Pair, promises_of
from stream.ingest.versions import PREFIX

#: Versions of a model that are listed, the newest.
MOST_VERSIONS = 5


@dataclass(frozen=True, slots=True)
class Rate:
    """A window's burn rate; ``limit`` is the least factor of a pair that it is the long window of, ``over``: it exceeds that."""

    window: str
    value: float | None
    limit: float | None
    over: bool


@dataclass(frozen=True, slots=True)
class LevelRow:
    """One promise; ``level`` is None where no pane was closed yet."""

    model: str
    slo: Slo
    promise: ServingMonitor
    level: Level | None
    rates: Sequence[Rate]
    fires: bool


@dataclass(frozen=True, slots=True)
class ModelLine:
    """What else is known of a model's service; ``versions`` by when they were last seen, the newest first."""

    model: str
    at_ms: int | None
    suspect: str | None
    perplexity: float | None
    versions: Sequence[tuple[str, int]]
    more_versions: int


@dataclass(frozen=True, slots=True)
class LevelsPage:
    """Promises, those with the least left first; ``windows`` head the columns."""

    rows: Sequence[LevelRow]
    lines: Sequence[ModelLine]
    windows: Sequence[str]
    unpromised: Sequence[str]
    pairs: Sequence[Pair] = PAIRS


def levels_page(
    models: Mapping[str, InForce],
    services: Mapping[str, Mapping[str, Service]],
    totals: Mapping[str, Mapping[str, int]],
) -> LevelsPage:
    """The page; ``services`` by model and stream, ``totals`` by model."""
    rows = [row for model, force in models.items() for row in _rows(model, force, services.get(model, {}))]
    lines = [
        _line(model, force, services.get(model, {}), totals=totals.get(model, {})) for model, force in models.items()
    ]
    unpromised = [model for model, force in models.items() if not promises_of(force.monitor.serving)]
    return LevelsPage(sorted(rows, key=_most_spent_first), lines, tuple(WINDOWS_MS), unpromised)


def _rows(model: str, force: InForce, services: Mapping[str, Service]) -> list[LevelRow]:
    serving = force.monitor.serving
    service = services.get(serving.stream)
    levels = {slo: service.levels.get(slo) if service else None for slo in promises_of(serving)}
    return [
        LevelRow(model, slo, serving, level, _rates(level), level is not None and bool(level.firing))
        for slo, level in levels.items()
    ]


def _rates(level: Level | None) -> list[Rate]:
    burn = level.burn if level is not None else {}
    return [_rate(window, burn.get(window)) for window in WINDOWS_MS]


def _rate(window: str, value: float | None) -> Rate:
    limit = min((pair.factor for pair in PAIRS if window in (pair.long, pair.short)), default=None)
    return Rate(window, value, limit, value is not None and limit is not None and value > limit)


def _line(model: str, force: InForce, services: Mapping[str, Service], *, totals: Mapping[str, int]) -> ModelLine:
    service, said = services.get(force.monitor.serving.stream), services.get("serving")
    seen = {name.removeprefix(PREFIX): at for name, at in totals.items() if name.startswith(PREFIX)}
    newest = nsmallest(MOST_VERSIONS, seen.items(), key=lambda version: (-version[1], version[0]))
    perplexity = said.perplexity.mean if said is not None and said.perplexity is not None else None
    at_ms, suspect = (service.at, service.suspect) if service is not None else (None, None)
    return ModelLine(model, at_ms, suspect, perplexity, newest, len(seen) - len(newest))


def _most_spent_first(row: LevelRow) -> tuple[float, str, str]:
    left = row.level.left if row.level is not None else None
    return 1.0 if left is None else left, row.model, row.slo
