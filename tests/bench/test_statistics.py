"""The same 100 000 rows of 20 columns, compared with as many of a reference by other packages and by ours: `make bench-statistics`.

Each contender is a process of its own, in an environment of its own: ``.cache/peers/<name>``, which ``scripts/make-peers`` builds
from ``tests/bench/peers/<name>.lock`` (``DRIFTLINE_PEERS`` names another folder); numpy, scipy and ours in this one.  All get one
thread and three rounds or more, of which the one of the least CPU time counts.  What is asserted are ratios of one run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

pytestmark = pytest.mark.bench

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "tests" / "bench" / "peers"
ENVIRONMENTS = Path(os.environ.get("DRIFTLINE_PEERS", ROOT / ".cache" / "peers"))
ROWS, COLUMNS = 100_000, 20
#: Contenders, and what each computes of every numeric column; of every column of names.
COMPUTED = {
    "driftline": ("50 bins, calibrated p, PSI", "calibrated p, PSI"),
    "nannyml": ("Jensen-Shannon in 10 chunks", "Jensen-Shannon in 10 chunks"),
    "numpy": ("decile PSI, KS p", "chi-squared p"),
    "frouros": ("PSI, KS p", "chi-squared p"),
    "evidently": ("normed Wasserstein, histograms", "Jensen-Shannon, counts"),
}
#: How many times as many values a second ours has to compare.
PROMISED = {"evidently": 100.0, "nannyml": 10.0}


@dataclass(frozen=True, slots=True)
class Figures:
    """How many columns were compared, in how many seconds, and how many bytes the process held at most, packages and all."""

    columns: int
    seconds: float
    peak: int

    @property
    def values_per_s(self) -> float:
        return ROWS * COLUMNS / self.seconds


def test_ours_is_faster_by_what_is_promised(tmp_path: Path) -> None:
    missing = [str(_python(name)) for name in COMPUTED if not _python(name).exists()]
    if missing:
        pytest.skip(f"no {', '.join(missing)}: scripts/make-peers builds them")
    file = tmp_path / "columns.npz"
    np.savez(
        file, **{f"{side}/{name}": one for side in ("reference", "current") for name, one in columns(side).items()}
    )
    found = {name: _measured(name, file) for name in COMPUTED}
    Console(width=120).print(_table(found))
    assert {name: one.columns for name, one in found.items()} == dict.fromkeys(COMPUTED, COLUMNS)
    short = {name: _ratio(found, name) for name, least in PROMISED.items() if _ratio(found, name) < least}
    assert short == {}


def columns(side: str) -> dict[str, Any]:
    """Eight normal columns, four with ties, four of which most is zero, four of forty names; no drift."""
    random = np.random.default_rng([5, len(side)])
    zipf = 1.0 / np.arange(1, 41)
    names = np.array([f"name {at:02}" for at in range(40)])
    return {
        **{f"normal {at}": random.normal(size=ROWS) for at in range(8)},
        **{f"ties {at}": random.poisson(4.0, ROWS).astype(float) for at in range(4)},
        **{f"zeros {at}": np.exp(random.normal(size=ROWS)) * (random.random(ROWS) < 0.2) for at in range(4)},
        **{f"names {at}": names[random.choice(40, ROWS, p=zipf / zipf.sum())] for at in range(4)},
    }


def _python(name: str) -> Path:
    return Path(sys.executable) if name in ("driftline", "numpy") else ENVIRONMENTS / name / "bin" / "python"


def _measured(name: str, file: Path) -> Figures:
    variables = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "OMP_NUM_THREADS": "1"}
    if _python(name) == Path(sys.executable):
        variables["PYTHONPATH"] = str(ROOT)
    figures = file.with_name(f"{name}.json")
    done = subprocess.run(
        [_python(name), SCRIPTS / f"time_{name}.py", file, figures],
        capture_output=True,
        text=True,
        env=variables,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return Figures(**json.loads(figures.read_text()))


def _ratio(found: dict[str, Figures], name: str) -> float:
    return found["driftline"].values_per_s / found[name].values_per_s


def _table(found: dict[str, Figures]) -> Table:
    table = Table(title=f"{ROWS:,} rows of {COLUMNS} columns against a reference of as many, one thread")
    table.add_column("contender")
    for heading in ("seconds", "M values/s", "ours / it", "peak MB"):
        table.add_column(heading, justify="right")
    for heading in ("computed of each numeric column", "of each column of names"):
        table.add_column(heading)
    for name, one in found.items():
        speed = (
            f"{one.seconds:.4f}",
            f"{one.values_per_s / 1e6:.1f}",
            f"{_ratio(found, name):.0f}",
        )
        table.add_row(name, *speed, f"{one.peak / 1e6:.0f}", *COMPUTED[name])
    return table
