"""The monitors file as the rest of the program sees it: :func:`load_monitors`, and the models it returns.

Loading is four steps, each of which can refuse: YAML with lines, its shape, what must hold together, and
the merge of defaults.  What is watched is described in :mod:`schemas.monitored`; how a file is written in
:mod:`schemas.monitors_file`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from schemas import monitors_file as written
from schemas.charts_file import Charts
from schemas.durations import milliseconds_of
from schemas.errors import ConfigError, Problem
from schemas.monitored import (
    AlertmanagerReceiver,
    BudgetMonitor,
    FeatureMonitor,
    GpuMonitor,
    LabelsMonitor,
    ModelMonitor,
    Monitors,
    PagerDutyReceiver,
    PredictionMonitor,
    ReceiverMonitor,
    RouteMonitor,
    SecretPlace,
    ServingMonitor,
    SlackReceiver,
    SourceMonitor,
)
from schemas.monitors_check import check_file, check_length, reference_path
from schemas.monitors_problems import problems_of
from schemas.monitors_values import SecretPlace as SecretShape
from schemas.release_file import check_every
from schemas.yaml_lines import Document, Place, Spot, read_yaml

__all__ = [
    "FeatureMonitor",
    "LabelsMonitor",
    "ModelMonitor",
    "Monitors",
    "PredictionMonitor",
    "ServingMonitor",
    "SourceMonitor",
    "load_monitors",
]

#: What holds where neither the model nor ``defaults`` says anything.
BUILT_IN = {
    "pane": milliseconds_of("1m"),
    "windows": {"hour": milliseconds_of("1h"), "day": milliseconds_of("24h")},
    "step": milliseconds_of("1h"),
    "lateness": milliseconds_of("5m"),
    "revise_within": milliseconds_of("7d"),
}


def load_monitors(path: str | Path) -> Monitors:
    """Read, check and merge a monitors file; the reference files that it names must exist.

    :raises ConfigError: every problem that was found, each with file, line, key and what is allowed.
    """
    document, content = read_yaml(Path(path))
    file = _shaped(document)
    problems = [*check_file(file, document.at()), *_uneven(file, document)]
    if problems:
        raise ConfigError(sorted(problems, key=lambda problem: problem.line))
    return Monitors(
        file=Path(path).resolve(),
        sha256=hashlib.sha256(content).hexdigest(),
        models={name: _model(name, file, document) for name in file.models},
        sources={name: _source(source) for name, source in file.sources.items()},
        route=_route(file.route or written.Route()),
        receivers={name: _receiver(receiver) for name, receiver in file.receivers.items()},
        gpus=_gpus(file.gpus),
        later=tuple(_later(document)),
    )


def _shaped(document: Document) -> written.MonitorsFile:
    try:
        return written.MonitorsFile.model_validate(document.data)
    except ValidationError as error:
        raise ConfigError(problems_of(error, document, written.MonitorsFile)) from None


def _timing(key: str, model: written.Model, defaults: written.Timing) -> Any:
    """A key of ``defaults`` as it holds for a model."""
    for said in (model, defaults):
        value = getattr(said, key)
        if value is not None:
            return value
    return BUILT_IN.get(key)


def _uneven(file: written.MonitorsFile, document: Document) -> Iterator[Problem]:
    for name, model in file.models.items():
        pane = _timing("pane", model, file.defaults)
        windows = _timing("windows", model, file.defaults)
        for window, length in windows.items():
            spot = _written(document, name, ("windows", window))
            yield from check_length(length, pane, model=name, spot=spot)
        step = _timing("step", model, file.defaults)
        yield from check_length(step, pane, model=name, spot=_written(document, name, ("step",)))
        if model.release:
            yield from check_every(model.release, pane, document.at("models", name, "release"))


def _written(document: Document, model: str, key: Place) -> Spot:
    """Where a key of a model's timing was written; what is built in counts as ``defaults``."""
    spot = document.at("models", model, *key)
    return spot if spot.place in document.lines else document.at("defaults", *key)


def _model(name: str, file: written.MonitorsFile, document: Document) -> ModelMonitor:
    model = file.models[name]
    timing = {f"{key}_ms": _timing(key, model, file.defaults) for key in _LENGTHS}
    references = {version: reference_path(item, document.file) for version, item in model.references.items()}
    return ModelMonitor(
        **timing,
        windows=_timing("windows", model, file.defaults),
        reference=reference_path(model.reference, document.file),
        references=references,
        quota=_timing("quota", model, file.defaults),
        service=model.service,
        owner=model.owner,
        shadow_of=model.shadow_of,
        timezone=model.timezone,
        segments=tuple(model.segments),
        prediction=_prediction(model.prediction),
        labels=_labels(model.labels),
        serving=_serving(model.serving),
        features={feature: _feature(item, file, skew=model.skew) for feature, item in model.features.items()},
        fixed=(model.fixed or file.defaults.fixed or written.Fixed()).given(),
        charts=(model.charts or file.defaults.charts or Charts()).watched(),
        budget=_budget(model.budget or file.defaults.budget),
        duplicates=model.duplicates,
        release=model.release.watched(timing["pane_ms"]) if model.release else None,
    )


