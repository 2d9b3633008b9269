"""Every convention beside the package it is named for: the same columns, the same numbers.

The packages live in environments of their own, ``.cache/peers/<name>``, built by ``scripts/make-peers`` from the locked versions in
``tests/bench/peers/*.lock``; where one is missing its comparison is skipped.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors.conventions.measure import Measured, measure
from detectors.conventions.pair import Pair, names_pair, numeric_pair
from detectors.profile import coded
from tests.bench.peers.cases import cases

pytestmark = pytest.mark.bench

HERE = Path(__file__).parent / "peers"
ENVIRONMENTS = Path(os.environ.get("DRIFTLINE_PEERS", HERE.parents[2] / ".cache" / "peers"))
CONVENTION = {"whylogs": "whylabs"}
#: Differences that are known and meant: whose, which statistic, which cases, and why.
KNOWN = {
    ("evidently", "cvm p", ("few rows", "few rows with ties", "two rows")): "counts in 2- and 4-byte floats, or fails",
    ("evidently", "mmd", ("far from zero",)): "takes distances as x² - 2xy + y², which cancels",
    ("frouros", "js", ("one row",)): "the root of a rounding error below 0",
}
#: Rows beyond which the sketches of whylogs are no longer exact, and how far its D may then be off.
EXACT_ROWS, SKETCH = 1_000, 0.02


@pytest.mark.parametrize("peer", ["evidently", "nannyml", "frouros", "deepchecks", "whylogs"])
def test_the_convention_is_what_its_package_returns(peer: str) -> None:
    python = ENVIRONMENTS / peer / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no {python}: scripts/make-peers builds it")
    columns = cases()
    answers = _asked(python, peer, list(columns.values()))
    different, compared = [], 0
    for (name, case), answer in zip(columns.items(), answers, strict=True):
        pair = _pair(case)
        for statistic, theirs in answer.items():
            ours = _number(pair, statistic, CONVENTION.get(peer, peer))
            compared += 1
            if not _known(peer, statistic, name) and not _same(ours, theirs, within=_within(peer, statistic, case)):
                different.append((name, statistic, ours, theirs))
    print(f"\n{peer}: {compared} numbers compared, {len(different)} differ", *different, sep="\n  ")
    assert different == []


def _asked(python: Path, peer: str, columns: list[dict[str, Any]]) -> list[dict[str, float | None]]:
    variables = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        [python, HERE / f"ask_{peer}.py"],
        input=json.dumps(columns),
        capture_output=True,
        text=True,
        env=variables,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[dict[str, float | None]] = json.loads(done.stdout)
    return found


def _pair(case: dict[str, Any]) -> Pair:
    if case["kind"] == "numeric":
        return numeric_pair(np.array(case["reference"]), np.array(case["current"]))
    return names_pair(coded(case["reference"]), coded(case["current"]))


def _number(pair: Pair, statistic: str, convention: str) -> float | None:
    found: Measured = measure(pair, statistic.removesuffix(" p"), convention)
    return found.p_value if statistic.endswith(" p") else found.value


def _known(peer: str, statistic: str, name: str) -> bool:
    return any((peer, statistic) == known[:2] and name in known[2] for known in KNOWN)


def _within(peer: str, statistic: str, case: dict[str, Any]) -> float:
    """How far apart two numbers may be, beside a billionth of them."""
    if (peer, statistic) == ("evidently", "tv p"):
        return 0.05  # a shuffle that gives the very distance observed is counted or not by its last bit
    if peer == "whylogs" and max(len(case["reference"]), len(case["current"])) > EXACT_ROWS:
        return SKETCH
    return 1e-12


def _same(ours: float | None, theirs: float | None, *, within: float) -> bool:
    return ours == theirs if ours is None or theirs is None else ours == pytest.approx(theirs, rel=1e-9, abs=within)
