"""The result of a bench: a table for a person, a JSON file for what compares runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from tests.bench.sampling import Figures

BASE = "stock_faust_counting"
WHOLE_PATH = ("driftline_1", "driftline_20", "driftline_200")

Results = Mapping[str, Figures]


def ratio(results: Results, name: str) -> float:
    """How many times as many events per CPU-second as a stock Faust agent that only counts."""
    return results[name].per_cpu_s / results[BASE].per_cpu_s


def lowest(results: Results) -> str:
    """The slowest of the whole paths."""
    return min(WHOLE_PATH, key=lambda name: results[name].per_cpu_s)


def as_table(results: Results) -> Table:
    """A row a contender, in the order in which they ran."""
    found = Table(title="events per CPU-second of the worker process")
    found.add_column("contender")
    for heading in ("events", "per CPU-second", "per second", "µs of CPU an event", "× stock Faust"):
        found.add_column(heading, justify="right")
    for name, one in results.items():
        cells = (one.events, one.per_cpu_s, one.per_wall_s)
        cost = f"{1e6 / one.per_cpu_s:.2f}"
        found.add_row(name, *map(_spaced, cells), cost, f"{ratio(results, name):.1f}")
    return found


def write_json(results: Results, path: Path) -> None:
    """One object a contender, and ``driftline``: the slowest of the whole paths."""
    path.parent.mkdir(parents=True, exist_ok=True)
    found = {name: _fields(results, name) for name in results} | {"driftline": _fields(results, lowest(results))}
    path.write_text(json.dumps(found, indent=2) + "\n")


def _fields(results: Results, name: str) -> dict[str, Any]:
    one = results[name]
    rates = {"per_cpu_s": round(one.per_cpu_s), "per_wall_s": round(one.per_wall_s)}
    return {"events": one.events, **rates, "ratio": round(ratio(results, name), 2)}


def _spaced(number: float) -> str:
    return f"{number:,.0f}".replace(",", " ")
