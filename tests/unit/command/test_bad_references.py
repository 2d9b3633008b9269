"""Columns that nobody means to have, built into a reference, and what `check-config` says of a model that is held against it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Ended, driftline
from tests.support.row_files import write

HOURS, ROWS = 40, 20
RAMP = [float(at * 7 % 800) for at in range(HOURS * ROWS)]
#: No number and no name that a table or a page should hold.
NOTHING = re.compile(r"(?<![\w-])(nan|None|inf)(?!\w)")
MONITORS = """\
schema: 1
defaults: {{pane: 1h, windows: {{day: 24h}}, step: 24h, {defaults}}}
models:
  m:
    reference: m.json
    prediction: {{kind: binary, classes: ["no", "yes"], positive: "yes"}}
    features:
      x: {{type: {kind}}}
"""
BUDGET = "budget: {false_pages_per_month: 1}, charts: {shewhart: {}, rolling: {}}"


def built(folder: Path, values: list[Any], *, panes: int = HOURS) -> Ended:
    """A reference of one column, over so many hours."""
    times = [1_357_000_000_000 + at * panes // max(len(values), 1) * 3_600_000 for at in range(len(values))]
    rows = write(folder / "rows.csv", {"at": times, "x": values})
    options = ("--model", "m", "--from", str(rows), "--time", "at", "-o", str(folder / "m.json"))
    return driftline("reference", "build", *options)


def warned(folder: Path, *, kind: str = "numeric", defaults: str = "fixed: {psi: 0.2}") -> list[str]:
    (folder / "monitors.yaml").write_text(MONITORS.format(kind=kind, defaults=defaults))
    found = driftline("check-config", str(folder / "monitors.yaml"), "--json").json
    return [line.removeprefix("m: ") for line in found["warnings"]]


FEW = "its reference holds {}: with fewer than 100 any window looks drifted; build it of more"
EMPTY = "no value in the reference, so `no_reference` where there is one: x"
OTHER = "x is categorical here and numeric in the reference, whose profile cannot be used"


@pytest.mark.parametrize(
    ("values", "kind", "said"),
    [
        (RAMP, "numeric", []),
        (RAMP, "categorical", [OTHER]),
        ([7.0] * 800, "numeric", []),
        ([1e308, -1e308] * 400, "numeric", []),
        ([5e-324, 1e300] * 400, "numeric", []),
        (["a"] * 800, "categorical", []),
        ([f"n{at}" for at in range(800)], "categorical", []),
        ([None] * 800, "numeric", [EMPTY]),
        (["inf", "-inf"] * 400, "numeric", [EMPTY]),
        (RAMP[:1], "numeric", [FEW.format("1 row")]),
        ([None], "numeric", [FEW.format("1 row"), EMPTY]),
        (RAMP[:99], "numeric", [FEW.format("99 rows")]),
    ],
    ids=[
        "fine", "another type", "equal", "huge", "tiny and huge", "one category", "all categories differ", "missing", "infinite",
        "one row", "one row without a value", "99 rows",
    ],
)  # fmt: skip
def test_it_is_built_and_what_it_cannot_do_is_said(
    tmp_path: Path, values: list[Any], kind: str, said: list[str]
) -> None:
    ended = built(tmp_path, values)
    assert ended.code == 0, ended
    assert NOTHING.search(ended.out) is None, ended.out
    json.loads((tmp_path / "m.json").read_text(), parse_constant=pytest.fail)
    assert warned(tmp_path, kind=kind) == said


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    ended = built(tmp_path, [])
    assert (ended.code, ended.err.strip()) == (2, f"{tmp_path / 'rows.csv'}: holds no rows")


def test_a_reference_of_19_panes_cannot_calibrate_and_says_so(tmp_path: Path) -> None:
    assert built(tmp_path, RAMP, panes=19).code == 0
    budget, charts = warned(tmp_path, defaults=BUDGET)
    assert budget.startswith(
        "budget: its reference has 19 panes of 1h, and 20 are needed: columns are `not_enough_data`"
    )
    assert charts.startswith("charts: its reference has 19 panes of 1h, and 20 ")
    assert built(tmp_path, RAMP, panes=20).code == 0
    assert warned(tmp_path, defaults=BUDGET) == []
