"""Counts of a column, and of a column pane by pane, a chunk of rows at a time: columns may be files as long as they like.

What comes out depends on the rows alone, not on where chunks were cut or how rows were ordered.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from schemas.reference import SparseRow

CHUNK = 1 << 16
"""Rows that are held in memory beside the column itself."""
HELD = 1 << 22
"""Pairs of cell and count that may wait until equal cells are added."""

Ints = NDArray[np.int64]
PlacesOf = Callable[[slice], Ints]
"""For a slice of the rows, in which of a pane row's columns each row of it is."""


def chunks(rows: int) -> Iterator[slice]:
    """The rows, `CHUNK` at a time."""
    return (slice(start, min(start + CHUNK, rows)) for start in range(0, rows, CHUNK))


def counts_of(places_of: PlacesOf, *, rows: int, width: int) -> Ints:
    """Rows in each of `width` places."""
    counts = np.zeros(width, np.int64)
    for part in chunks(rows):
        counts += np.bincount(places_of(part), minlength=width)
    return counts


def pane_rows(places_of: PlacesOf, pane: Ints, *, panes: int, width: int) -> tuple[Ints, tuple[SparseRow, ...]]:
    """Rows in each of `width` places, and the same for each of `panes` panes, without the zeros.

    :param pane: the number of each row's pane.
    """
    cells, counts = _cells(places_of, pane, width=width)
    total = np.zeros(width, np.int64)
    np.add.at(total, cells % width, counts)
    pairs = np.column_stack([cells % width, counts]).ravel().tolist()
    bounds = 2 * np.searchsorted(cells, np.arange(panes + 1) * width)
    return total, tuple(tuple(pairs[start:end]) for start, end in itertools.pairwise(bounds.tolist()))


def _cells(places_of: PlacesOf, pane: Ints, *, width: int) -> tuple[Ints, Ints]:
    """(pane · width + place, rows in it) of all cells with a row, rising."""
    found: list[tuple[Ints, Ints]] = [(np.empty(0, np.int64), np.empty(0, np.int64))]
    for part in chunks(pane.size):
        cells, counts = np.unique(pane[part] * width + places_of(part), return_counts=True)
        found.append((cells, counts.astype(np.int64)))
        if sum(cells.size for cells, _ in found[1:]) > HELD:
            found = [added(found)]
    return added(found)


def added(found: list[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    """(cells, their counts) in one, rising; counts of equal cells are added."""
    cells, counts = (np.concatenate(part) for part in zip(*found, strict=True))
    distinct, place = np.unique(cells, return_inverse=True)
    total = np.zeros(distinct.size, np.int64)
    np.add.at(total, place, counts)
    return distinct, total
