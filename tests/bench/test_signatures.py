"""How often a cause is named rightly, not at all, or wrongly: seven distributions, sixteen causes, six references each; twice,
the second time with distributions and causes by which no threshold was set.

Right is the family with its parameters; of a unit also the same map without its name.  The bars: at most .03 wrong, at least .6
right of windows of 300 rows and .7 of 2 000; no cause where nothing drifted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from detectors.signatures.signature import signature
from tests.support.caused import (
    ALL,
    CAUSES,
    DISTRIBUTIONS,
    DRIFTS,
    OTHER_CAUSES,
    OTHER_DISTRIBUTIONS,
    Cause,
    Said,
    reference,
    said,
    window_of,
)

pytestmark = pytest.mark.bench

SEEDS = range(100, 106)
ROWS = {300: 0.6, 2_000: 0.7}
LETTERS: dict[Said, str] = {"right": "r", "silent": ".", "wrong": "W"}


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize(
    "table", [(DISTRIBUTIONS, CAUSES), (OTHER_DISTRIBUTIONS, OTHER_CAUSES)], ids=["tuned", "other"]
)
def test_causes(table: tuple[Iterable[str], tuple[Cause, ...]], rows: int) -> None:
    names, causes = table
    found = {(c.name, name): said(name, c, rows=rows, seeds=SEEDS) for c in causes for name in names}
    _print(rows, found)
    total = sum(found.values(), Counter())
    assert total["wrong"] / total.total() <= 0.03
    assert total["right"] / total.total() >= ROWS[rows]


@pytest.mark.parametrize("rows", [100, *ROWS, 10_000])
def test_no_drift_has_no_cause(rows: int) -> None:
    named = []
    for name, draw in ALL.items():
        for seed in SEEDS:
            _, profile = reference(name, seed)
            random = np.random.default_rng([seed, rows])
            named += [signature(profile, window_of(draw(random, rows), profile)) for _ in range(20)]
    assert [cause for cause in named if cause is not None] == []


def test_drifts_without_a_cause() -> None:
    table = Table(title="drifts that are none of the causes: share that was given one")
    for heading in ("drift", *map(str, ROWS)):
        table.add_column(heading)
    shares = [[_share_named(drift, rows) for rows in ROWS] for drift in DRIFTS]
    for drift, row in zip(DRIFTS, shares, strict=True):
        table.add_row(drift, *(f"{share:.2f}" for share in row))
    Console(width=100).print(table)
    assert np.mean(shares) <= 0.19


def _share_named(drift: str, rows: int) -> float:
    named = []
    for name, draw in DISTRIBUTIONS.items():
        for seed in SEEDS:
            of, profile = reference(name, seed)
            random = np.random.default_rng([seed, rows])
            values = DRIFTS[drift](draw(random, rows), of, random)
            named.append(signature(profile, window_of(values, profile)) is not None)
    return float(np.mean(named))


def _print(rows: int, found: dict[tuple[str, str], Counter[Said]]) -> None:
    table = Table(title=f"windows of {rows:,} rows, six references: r right, . silent, W wrong")
    names = list(dict.fromkeys(name for _, name in found))
    for heading in ("cause", *names):
        table.add_column(heading)
    for cause in dict.fromkeys(cause for cause, _ in found):
        cells = ["".join(LETTERS[kind] * found[cause, name][kind] for kind in LETTERS) for name in names]
        table.add_row(cause, *cells)
    total = sum(found.values(), Counter())
    shares = " / ".join(f"{total[kind] / total.total():.3f} {kind}" for kind in LETTERS)
    Console(width=110).print(table, shares)
