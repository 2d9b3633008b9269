"""``driftline features``: how each feature is, why, and whom to ask."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from redis.asyncio import Redis

from schemas.errors import ConfigError, Problem
from schemas.names import Names
from schemas.settings import load_settings
from stream.command.connect import ask_redis
from stream.command.options import AsJson
from stream.command.printing import moment, print_json, print_lines, print_table
from stream.expose.console.features import places_of, read_features
from stream.expose.console.read import Found, read_reports
from stream.expose.feature_health import FeatureHealth, unhealthy_of
from stream.state.generations import read

COLUMNS = ("feature", "state", "type", "source", "owner", "importance#", "version", "changed", "why")


def features(
    *,
    model: Annotated[str | None, typer.Option("--model", help="Of this model only.")] = None,
    unhealthy: Annotated[bool, typer.Option("--unhealthy", help="Only those that need somebody.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show every feature: its state in the newest reports and why, its owner, source and newest change.

    `not_registered` is a feature that events hold and the monitors file does not declare.
    Exit code 1 where one is listed that needs somebody.
    """

    async def work(redis: Redis, names: Names) -> tuple[list[FeatureHealth], list[str]]:
        return await _read(redis, names, model)

    found, unreadable = ask_redis(load_settings(), work)
    listed = unhealthy_of(found) if unhealthy else found
    if as_json:
        print_json({"features": [one.to_json() for one in listed], "unreadable": unreadable})
    else:
        show(listed, unreadable)
    if unhealthy_of(listed):
        raise typer.Exit(1)


def show(listed: list[FeatureHealth], unreadable: list[str]) -> None:
    """A table a model."""
    for model in dict.fromkeys(one.model for one in listed):
        print_lines([model])
        print_table(columns=COLUMNS, rows=[_row(one) for one in listed if one.model == model])
    if not listed:
        print_lines(["no feature needs anybody"])
    print_lines(f"cannot be read: {one}" for one in unreadable)


def _row(one: FeatureHealth) -> tuple[Any, ...]:
    monitor = one.monitor
    if monitor is None:
        return one.feature, one.state, None, None, one.owner, None, None, None, f"last seen {moment(one.last_seen)}"
    change = monitor.changes[0] if monitor.changes else None
    changed = None if change is None else f"{change.at} {change.what}"
    return (
        one.feature, one.state, monitor.type, monitor.source, one.owner, monitor.importance, monitor.version, changed,
        one.reasons or None,
    )  # fmt: skip


async def _read(redis: Redis, names: Names, model: str | None) -> tuple[list[FeatureHealth], list[str]]:
    generation = await read(redis, names)
    models = generation.models if generation is not None else {}
    if model is not None and model not in models:
        known = ", ".join(sorted(models)) or "none"
        raise ConfigError([Problem("", 0, "model", f"{model!r} is not in force; in force: {known}")])
    wanted = {name: force for name, force in sorted(models.items()) if model in (None, name)}
    listed: list[FeatureHealth] = []
    found = Found()
    await read_reports(redis, names, (place for each in wanted.items() for place in places_of(*each)), found=found)
    for name, force in wanted.items():
        listed += await read_features(redis, names, name, force=force, found=found)
    return listed, [f"{one}" for one in found.unreadable]
