"""What packages answer on the columns of `tests.support.peer_cases`, and whether ours is the same number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from detectors.conventions.measure import measure
from detectors.conventions.pair import Pair, names_pair, numeric_pair
from detectors.profile import coded

Answers = Mapping[str, Mapping[str, float | None]]
"""By case, by statistic (``ks``) or its p-value (``ks p``)."""

PEERS = ("evidently", "nannyml", "frouros", "deepchecks", "whylogs")
CONVENTION = {"whylogs": "whylabs"}
#: Differences that are known and meant: whose, which statistic, which cases, and why.
KNOWN = {
    ("evidently", "cvm p", ("few rows", "few rows with ties", "two rows")): "counts in 2- and 4-byte floats, or fails",
    ("evidently", "mmd", ("far from zero",)): "takes distances as x² - 2xy + y², which cancels",
    ("frouros", "js", ("one row",)): "the root of a rounding error below 0",
}
#: Rows beyond which the sketches of whylogs are no longer exact, and how far its D may then be off.
EXACT_ROWS, SKETCH = 1_000, 0.02


def different(peer: str, columns: Mapping[str, Any], answers: Answers) -> Iterator[tuple[str, str, Any, Any]]:
    """(case, statistic, ours, theirs) of every number that is not the same."""
    for name, answer in answers.items():
        pair = _pair(columns[name])
        for statistic, theirs in answer.items():
            ours = _number(pair, statistic, CONVENTION.get(peer, peer))
            if not _known(peer, statistic, name) and not _same(
                ours, theirs, within=_within(peer, statistic, columns[name])
            ):
                yield name, statistic, ours, theirs


def _pair(case: Mapping[str, Any]) -> Pair:
    if case["kind"] == "numeric":
        return numeric_pair(np.array(case["reference"]), np.array(case["current"]))
    return names_pair(coded(case["reference"]), coded(case["current"]))


def _number(pair: Pair, statistic: str, convention: str) -> float | None:
    found = measure(pair, statistic.removesuffix(" p"), convention)
    return found.p_value if statistic.endswith(" p") else found.value


def _known(peer: str, statistic: str, name: str) -> bool:
    return any((peer, statistic) == known[:2] and name in known[2] for known in KNOWN)


def _within(peer: str, statistic: str, case: Mapping[str, Any]) -> float:
    """How far apart two numbers may be, beside a billionth of them."""
    if (peer, statistic) == ("evidently", "tv p"):
        return 0.005  # a shuffle that gives the very distance observed is counted or not by its last bit
    if peer == "whylogs" and max(len(case["reference"]), len(case["current"])) > EXACT_ROWS:
        return SKETCH
    return 1e-12


def _same(ours: float | None, theirs: float | None, *, within: float) -> bool:
    return ours == theirs if ours is None or theirs is None else ours == pytest.approx(theirs, rel=1e-9, abs=within)
