"""From a monitors file to a generation in force, and what a person should hear about it on the way.

A file that cannot be used raises before anything is written, so the old generation stays in force.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from redis.asyncio import Redis

from schemas.config import Generation
from schemas.errors import ConfigError, Problem
from schemas.monitored import FeatureMonitor, Monitors
from schemas.names import Names
from schemas.reference import BadReference, CategoricalProfile, Profile, Reference
from stream.state.generations import publish
from stream.state.progress import greatest_clock, read_progress


def load_references(monitors: Monitors) -> dict[str, Reference]:
    """The reference file of every model, by model.

    :raises ConfigError: naming each file that is no usable reference.
    """
    found: dict[str, Reference] = {}
    problems: list[Problem] = []
    for model, monitor in monitors.models.items():
        try:
            found[model] = Reference.from_json(monitor.reference.read_bytes())
        except (BadReference, OSError) as error:
            problems.append(Problem(str(monitor.reference), 0, f"models.{model}.reference", str(error)))
    if problems:
        raise ConfigError(problems)
    return found


async def apply_monitors(
    redis: Redis, names: Names, monitors: Monitors, *, references: Mapping[str, Reference], now_ms: int
) -> Generation:
    """Publish the monitors; models that change switch after what the partitions have counted by now."""
    clock_ms = greatest_clock(await read_progress(redis, names))
    return await publish(redis, names, monitors, references=references, now_ms=now_ms, clock_ms=clock_ms)


def warnings_of(monitors: Monitors, references: Mapping[str, Reference]) -> list[str]:
    """What is allowed and probably not meant, a line each: a reference of another model, features it does not know."""
    return [
        f"{model}: {said}"
        for model, monitor in monitors.models.items()
        for said in _doubts(model, monitor.features, references[model])
    ]


def _doubts(model: str, features: Mapping[str, FeatureMonitor], reference: Reference) -> Iterator[str]:
    if reference.model != model:
        yield f"its reference was built for the model {reference.model!r}"
    absent = sorted(name for name in features if name not in reference.features)
    if absent:
        yield f"not in the reference, so counted without bins or categories: {', '.join(absent)}"
    for name, feature in sorted(features.items()):
        profile = reference.features.get(name)
        if profile is not None and not _agrees(feature, profile):
            other = "categorical" if isinstance(profile, CategoricalProfile) else "numeric"
            yield f"{name} is {feature.type} here and {other} in the reference, whose profile cannot be used"


def _agrees(feature: FeatureMonitor, profile: Profile) -> bool:
    if feature.type == "embedding":
        return True
    return isinstance(profile, CategoricalProfile) == (feature.type == "categorical")
