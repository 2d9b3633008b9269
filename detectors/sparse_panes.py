"""The pane rows of a profile as it keeps them, without the zeros: three long arrays, from which tables and sums are made."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.reference import Profile

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class SparsePanes:
    """The pane rows of a profile as three long arrays: the pane, the column and the count of each entry."""

    pane: Ints
    column: Ints
    count: Ints
    panes: int

    def block_hits(self, columns: Sequence[int], *, length: int) -> tuple[Ints, Ints]:
        """(blocks,) rows in some columns, and all rows, by blocks of ``length`` panes.

        :raises ValueError: blocks of no pane.
        """
        if length < 1:
            raise ValueError(f"blocks of {length} panes")
        blocks, block = -(-self.panes // length), self.pane // length
        wanted = np.where(np.isin(self.column, columns), self.count, 0)
        return _summed(block, wanted, blocks), _summed(block, self.count, blocks)


def sparse_panes(profile: Profile) -> SparsePanes:
    """Straight from the sparse rows: a dense table of all panes may be thousands of times as large."""
    flat = np.fromiter(itertools.chain.from_iterable(profile.pane_counts), dtype=np.int64)
    panes = len(profile.pane_counts)
    pairs = np.fromiter(map(len, profile.pane_counts), dtype=np.int64, count=panes) // 2
    return SparsePanes(np.repeat(np.arange(panes), pairs), flat[0::2], flat[1::2], panes)


def _summed(block: Ints, counts: Ints, blocks: int) -> Ints:
    """Exact below 2^53 rows."""
    found: Ints = np.bincount(block, counts, minlength=blocks).astype(np.int64)
    return found
