"""The result of a bench: a table for a person, a JSON file for what compares runs.

``build/bench.json`` holds, by contender, an object of ``events`` processed, ``per_cpu_s`` and ``per_wall_s`` (events, of
columnar records rows, for a second of the worker's CPU and of the clock), ``ratio`` (times the stock Faust agent that only
counts) and ``cost`` (CPU of an event, as a multiple of only reading it).  ``driftline`` is the slowest of its three whole
paths, ``transport_counting`` an older name of ``read_only``.  A contender that could not run is null, and ``reasons`` says why.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from tests.bench.sampling import Figures

BASE, READING = "stock_faust_counting", "read_only"
WHOLE_PATH = ("driftline_1", "driftline_20", "driftline_200")

Results = Mapping[str, Figures]


def ratio(results: Results, name: str) -> float:
    """How many times as many events per CPU-second as a stock Faust agent that only counts."""
    return results[name].per_cpu_s / results[BASE].per_cpu_s


def cost(results: Results, name: str) -> float:
    """How many times the CPU of an event that is only read."""
    return results[READING].per_cpu_s / results[name].per_cpu_s


def lowest(results: Results) -> str:
    """The slowest of the whole paths."""
    return min(WHOLE_PATH, key=lambda name: results[name].per_cpu_s)


def as_table(results: Results) -> Table:
    """A row a contender, in the order in which they ran."""
    found = Table(title="events per CPU-second of the worker process")
    found.add_column("contender")
    for heading in ("events", "per CPU-second", "per second", "µs of CPU an event", "× stock Faust", "cost / reading"):
        found.add_column(heading, justify="right")
    for name, one in results.items():
        cells = (one.events, one.per_cpu_s, one.per_wall_s)
        micros = f"{1e6 / one.per_cpu_s:.2f}"
        found.add_row(name, *map(_spaced, cells), micros, f"{ratio(results, name):.1f}", f"{cost(results, name):.1f}")
    return found


def write_json(results: Results, path: Path, *, absent: Mapping[str, str]) -> None:
    """``absent``: who could not run, and why."""
    path.parent.mkdir(parents=True, exist_ok=True)
    named = {name: name for name in results} | {"driftline": lowest(results), "transport_counting": READING}
    found: dict[str, Any] = {name: _fields(results, of) for name, of in named.items()}
    found |= dict.fromkeys(absent)
    path.write_text(json.dumps(found | {"reasons": dict(absent)}, indent=2) + "\n")


def _fields(results: Results, name: str) -> dict[str, Any]:
    one = results[name]
    rates = {"per_cpu_s": round(one.per_cpu_s), "per_wall_s": round(one.per_wall_s)}
    ratios = {"ratio": round(ratio(results, name), 2), "cost": round(cost(results, name), 2)}
    return {"events": one.events, **rates, **ratios}


def _spaced(number: float) -> str:
    return f"{number:,.0f}".replace(",", " ")