_LENGTHS = ("pane", "step", "lateness", "revise_within", "no_traffic_after")


def _budget(said: written.Budget | None) -> BudgetMonitor | None:
    return None if said is None else BudgetMonitor(**said.model_dump(exclude_none=True))


def _prediction(said: written.Prediction | None) -> PredictionMonitor:
    if said is None:
        return PredictionMonitor()
    threshold = 0.5 if said.kind == "binary" and said.threshold is None else said.threshold
    return PredictionMonitor(kind=said.kind, classes=tuple(said.classes), positive=said.positive, threshold=threshold)


def _labels(said: written.Labels | None) -> LabelsMonitor:
    said = said or written.Labels()
    return LabelsMonitor(expect_within_ms=said.expect_within, join=said.join)


def _serving(said: written.Serving | None) -> ServingMonitor:
    if said is None:
        return ServingMonitor()
    slo = said.slo or written.Slo()
    period = {} if slo.period is None else {"period_ms": slo.period}
    promised = {"error_rate": slo.errors, "latency_p95_ms": slo.latency_p95, **period}
    return ServingMonitor(stream=said.stream, gpus=tuple(said.gpus), **promised)


def _source(said: written.Source) -> SourceMonitor:
    return SourceMonitor(upstream=tuple(said.upstream), owner=said.owner)


def _route(said: written.Route) -> RouteMonitor:
    return RouteMonitor(
        receiver=said.receiver,
        match=tuple(said.match),
        carry_on=said.carry_on,
        open_wait_ms=said.open_wait,
        update_interval_ms=said.update_interval,
        repeat_interval_ms=said.repeat_interval,
        routes=tuple(_route(child) for child in said.routes),
    )


def _receiver(said: written.Receiver) -> ReceiverMonitor:
    pager, slack, manager = said.pagerduty, said.slack, said.alertmanager
    token = _place(manager.token) if manager and manager.token else None
    return ReceiverMonitor(
        pagerduty=PagerDutyReceiver(routing_key=_place(pager.routing_key)) if pager else None,
        slack=SlackReceiver(token=_place(slack.token), channel=slack.channel) if slack else None,
        alertmanager=AlertmanagerReceiver(url=manager.url, token=token) if manager else None,
    )


def _gpus(said: written.Gpus) -> GpuMonitor:
    return GpuMonitor(memory=said.memory, temperature=said.temperature, silent_after_ms=said.silent_after)


def _place(said: SecretShape) -> SecretPlace:
    return SecretPlace(file=said.file, env=said.env)


def _feature(
    said: written.Feature, file: written.MonitorsFile, *, skew: float | Literal["off"] | None
) -> FeatureMonitor:
    fallback = file.sources[said.source] if said.source is not None else written.Source()
    fixed = said.fixed or fallback.fixed or written.Fixed()
    charts = said.charts or fallback.charts
    return FeatureMonitor(
        type=said.type,
        source=said.source,
        importance=said.importance,
        range=(said.range[0], said.range[1]) if said.range else None,
        unit=said.unit,
        description=said.description,
        computation=said.computation,
        version=said.version,
        changes=tuple(sorted(said.changes, key=lambda change: change.at, reverse=True)),
        top=said.top,
        hash=said.hash,
        reference=said.reference,
        owner=_first(said.owner, fallback.owner),
        null_threshold=_first(said.null_threshold, fallback.null_threshold),
        freshness_sla_ms=_first(said.freshness_sla, fallback.freshness_sla),
        slow_window_ms=_first(said.slow_window, fallback.slow_window),
        skew=_first(said.skew, skew),
        fixed=fixed.given(),
        charts=None if charts is None else charts.watched(),
    )


def _first(own: Any, inherited: Any) -> Any:
    """What is said itself, zero included, otherwise what is inherited."""
    return inherited if own is None else own


def _later(document: Document) -> Iterator[str]:
    """The file's keys that nothing acts on yet, by the patterns of :data:`schemas.monitors_file.LATER`."""
    for place in document.lines:
        if any(_matches(place, pattern.split(".")) for pattern in written.LATER):
            yield ".".join(map(str, place))


def _matches(place: Place, pattern: list[str]) -> bool:
    parts = [str(part) for part in place]
    return len(parts) == len(pattern) and all(map(fnmatchcase, parts, pattern))
