"""From a monitors file to a generation in force, and what a person should hear about it on the way.

A file that cannot be used raises before anything is written, so the old generation stays in force.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from redis.asyncio import Redis

from alerting.unreachable import domains_of, unreachable
from schemas.config import Generation
from schemas.errors import ConfigError, Problem
from schemas.monitored import FeatureMonitor, ModelMonitor, Monitors, SecretPlace
from schemas.monitors_problems import did_you_mean
from schemas.names import Names
from schemas.reference import BadReference, CategoricalProfile, Profile, Reference
from schemas.yaml_lines import read_yaml
from stream.state.config_topic import REFERENCE_BYTES
from stream.state.generations import publish
from stream.state.progress import greatest_clock, read_progress
from stream.state.uncalibrated import uncalibrated
from stream.state.uncharted import uncharted

#: Statistics whose fixed threshold some rule decides by (``stream.evaluate.columns.rules`` has the rules; a test compares the two).
DECIDING = ("psi", "ks", "ks_p", "chi2_p")
#: Rows of a reference from which on PSI of a window that is alike is below the rule of thumb.
LEAST_ROWS = 100


def load_references(monitors: Monitors) -> dict[str, Reference]:
    """The reference file of every model, by model; a file that many share is read once.

    :raises ConfigError: naming each file that is no usable reference.
    """
    files = {file: _read(file) for file in {monitor.reference for monitor in monitors.models.values()}}
    found = {model: files[monitor.reference] for model, monitor in monitors.models.items()}
    problems = [
        Problem(str(monitors.models[model].reference), 0, f"models.{model}.reference", wrong)
        for model, (_, wrong) in found.items()
        if wrong
    ]
    if problems:
        raise ConfigError(problems)
    return {model: reference for model, (reference, _) in found.items() if reference is not None}


def _read(file: Path) -> tuple[Reference | None, str]:
    """The reference of a file, and why it cannot be used."""
    try:
        reference = Reference.from_json(file.read_bytes())
    except (BadReference, OSError) as error:
        return None, str(error)
    return reference, _too_large(reference)


def _too_large(reference: Reference) -> str:
    """A record of Kafka's topic ``config`` has to hold it."""
    text = reference.to_json()
    if len(text) <= REFERENCE_BYTES or (size := len(zlib.compress(text))) <= REFERENCE_BYTES:
        return ""
    return f"has {size} bytes compressed, allowed: {REFERENCE_BYTES}; build it of fewer features, or split the model"


def check_routes(monitors: Monitors) -> None:
    """Every matcher can be read, and every route can be reached by some finding.

    :raises ConfigError: naming each that is not so, with its line.
    """
    found = list(unreachable(monitors.route, domains_of(monitors)))
    if found:
        document, _ = read_yaml(monitors.file)
        raise ConfigError(document.at("route", *one.place).problem(one.why) for one in found)


async def apply_monitors(
    redis: Redis, names: Names, monitors: Monitors, *, references: Mapping[str, Reference], now_ms: int, after: int = 0
) -> Generation:
    """Publish the monitors; models that change switch after what the partitions have counted by now.

    :param after: the greatest number of a generation that Kafka's topic ``config`` knows.
    """
    clock_ms = greatest_clock(await read_progress(redis, names))
    return await publish(redis, names, monitors, references=references, now_ms=now_ms, clock_ms=clock_ms, after=after)


def warnings_of(monitors: Monitors, references: Mapping[str, Reference]) -> list[str]:
    """What is allowed and probably not meant, a line each.

    A reference of another model or of hardly any rows, features it does not know or holds no value of, thresholds that decide
    nothing yet, a reference that cannot calibrate what a budget is to decide, charts that cannot be drawn, and secrets of
    receivers that are not on this machine (workers read them where they run).
    """
    of_models = [
        f"{model}: {said}"
        for model, monitor in monitors.models.items()
        for said in (
            *_doubts(model, monitor.features, references[model]),
            *_deaf(monitor),
            *uncalibrated(monitor, references[model]),
            *uncharted(monitor, references[model]),
        )
    ]
    return [*of_models, *_secrets(monitors)]


def _deaf(monitor: ModelMonitor) -> Iterator[str]:
    """Fixed thresholds of statistics that no rule decides by."""
    places = {"": monitor.fixed, **{name: feature.fixed for name, feature in monitor.features.items()}}
    by_names: dict[tuple[str, ...], list[str]] = {}
    for place, fixed in places.items():
        names = tuple(name for name in fixed if name not in DECIDING)
        if names:
            by_names.setdefault(names, []).append(place)
    for names, found in by_names.items():
        features = ", ".join(filter(None, found))
        yield f"fixed: {', '.join(names)} decides nothing yet{f' ({features})' if features else ''}"


def _secrets(monitors: Monitors) -> Iterator[str]:
    for name, receiver in monitors.receivers.items():
        places = {
            "pagerduty.routing_key": receiver.pagerduty.routing_key if receiver.pagerduty else None,
            "slack.token": receiver.slack.token if receiver.slack else None,
            "alertmanager.token": receiver.alertmanager.token if receiver.alertmanager else None,
        }
        for key, place in places.items():
            missing = _missing(place) if place else ""
            if missing:
                yield f"receivers.{name}.{key}: {missing} on this machine; workers need it where they run"


def _missing(place: SecretPlace) -> str:
    """What is not there; never what is."""
    if place.file is not None:
        return "" if Path(place.file).is_file() else f"there is no file {place.file}"
    return "" if os.environ.get(place.env or "") else f"the variable {place.env} is not set"


def _doubts(model: str, features: Mapping[str, FeatureMonitor], reference: Reference) -> Iterator[str]:
    if reference.model != model:
        yield f"its reference was built for the model {reference.model!r}"
    if reference.rows < LEAST_ROWS:
        rows = f"{reference.rows} row{'' if reference.rows == 1 else 's'}"
        yield f"its reference holds {rows}: with fewer than {LEAST_ROWS} any window looks drifted; build it of more"
    absent = sorted(name for name in features if name not in reference.features)
    if absent:
        spare = sorted(reference.features.keys() - features.keys())
        named = (f"{name}{did_you_mean(name, spare)}" for name in absent)
        yield f"not in the reference, so counted without bins or categories: {', '.join(named)}"
    empty = sorted(name for name in features if name in reference.features and _is_empty(reference.features[name]))
    if empty:
        yield f"no value in the reference, so `no_reference` where there is one: {', '.join(empty)}"
    for name, feature in sorted(features.items()):
        profile = reference.features.get(name)
        if profile is not None and not _agrees(feature, profile):
            other = "categorical" if isinstance(profile, CategoricalProfile) else "numeric"
            yield f"{name} is {feature.type} here and {other} in the reference, whose profile cannot be used"


def _is_empty(profile: Profile) -> bool:
    return not sum(profile.counts) + (profile.other if isinstance(profile, CategoricalProfile) else 0)


def _agrees(feature: FeatureMonitor, profile: Profile) -> bool:
    if feature.type == "embedding":
        return True
    return isinstance(profile, CategoricalProfile) == (feature.type == "categorical")
