"""Values binned per CPU-second of one core: the kernel beside numpy's own ways, and a block over many models at once.

Every block holds other values: on one block again and again, a processor learns by heart which way each bisection goes, and
`searchsorted` looks six times faster than it is.  Blocks of ten thousand values lie in memory, as a decoder would leave them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from detectors.bin_counts import Binning
from detectors.binning import bins, padded

pytestmark = pytest.mark.bench

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BLOCK, BLOCKS, ROUNDS = 10_000, 150, 7
BLOCK_OF_INGEST = 65_536  # 4 096 rows of 16 columns
EDGES = (1, 10, 20, 50, 200, 400)


def test_one_column() -> None:
    random = np.random.default_rng(7)
    blocks = [random.normal(size=BLOCK) for _ in range(BLOCKS)]
    table = _table("million values per CPU-second, blocks of 10 000", ("edges", "kernel", "numpy", "histogram"))
    for edges in EDGES:
        cuts = np.quantile(random.normal(size=100_000), np.arange(1, edges + 1) / (edges + 1))
        assert Binning(cuts).count(blocks[0]).bins.tolist() == _by_numpy(blocks[0], cuts).tolist()
        ways = (Binning(cuts).count, lambda x, cuts=cuts: _by_numpy(x, cuts), _by_histogram(cuts))
        _add(table, edges, [_rate(way, blocks) for way in ways])
    Console(width=100).print(table)


def test_a_block_over_many_models() -> None:
    random = np.random.default_rng(8)
    table = _table(
        "million values per CPU-second, 65 536 values of 50 edges", ("owners", "grouped kernel", "bisection of ingest")
    )
    for owners in (1, 16, 64, 320):
        cuts = [np.sort(random.normal(size=50)) for _ in range(owners)]
        blocks = [
            (random.normal(size=BLOCK_OF_INGEST), random.integers(0, owners, size=BLOCK_OF_INGEST)) for _ in range(20)
        ]
        ways = (_grouped([Binning(of) for of in cuts]), _bisected(padded([of.tolist() for of in cuts])))
        assert ways[0](blocks[0]).tolist() == ways[1](blocks[0]).tolist()
        _add(table, owners, [_rate(way, blocks, values=BLOCK_OF_INGEST) for way in ways])
    Console(width=100).print(table)


def _by_numpy(values: Floats, edges: Floats) -> Ints:
    return np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)


def _by_histogram(edges: Floats) -> Callable[[Floats], Ints]:
    open_ended = np.concatenate([[-np.inf], edges, [np.inf]])
    return lambda values: np.histogram(values, open_ended)[0]


def _grouped(binnings: Sequence[Binning]) -> Callable[[tuple[Floats, Ints]], Ints]:
    """Each owner's values beside each other, then the kernel owner by owner: what ingest could do and does not."""

    def counted(block: tuple[Floats, Ints]) -> Ints:
        values, owners = block
        arranged = values[np.argsort(owners.astype(np.uint16), kind="stable")]  # which numpy sorts in one pass
        ends = np.cumsum(np.bincount(owners, minlength=len(binnings)))[:-1]
        return np.concatenate(
            [of.count(part).bins for of, part in zip(binnings, np.split(arranged, ends), strict=True)]
        )

    return counted


def _bisected(table: Floats) -> Callable[[tuple[Floats, Ints]], Ints]:
    cells = 51 * len(table)
    return lambda block: np.bincount(block[1] * 51 + bins(block[0], table, block[1]), minlength=cells)


def _rate(way: Callable[[Any], Any], blocks: Sequence[Any], *, values: int = BLOCK) -> float:
    """Millions of values in a CPU-second, in the best of some rounds: others on the machine only ever slow one down."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for block in blocks:
            way(block)
        best = min(best, time.process_time() - began)
    return values * len(blocks) / best / 1e6


def _table(title: str, headings: Sequence[str]) -> Table:
    found = Table(title=title)
    for heading in (*headings, *(f"kernel / {name}" for name in headings[2:])):
        found.add_column(heading, justify="right")
    return found


def _add(table: Table, number: int, rates: Sequence[float]) -> None:
    ratios = (f"{rates[0] / other:.1f}" for other in rates[1:])
    table.add_row(str(number), *(f"{rate:,.0f}" for rate in rates), *ratios)
