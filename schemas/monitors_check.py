"""What a monitors file must hold together: names that are declared, files that are there, panes that divide.

Its shape is already right (:mod:`schemas.monitors_file`).  Each check returns the problems that it finds;
none stops at the first, so a file is corrected in one go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from zoneinfo import ZoneInfo

from schemas.durations import duration_text
from schemas.errors import Problem
from schemas.monitors_file import Feature, Model, MonitorsFile, Prediction, Route
from schemas.monitors_problems import did_you_mean
from schemas.yaml_lines import Document, Place


def check_file(file: MonitorsFile, document: Document) -> Iterator[Problem]:
    """Everything but the lengths of panes and windows, which are checked once defaults are merged."""
    yield from _sources(file, document)
    for name, model in file.models.items():
        place: Place = ("models", name)
        yield from _references(model, document, place)
        yield from _features(model, file, document, place)
        yield from _segments(model, document, place)
        if model.prediction:
            yield from _prediction(model.prediction, document, (*place, "prediction"))
        yield from _known_zone(model.timezone, document, (*place, "timezone"))
        if model.shadow_of is not None:
            yield from _declared(model.shadow_of, file.models, document, (*place, "shadow_of"))
    if file.route:
        yield from _route(file.route, file, document, ("route",))
    for name, times in file.times.items():
        yield from _known_zone(times.timezone, document, ("times", name, "timezone"))


def check_lengths(
    pane: int, lengths: Mapping[Place, int], document: Document, model: Place
) -> Iterator[Problem]:
    """Windows and step must be whole numbers of panes; ``lengths`` are by where each was written."""
    for place, length in lengths.items():
        if length % pane:
            said = f"{duration_text(length)} is not a whole number of panes of {duration_text(pane)}"
            yield document.problem(place, f"{said} ({'.'.join(map(str, model))})")


def _declared(name: str, declared: Iterable[str], document: Document, place: Place) -> Iterator[Problem]:
    known = list(declared)
    if name not in known:
        hint = did_you_mean(name, known) or "."
        yield document.problem(
            place, f"{name!r} is not declared{hint} Declared: {', '.join(known) or 'none'}"
        )


def _sources(file: MonitorsFile, document: Document) -> Iterator[Problem]:
    for name, source in file.sources.items():
        for index, upstream in enumerate(source.upstream):
            yield from _declared(upstream, file.sources, document, ("sources", name, "from", index))
    cycle = find_cycle({name: source.upstream for name, source in file.sources.items()})
    if cycle:
        way = " -> ".join((*cycle, cycle[0]))
        yield document.problem(("sources", cycle[0], "from"), f"sources must not form a cycle: {way}")


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


def _references(model: Model, document: Document, place: Place) -> Iterator[Problem]:
    yield from _present(model.reference, document, (*place, "reference"))
    for version, file in model.references.items():
        yield from _present(file, document, (*place, "references", version))


def _present(reference: str, document: Document, place: Place) -> Iterator[Problem]:
    file = reference_path(reference, document.file)
    if not file.is_file():
        yield document.problem(place, f"there is no file {file}; `driftline reference build` writes one")


def reference_path(reference: str, monitors_file: str) -> Path:
    """A reference's file; a relative one is beside the monitors file."""
    return (Path(monitors_file).parent / reference).resolve()


def _features(model: Model, file: MonitorsFile, document: Document, place: Place) -> Iterator[Problem]:
    for name, feature in model.features.items():
        inner = (*place, "features", name)
        if feature.source is not None:
            yield from _declared(feature.source, file.sources, document, (*inner, "source"))
        yield from _feature(feature, document, inner)


def _feature(feature: Feature, document: Document, place: Place) -> Iterator[Problem]:
    if feature.range and feature.range[0] >= feature.range[1]:
        yield document.problem((*place, "range"), "must be [lowest, highest], the lowest first")
    if feature.range and feature.type == "categorical":
        yield document.problem((*place, "range"), "only a numeric feature or an embedding has a range")
    if feature.hash and feature.type != "categorical":
        yield document.problem((*place, "hash"), "only a categorical feature can be counted by hash")


def _segments(model: Model, document: Document, place: Place) -> Iterator[Problem]:
    for index, name in enumerate(model.segments):
        if name in model.segments[:index]:
            yield document.problem((*place, "segments", index), f"{name!r} stands twice")


def _prediction(prediction: Prediction, document: Document, place: Place) -> Iterator[Problem]:
    classes = prediction.classes
    if len(set(classes)) != len(classes):
        yield document.problem((*place, "classes"), "must all differ")
    if prediction.kind == "binary" and len(classes) not in (0, 2):
        yield document.problem((*place, "classes"), f"a binary model has 2 classes, not {len(classes)}")
    if prediction.kind == "multiclass" and len(classes) < 2:
        yield document.problem((*place, "classes"), "a multiclass model needs its classes, at least 2")
    if prediction.positive is not None:
        yield from _declared(prediction.positive, classes, document, (*place, "positive"))
    elif prediction.kind == "binary" and classes:
        yield document.problem((*place, "positive"), f"is missing; one of {', '.join(classes)}")
    if prediction.threshold is not None and prediction.kind != "binary":
        yield document.problem((*place, "threshold"), "only a binary model has a threshold")


def _known_zone(name: str, document: Document, place: Place) -> Iterator[Problem]:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        yield document.problem(place, f"{name!r} is no time zone; one is Europe/Berlin, or UTC")


def _route(route: Route, file: MonitorsFile, document: Document, place: Place) -> Iterator[Problem]:
    if len(place) == 1 and route.receiver is None:
        yield document.problem((*place, "receiver"), "is missing: the root says who is told by default")
    if route.receiver is not None:
        yield from _declared(route.receiver, file.receivers, document, (*place, "receiver"))
    for key, name in (("active", route.active), ("mute", route.mute)):
        if name is not None:
            yield from _declared(name, file.times, document, (*place, key))
    for index, child in enumerate(route.routes):
        yield from _route(child, file, document, (*place, "routes", index))
