"""The commands by name, each imported when it is asked for: ``driftline incident ack`` does not wait for what ``compare`` needs.

Only the list of all of them (``driftline --help``) imports them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

ROOM = "stream.command"
#: In the order of the help: where the function of each command is, or the group of commands.
PLACES: Mapping[str, tuple[str, str]] = {
    "demo": ("demo", "demo"),
    "worker": ("worker", "worker"),
    "evaluate": ("evaluate", "evaluate"),
    "console": ("console", "console"),
    "scrape": ("scrape", "scrape"),
    "gpu-agent": ("gpu_agent", "gpu_agent"),
    "webhook": ("webhook", "webhook"),
    "apply": ("apply", "apply"),
    "check-config": ("apply", "check_config"),
    "compare": ("compare", "compare"),
    "counts": ("counts", "counts"),
    "produce": ("produce", "produce"),
    "replay": ("replay", "replay"),
    "backtest": ("backtest", "backtest"),
    "features": ("features", "features"),
    "gpus": ("gpus", "gpus"),
    "status": ("status", "status"),
    "lag": ("lag", "lag"),
    "doctor": ("doctor", "doctor"),
    "tail": ("tail", "tail"),
    "reference": ("reference", "app"),
    "dlq": ("dlq", "app"),
    "outbox": ("outbox", "app"),
    "incident": ("incident", "app"),
    "silence": ("silence", "app"),
    "route": ("route", "app"),
    "release": ("release", "app"),
    "arl": ("run_lengths", "arl_app"),
    "design": ("run_lengths", "design_app"),
}


class Commands(Mapping[str, Any]):
    """Name to command as the parser knows it; asking for one imports it."""

    def __getitem__(self, name: str) -> Any:
        return _command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(PLACES)

    def __len__(self) -> int:
        return len(PLACES)


class CommandsByName(TyperGroup):
    """The group of all commands, none of them imported yet."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**{**attributes, "commands": Commands()})


@cache
def _command(name: str) -> Any:
    module, attribute = PLACES[name]
    found = getattr(import_module(f"{ROOM}.{module}"), attribute)
    around = typer.Typer(rich_markup_mode="markdown")  # so that lines of a docstring flow
    if isinstance(found, typer.Typer):
        around.add_typer(found, name=name)
    else:
        around.command(name)(found)
    return typer.main.get_group(around).commands[name]
