"""How many rows may hold a value that the reference never held: Good-Turing by blocks.

New values turn up in any stream of names.  How many, the reference tells itself: the share of a block's rows whose value occurs in
no other block is what an unseen share would have been, had that block been live.  Blocks are as long as the window, because
values come in clusters: a plane flies four times a day and then not for a week, so Good-Turing by rows (the share of values that
occur once) promises 1.6 % of New York's flights with a plane never seen, and 2.7 % come in the first week.

Live, unseen is what the reference does not list; it lists its 2 000 most frequent values.  Where it holds more, a block's rows
count whose value would not be listed had the block not been there: what was counted of all values while it was built
(:mod:`detectors.unlisted`).  A reference without those counts, or windows between two of their lengths, have an upper bound
(``exact`` says which).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from detectors.sparse_panes import sparse_panes
from schemas.reference import CategoricalProfile

Ints = NDArray[np.int64]

LEVEL = 0.001
"""Chance that a block like the reference's own passes its limit."""
LEAST_BLOCKS = 2
"""Non-empty blocks without which nothing is known of how they differ."""


@dataclass(frozen=True, eq=False, slots=True)
class Blocks:
    """rows: (blocks,) that hold a value; alone: those of them whose value the other blocks do not list.

    exact: of blocks so long; else they are longer, or nothing tells which further values the other blocks would list.
    """

    rows: Ints
    alone: Ints
    exact: bool = True


@dataclass(frozen=True, slots=True)
class UnseenLimit:
    """limit = mean + t·sd·√(1/blocks of the window + 1/blocks): shares of rows, 0 to 1."""

    limit: float
    mean: float
    sd: float
    blocks: int
    exact: bool


def alone(counts: ArrayLike) -> Ints:
    """Rows of each block whose value occurs in it and in no other.

    :param counts: (blocks, values).

    >>> alone([[5, 1, 0], [2, 0, 3]]).tolist()
    [1, 3]
    """
    table = np.asarray(counts, dtype=np.int64)
    found: Ints = table[:, np.count_nonzero(table, axis=0) == 1].sum(axis=1)
    return found


def blocks_of(profile: CategoricalProfile, length: int) -> Blocks:
    """The reference in blocks of ``length`` panes (or the next longer that is known), the last between half as long and half again.

    :raises ValueError: the profile has no panes in time order, or a block no pane.
    """
    if length < 1 or not profile.pane_counts:
        raise ValueError(f"blocks of {length} panes in a reference of {len(profile.pane_counts)} panes in time order")
    near = next((known for known in profile.unlisted if known[0] >= length), None)
    if near is not None:
        table = _block_counts(profile, near[0])
        return Blocks(table[:, :-1].sum(axis=1), np.array(near[1:], np.int64), near[0] == length)
    table = _block_counts(profile, length)
    named, other = table[:, :-2], table[:, -2]
    return Blocks(named.sum(axis=1) + other, alone(named) + other, not profile.other)


def longest(profile: CategoricalProfile, window: int) -> int:
    """Panes of the longest blocks that can be had of a reference, up to a window's.

    Values that stay away for days are alone in a week and not in its days: the share is that of blocks as long as the window.
    """
    most = min(window, len(profile.pane_counts) // LEAST_BLOCKS)
    return min(most, profile.unlisted[-1][0]) if profile.unlisted else most


def limit_of(
    blocks: Blocks, *, window_blocks: float = 1.0, level: float = LEVEL, whole: Blocks | None = None
) -> UnseenLimit | None:
    """The share of unseen rows above which a window is not like the reference; None of fewer than two blocks with rows.

    :param window_blocks: how many blocks' length the window is long; ``whole``: blocks as long as it, for the mean alone, for they
        are too few to tell how far a window wanders.

    >>> round(limit_of(Blocks(np.array([100, 100, 100]), np.array([1, 2, 3]))).limit, 4)
    0.2778
    """
    rows, alone = blocks.rows[blocks.rows > 0], blocks.alone[blocks.rows > 0]
    count = rows.size
    if count < LEAST_BLOCKS:
        return None
    of = blocks if whole is None else whole
    mean, sd = float(of.alone.sum() / of.rows.sum()), float(np.std(alone / rows, ddof=1))
    far = float(student.isf(level, count - 1)) * sd * math.sqrt(1.0 / window_blocks + 1.0 / count)
    return UnseenLimit(min(1.0, mean + far), mean, sd, count, blocks.exact)


def _block_counts(profile: CategoricalProfile, length: int) -> Ints:
    """(blocks, columns) straight from the sparse rows: a dense table of all panes may be thousands of times as large."""
    rows = sparse_panes(profile)
    blocks = max(1, (2 * rows.panes + length) // (2 * length))
    table = np.zeros((blocks, profile.pane_columns), np.int64)
    np.add.at(table, (np.minimum(rows.pane // length, blocks - 1), rows.column), rows.count)
    return table
