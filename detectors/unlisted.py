"""Rows of a block that the reference would not name, had the block not been in it: the measure of live shares of unseen names.

A profile lists its most frequent names, and live any other name is *unseen*, whether the reference held it now and then or never.
So what is to be expected of a window is told by blocks of the reference in the place of windows: the rest of the reference is
listed anew without the block, and the block's rows whose name is not listed then are counted.  Where all names are listed that is
Good-Turing by blocks: the rows whose name occurs in no other block.

Exact, over all names, ties among them included; so it is counted while the reference is built, for the lengths of blocks that
usual windows need.  In memory are a few arrays as long as there are names, and the names of a few blocks at a time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.calibration.blocks import LEAST_BLOCKS, block_length
from detectors.pane_counts import added, chunks

Ints = NDArray[np.int64]

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
#: Windows that are usual; of others the blocks of the next longer one are taken.
USUAL_MS = (
    *(minutes * MINUTE_MS for minutes in (1, 2, 3, 5, 10, 15, 20, 30)),
    *(hours * HOUR_MS for hours in (1, 2, 3, 4, 6, 8, 12)),
    *(days * DAY_MS for days in (1, 2, 3, 7, 14, 28)),
)
#: Rows of the blocks that are looked at together.
ROWS_AT_ONCE = 1 << 22


@dataclass(frozen=True, eq=False, slots=True)
class Names:
    """seen: (names,) rows of each; rank: (names,) its place in the order of names, which decides between equal counts."""

    seen: Ints
    rank: Ints

    @property
    def keys(self) -> Ints:
        """(names,) greater for a name that is listed before."""
        return self.keys_of(np.arange(self.seen.size), self.seen)

    def keys_of(self, names: Ints, counts: Ints) -> Ints:
        """The same of some names, had they been counted so often."""
        found: Ints = counts * self.seen.size + (self.seen.size - 1 - self.rank[names])
        return found


def lengths_for(panes: int, pane_ms: int) -> tuple[int, ...]:
    """Panes in the blocks of usual windows, for a reference of so many panes; none of too few to learn from.

    Also those as long as a window, where two of them are in the reference: of a longer stretch more is alone in it.

    >>> lengths_for(744, 3_600_000), lengths_for(19, 3_600_000)
    ((1, 2, 3, 4, 6, 8, 12, 24, 48, 72, 168, 336), ())
    """
    if panes < LEAST_BLOCKS:
        return ()
    day = DAY_MS // pane_ms if DAY_MS % pane_ms == 0 else None
    windows = [length // pane_ms for length in USUAL_MS if length % pane_ms == 0]
    short = {block_length(panes, window, day=day) for window in [*windows, panes]}
    return tuple(sorted(short | {window for window in windows if 2 * window <= panes}))


def blocks_in(panes: int, length: int) -> int:
    """Blocks of so many panes, of which the last is between half as long and half again."""
    return max(1, (2 * panes + length) // (2 * length))


def unlisted_rows(codes: Ints, pane: Ints, names: Names, *, panes: int, length: int, top: int) -> tuple[int, ...]:
    """Rows of each block of ``length`` panes whose name would not be among the ``top`` that the other blocks list.

    :param codes: of each row an index of ``names``, or -1; :param pane: of each row.
    """
    cut = _Cut(pane, length, blocks_in(panes, length))
    found, keys = np.zeros(cut.blocks, np.int64), np.sort(names.keys)
    for block, held, counts in _blocks(codes, cut, width=names.seen.size):
        found[block] = _unlisted(names, keys, held, counts=counts, top=top)
    return tuple(found.tolist())


@dataclass(frozen=True, eq=False, slots=True)
class _Cut:
    """Rows, by their panes, cut into blocks."""

    pane: Ints
    length: int
    blocks: int

    def of(self, part: slice) -> Ints:
        """The block of each row."""
        found: Ints = np.minimum(self.pane[part] // self.length, self.blocks - 1)
        return found


def _unlisted(names: Names, keys: Ints, held: Ints, *, counts: Ints, top: int) -> int:
    """Of one block, that holds some names so often; ``keys``: of all names, rising."""
    left = names.seen[held] - counts
    gone, come = names.keys_of(held, names.seen[held]), names.keys_of(held, left)
    listed = (left > 0) & (come >= _least_listed(keys, gone, come, top=top))
    return int(counts[~listed].sum())


def _least_listed(keys: Ints, gone: Ints, come: Ints, *, top: int) -> int:
    """The ``top``-th greatest of the keys where some have gone and as many, none greater, have come; 0 of fewer than that.

    Without the block nearly the same names are listed, so only those next to the last one are looked at.
    """
    if keys.size <= top:
        return 0
    last = keys[-top]
    lost = int(np.count_nonzero(gone >= last) - np.count_nonzero(come >= last))
    if not lost:
        return int(last)
    below = keys[max(keys.size - top - lost - gone.size, 0) : keys.size - top]
    left = np.concatenate([np.setdiff1d(below, gone, assume_unique=True), come[come < last]])
    return int(np.sort(left)[-lost])


def _blocks(codes: Ints, cut: _Cut, *, width: int) -> Iterator[tuple[int, Ints, Ints]]:
    """(block, its names, rows of each) of all blocks with a name; rows may come in any order."""
    parts = list(chunks(cut.pane.size))
    spans = [(int(block.min()), int(block.max())) for block in map(cut.of, parts)]
    rows = sum(
        (np.bincount(cut.of(part), minlength=cut.blocks) for part in parts), start=np.zeros(cut.blocks, np.int64)
    )
    for run in _runs(rows):
        near = [part for part, (low, high) in zip(parts, spans, strict=True) if low < run.stop and high >= run.start]
        cells, counts = _pairs(codes, cut, near, run=run, width=width)
        bounds = np.searchsorted(cells, np.arange(run.start, run.stop + 1) * width).tolist()
        for block, (first, end) in zip(run, itertools.pairwise(bounds), strict=True):
            if first < end:
                yield block, cells[first:end] % width, counts[first:end]


def _runs(rows: Ints) -> Iterator[range]:
    """Blocks that follow one another: one, or more of so many rows at most."""
    first, held = 0, 0
    for block, many in enumerate(rows.tolist()):
        if held and held + many > ROWS_AT_ONCE:
            yield range(first, block)
            first, held = block, 0
        held += many
    yield range(first, rows.size)


def _pairs(codes: Ints, cut: _Cut, parts: Sequence[slice], *, run: range, width: int) -> tuple[Ints, Ints]:
    """(block · width + name, rows of it), rising, of some blocks."""
    found: list[tuple[Ints, Ints]] = [(np.empty(0, np.int64), np.empty(0, np.int64))]
    for part in parts:
        block, code = cut.of(part), codes[part]
        wanted = (block >= run.start) & (block < run.stop) & (code >= 0)
        cells, counts = np.unique(block[wanted] * width + code[wanted], return_counts=True)
        found.append((cells, counts.astype(np.int64)))
    return added(found)
