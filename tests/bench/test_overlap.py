"""How surely ids in both arms are seen, by the number of buckets: the error of the leak, false alarms, and leaks that are found."""

from __future__ import annotations

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table

from detectors.experiments.overlap import FALSE_ALARM, Overlap, overlap
from tests.support.sketches import leaking_arms

pytestmark = pytest.mark.bench

TIMES = 2_000
LEAKS = (0.0, 0.1, 0.3, 1.0)


def test_by_buckets() -> None:
    table = Table(title="20 000 rows of 4 000 ids: error of the leak, and how often it is called leaking")
    for head in ("buckets", "share", "error", *(f"leak {leak:g}" for leak in LEAKS), "surely sticky"):
        table.add_column(head, justify="right")
    false = []
    for buckets in (256, 1_024, 4_096, 16_384):
        for share in (0.05, 0.25, 0.5):
            found = {leak: _found(share, leak, buckets) for leak in LEAKS}
            called = {leak: _part(each, "leaking") for leak, each in found.items()}
            false.append(called[0.0])
            error = np.median([each.error for each in found[0.0] if each.error is not None])
            cells = (*(f"{part:.4f}" for part in called.values()), f"{_part(found[0.0], 'sticky'):.2f}")
            table.add_row(f"{buckets:,}", f"{share:g}", f"{error:.3f}", *cells)
    Console(width=110).print(table)
    assert np.mean(false) <= FALSE_ALARM


def _found(share: float, leak: float, buckets: int) -> list[Overlap]:
    rng = np.random.default_rng(20130101)
    arms = (
        leaking_arms(rng, share=share, leak=leak, buckets=buckets) for _ in range(TIMES if leak == 0.0 else TIMES // 10)
    )
    return [overlap(*vectors, rows=rows) for vectors, rows in arms]


def _part(found: list[Overlap], verdict: str) -> float:
    return sum(each.verdict == verdict for each in found) / len(found)
