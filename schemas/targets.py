"""The targets file as the scraper sees it: :func:`load_targets`, with every mistake by file and line.

A map of the file with the name of a built-in kind changes what it names and leaves the rest; any other is for targets of kind
``custom``, which name it by ``map``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from schemas.errors import ConfigError, Problem
from schemas.monitored import SecretPlace
from schemas.monitors_problems import did_you_mean, problems_of
from schemas.targets_file import NameMap, TargetsFile, WrittenTarget
from schemas.yaml_lines import Document, read_yaml

TIMEOUT_MS = 5_000


@dataclass(frozen=True, slots=True)
class Target:
    """An exporter to read; ``name`` is its label on metrics.

    ``models`` gives the exporter's names of models ours, and where it holds any, others are left out.  ``model`` says that all
    requests there are this model's, whatever the series name.
    """

    name: str
    url: str
    kind: str
    names: NameMap
    every_ms: int = 15_000
    timeout_ms: int = TIMEOUT_MS
    models: Mapping[str, str] | None = None
    model: str | None = None
    version: str | None = None
    bearer_token: SecretPlace | None = None


def load_targets(path: str | Path) -> tuple[Target, ...]:
    """Read and check a targets file.

    :raises ConfigError: every problem that was found, each with file, line, key and what is allowed.
    """
    document, _ = read_yaml(Path(path))
    file = _shaped(document)
    problems = list(_problems(file, document))
    if problems:
        raise ConfigError(sorted(problems, key=lambda problem: problem.line))
    maps = {name: NameMap.model_validate(found) for name, found in _maps(file).items()}
    return tuple(_target(written, maps) for written in file.targets)


@cache
def built_in() -> Mapping[str, Any]:
    """The maps of the four kinds, as they are written in ``name_maps.yaml``."""
    found: Mapping[str, Any] = yaml.safe_load((files("schemas") / "name_maps.yaml").read_text())
    return found


def _shaped(document: Document) -> TargetsFile:
    try:
        return TargetsFile.model_validate(document.data)
    except ValidationError as error:
        raise ConfigError(problems_of(error, document, TargetsFile)) from None


def _problems(file: TargetsFile, document: Document) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    read: dict[tuple[str, str, str | None], int] = {}
    for index, written in enumerate(file.targets):
        spot = document.at("targets", index)
        name = written.name or written.url
        if name in seen:
            yield spot.problem(f"is called like targets.{seen[name]}: give one of them another `name`")
        seen.setdefault(name, index)
        page = written.url, written.kind, written.map
        if page in read:
            yield spot.inside("url").problem(f"is read by targets.{read[page]} already: its requests would count twice")
        read.setdefault(page, index)
        if (written.kind == "custom") != (written.map is not None):
            yield spot.inside("kind").problem(
                "custom needs `map`, the name of one under maps, and nothing else takes it"
            )
        elif written.map is not None and written.map not in file.maps:
            hint = did_you_mean(written.map, file.maps) or "."
            yield spot.inside("map").problem(
                f"{written.map!r} is not under maps{hint} There: {', '.join(file.maps) or 'none'}"
            )
        if written.timeout is not None and written.timeout > written.every:
            yield spot.inside("timeout").problem("must be at most `every`")
        if written.model is not None and written.models:
            yield spot.inside("model").problem(
                "says that there is one model, and models name several: leave out one of them"
            )
    yield from _problems_of_maps(file, document)


def _problems_of_maps(file: TargetsFile, document: Document) -> Iterator[Problem]:
    for name, found in _maps(file).items():
        serving = found.get("serving") or {}
        if name in file.maps and not any(found.values()):
            yield document.at("maps", name).problem("names neither serving nor gpus")
        if serving and (serving.get("requests") is None) == (serving.get("successes") is None):
            yield document.at("maps", name, "serving").problem("must name one of requests and successes")


def _maps(file: TargetsFile) -> dict[str, dict[str, Any]]:
    """Built-in maps with the file's changes, and the file's own."""
    given = {name: found.model_dump(exclude_unset=True) for name, found in file.maps.items()}
    return {name: _changed(built_in().get(name, {}), given.get(name, {})) for name in {**built_in(), **given}}


def _changed(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """A map with parts replaced; a signal is replaced as a whole."""
    parts = {part: {**(base.get(part) or {}), **(change.get(part) or {})} for part in (*base, *change)}
    for part, found in parts.items():
        if "metrics" in found:
            found["metrics"] = {**(base.get(part) or {}).get("metrics", {}), **found["metrics"]}
    return parts


def _target(written: WrittenTarget, maps: Mapping[str, NameMap]) -> Target:
    token = written.bearer_token
    return Target(
        name=written.name or written.url,
        url=written.url,
        kind=written.kind,
        names=maps[written.map or written.kind],
        every_ms=written.every,
        timeout_ms=written.timeout or min(TIMEOUT_MS, written.every),
        models=written.models or None,
        model=written.model,
        version=written.version,
        bearer_token=None if token is None else SecretPlace(file=token.file, env=token.env),
    )
