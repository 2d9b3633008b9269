"""Columns that nobody means to have, from a file to a verdict: `reference build`, `compare`, and the stream's judgement of windows.

Each gives a named state and finite numbers, and nothing warns.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from schemas.monitored import FeatureMonitor
from schemas.reference import Reference
from schemas.reports import Report, encode
from stream.command.main import app
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_window import judge_window
from stream.state.layout import SPECIALS
from tests.support.judged import HOUR, Rows, monitor, watched, window

HOURS, ROWS = 40, 20
FINE = np.random.default_rng(1).normal(size=HOURS * ROWS)
ORDINARY: dict[str, list[Any]] = {
    "fine": FINE.tolist(),
    "missing": [None] * len(FINE),
    "equal": [7.0] * len(FINE),
    "infinite": [float("inf")] * len(FINE),
    "single": ["a"] * len(FINE),
}
KINDS = {name: "categorical" if name == "single" else "numeric" for name in ORDINARY}


def commanded(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def written(path: Path, columns: dict[str, list[Any]]) -> str:
    lines = [",".join(("at", *columns))]
    for at, row in enumerate(zip(*columns.values(), strict=True)):
        lines.append(
            ",".join((str(1_357_000_000_000 + at // ROWS * HOUR), *("" if x is None else str(x) for x in row)))
        )
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def finite(text: str) -> Any:
    """JSON without NaN or infinity."""
    return json.loads(text, parse_constant=pytest.fail)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    rows = written(folder / "rows.csv", ORDINARY)
    done = commanded(
        *("reference", "build", "--model", "m", "--from", rows, "--time", "at", "-o", str(folder / "m.json"), "--json")
    )
    assert done.exit_code == 0, done.output
    finite(done.stdout)
    finite((folder / "m.json").read_text())
    return folder / "m.json"


@pytest.mark.parametrize(
    ("changed", "states"),
    [
        ({}, dict.fromkeys(KINDS, "ok")),
        ({"equal": [8.0]}, {"equal": "drift"}),
        ({"fine": [None]}, {"fine": "drift"}),
        ({"fine": [7.0], "single": ["b"]}, {"fine": "drift", "single": "drift"}),
        ({"fine": [float("-inf")], "missing": [1.0]}, {"fine": "drift", "missing": "drift"}),
    ],
)
def test_compare_names_a_state_of_each(
    built: Path, tmp_path: Path, changed: dict[str, list[Any]], states: dict[str, str]
) -> None:
    now = ORDINARY | {name: value * len(FINE) for name, value in changed.items()}
    done = commanded("compare", str(built), written(tmp_path / "now.csv", now), "--exclude", "at", "--json")
    assert done.exit_code == int("drift" in states.values()), done.output
    said = {name: one["state"] for name, one in finite(done.stdout)["verdicts"].items()}
    assert said | states == said


def test_a_single_row_is_not_enough_of_any(built: Path, tmp_path: Path) -> None:
    one = written(tmp_path / "now.csv", {name: values[:1] for name, values in ORDINARY.items()})
    done = commanded("compare", str(built), one, "--exclude", "at", "--json")
    assert done.exit_code == 0, done.output
    said = {name: one["state"] for name, one in finite(done.stdout)["verdicts"].items()}
    assert said == dict.fromkeys(KINDS, "not_enough_data")
    alone = commanded("reference", "build", "--model", "m", "--from", one, "-o", str(tmp_path / "one.json"), "--json")
    assert (alone.exit_code, finite(alone.stdout)["rows"]) == (0, 1)


@pytest.fixture(scope="module")
def of(built: Path) -> Watched:
    features = {name: FeatureMonitor(type=kind) for name, kind in KINDS.items()}
    return watched(monitor(features=features), of=Reference.from_json(built.read_bytes()))


def judged(of: Watched, rows: Rows, *, infinite: int = 0) -> Report:
    made = window(of, rows)
    for column, first in zip(of.layout.numeric, of.layout.numeric_starts, strict=True):
        if column.name == "infinite":
            made.total.cells[first + column.bins + SPECIALS.index("positive_infinity")] += infinite
    report = judge_window(of, made, seen_ms=0)
    finite(encode(report).decode())
    return report


SILENT = dict.fromkeys(KINDS, "no_traffic")
EMPTY = SILENT | {"infinite": "no_reference"}


@pytest.mark.parametrize(
    ("rows", "states"),
    [
        ({"fine": [0.1]}, {"fine": "not_enough_data"}),
        ({"fine": [None] * 400, "single": [None] * 400}, {"fine": "drift", "single": "drift"}),
        (
            {"fine": [7.0] * 400, "equal": [7.0] * 400, "single": ["a"] * 400},
            {"fine": "drift", "equal": "ok", "single": "ok"},
        ),
        (
            {"missing": FINE[:400].tolist(), "equal": [8.0] * 400, "single": ["b"] * 400},
            {"missing": "no_reference", "equal": "drift", "single": "drift"},
        ),
    ],
)
def test_the_stream_names_a_state_of_each(of: Watched, rows: dict[str, Any], states: dict[str, str]) -> None:
    assert {name: one.state for name, one in judged(of, rows, infinite=400).features.items()} == EMPTY | states


def test_a_window_without_events_has_no_traffic(of: Watched) -> None:
    assert {name: one.state for name, one in judged(of, {}).features.items()} == SILENT
