"""What a monitors file must hold together: names that are declared, files that are there, panes that divide.

Its shape is already right (:mod:`schemas.monitors_file`).  Each check yields the problems that it finds; none
stops at the first, so a file is corrected in one go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from zoneinfo import ZoneInfo

from schemas.alertmanager import ALERTMANAGER
from schemas.durations import duration_text
from schemas.errors import Problem
from schemas.gpus import FLEET, JUDGED_EVERY_MS
from schemas.monitors_file import Feature, Model, MonitorsFile, Prediction, Route
from schemas.monitors_problems import did_you_mean
from schemas.release_file import check_release
from schemas.yaml_lines import Spot


def check_file(file: MonitorsFile, root: Spot) -> Iterator[Problem]:
    """Everything but the lengths of panes and windows, which are checked once defaults are merged."""
    yield from _sources(file, root.inside("sources"))
    for taken, what in ((FLEET, "GPUs"), (ALERTMANAGER, "alerts of an Alertmanager")):
        if taken in file.models:
            yield root.inside("models", taken).problem(
                f"is how findings about {what} are filed; give the model another name"
            )
    if file.gpus.silent_after < JUDGED_EVERY_MS:
        yield root.inside("gpus", "silent_after").problem("must be at least 1m: GPUs are judged by the minute")
    for name, model in file.models.items():
        yield from _model(model, file, root.inside("models", name))
    if file.route:
        yield from _root_receiver(file.route, root.inside("route"))
        yield from _route(file.route, file, root.inside("route"))
    for name, times in file.times.items():
        yield from _known_zone(times.timezone, root.inside("times", name, "timezone"))


def check_length(length: int, pane: int, *, model: str, spot: Spot) -> Iterator[Problem]:
    """A window or a step must be a whole number of panes; lengths are milliseconds."""
    if length % pane:
        said = f"{duration_text(length)} is not a whole number of panes of {duration_text(pane)}"
        yield spot.problem(f"{said} (models.{model})")


def find_cycle(upstream: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """The names of one cycle in the order in which they point at each other, or nothing.

    >>> find_cycle({"a": ["b"], "b": ["c"], "c": ["b"]})
    ('b', 'c')
    """
    try:
        TopologicalSorter(upstream).prepare()
    except CycleError as error:
        # graphlib lists each before the one that needs it, and the first again at the end.
        return tuple(reversed(error.args[1][1:]))
    return ()


def reference_path(reference: str, monitors_file: str) -> Path:
    """A reference's file; a relative one is beside the monitors file."""
    return (Path(monitors_file).parent / reference).resolve()


def _declared(name: str, declared: Iterable[str], spot: Spot) -> Iterator[Problem]:
    known = list(declared)
    if name not in known:
        hint = did_you_mean(name, known) or "."
        yield spot.problem(f"{name!r} is not declared{hint} Declared: {', '.join(known) or 'none'}")


def _sources(file: MonitorsFile, spot: Spot) -> Iterator[Problem]:
    for name, source in file.sources.items():
        for index, upstream in enumerate(source.upstream):
            yield from _declared(upstream, file.sources, spot.inside(name, "from", index))
    cycle = find_cycle({name: source.upstream for name, source in file.sources.items()})
    if cycle:
        way = " -> ".join((*cycle, cycle[0]))
        yield spot.inside(cycle[0], "from").problem(f"sources must not form a cycle: {way}")


def _model(model: Model, file: MonitorsFile, spot: Spot) -> Iterator[Problem]:
    yield from _reference(model.reference, spot.inside("reference"))
    for version, reference in model.references.items():
        yield from _reference(reference, spot.inside("references", version))
    for name, feature in model.features.items():
        yield from _feature(feature, file, spot.inside("features", name))
    yield from _all_differ(model.segments, spot.inside("segments"))
    if model.prediction:
        yield from _prediction(model.prediction, spot.inside("prediction"))
    if model.release:
        yield from check_release(model.release, spot.inside("release"))
    yield from _known_zone(model.timezone, spot.inside("timezone"))
    if model.shadow_of is not None:
        yield from _declared(model.shadow_of, file.models, spot.inside("shadow_of"))


def _reference(reference: str, spot: Spot) -> Iterator[Problem]:
    file = reference_path(reference, spot.document.file)
    if not file.is_file():
        yield spot.problem(f"there is no file {file}; `driftline reference build` writes one")


def _feature(feature: Feature, file: MonitorsFile, spot: Spot) -> Iterator[Problem]:
    if feature.source is not None:
        yield from _declared(feature.source, file.sources, spot.inside("source"))
    if feature.range and feature.range[0] >= feature.range[1]:
        yield spot.inside("range").problem("must be [lowest, highest], the lowest first")
    if feature.range and feature.type == "categorical":
        yield spot.inside("range").problem("only a numeric feature or an embedding has a range")
    if feature.charts is not None and feature.type != "numeric":
        yield spot.inside("charts").problem("only a numeric feature has charts")
    if feature.hash and feature.type != "categorical":
        yield spot.inside("hash").problem("only a categorical feature can be counted by hash")


def _all_differ(names: list[str], spot: Spot) -> Iterator[Problem]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield spot.inside(index).problem(f"{name!r} stands twice")


def _prediction(prediction: Prediction, spot: Spot) -> Iterator[Problem]:
    yield from _all_differ(prediction.classes, spot.inside("classes"))
    yield from _number_of_classes(prediction, spot.inside("classes"))
    if prediction.positive is not None:
        yield from _declared(prediction.positive, prediction.classes, spot.inside("positive"))
    elif prediction.kind == "binary" and prediction.classes:
        yield spot.inside("positive").problem(f"is missing; one of {', '.join(prediction.classes)}")
    if prediction.threshold is not None and prediction.kind != "binary":
        yield spot.inside("threshold").problem("only a binary model has a threshold")


def _number_of_classes(prediction: Prediction, spot: Spot) -> Iterator[Problem]:
    count = len(prediction.classes)
    if prediction.kind == "binary" and count not in (0, 2):
        yield spot.problem(f"a binary model has 2 classes, not {count}")
    if prediction.kind == "multiclass" and count < 2:
        yield spot.problem("a multiclass model needs its classes, at least 2")


def _known_zone(name: str, spot: Spot) -> Iterator[Problem]:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        yield spot.problem(f"{name!r} is no time zone; one is Europe/Berlin, or UTC")


def _root_receiver(route: Route, spot: Spot) -> Iterator[Problem]:
    if route.receiver is None:
        yield spot.inside("receiver").problem("is missing: the root says who is told by default")


def _route(route: Route, file: MonitorsFile, spot: Spot) -> Iterator[Problem]:
    if route.receiver is not None:
        yield from _declared(route.receiver, file.receivers, spot.inside("receiver"))
    for key, name in (("active", route.active), ("mute", route.mute)):
        if name is not None:
            yield from _declared(name, file.times, spot.inside(key))
    for index, child in enumerate(route.routes):
        yield from _route(child, file, spot.inside("routes", index))
