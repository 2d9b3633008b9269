"""Streams that are drawn: rows correlated one with the next, of many kinds of distribution, counted by pane as driftline counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal, special

from detectors.edges import bin_of, cuts_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NAMES = 40
_ZIPF = np.cumsum(1.0 / np.arange(1, NAMES + 1)) / np.sum(1.0 / np.arange(1, NAMES + 1))


@dataclass(frozen=True, slots=True)
class Kind:
    """A distribution: normal values to values of it, and whether they have an order."""

    name: str
    of_normal: Callable[[Floats], Floats]
    ordered: bool = True


KINDS = (
    Kind("normal", lambda z: z),
    Kind("ties", lambda z: np.round(2.0 * z) / 2.0),
    Kind("zero-inflated", lambda z: np.maximum(z - 0.5244, 0.0)),  # 70 % zeros
    Kind("names, Zipf", lambda z: np.searchsorted(_ZIPF, special.ndtr(z)).astype(np.float64), ordered=False),
)


def normal_rows(random: np.random.Generator, shape: tuple[int, int], *, phi: float) -> Floats:
    """(series, rows) standard normal, each row correlated ``phi`` with the one before."""
    noise = random.standard_normal(shape)
    if phi == 0.0:
        return noise
    noise[:, 1:] *= np.sqrt(1.0 - phi * phi)
    found: Floats = signal.lfilter([1.0], [1.0, -phi], noise, axis=1)
    return found


def edges_for(kind: Kind, values: Floats) -> Floats:
    """Where driftline would cut a column of the reference for the test: deciles, and both ends of every atom."""
    if not kind.ordered:
        return np.arange(1, NAMES, dtype=np.float64)
    cuts = cuts_of(values)
    atoms = np.asarray(cuts.atoms, dtype=np.float64)
    return np.unique(np.concatenate([cuts.deciles, atoms, np.nextafter(atoms, np.inf)]))


def pane_counts(values: Floats, edges: Floats, *, pane_rows: int) -> Ints:
    """(panes, bins) counts of (rows,) values."""
    bins, panes = len(edges) + 1, values.size // pane_rows
    cells = np.repeat(np.arange(panes), pane_rows) * bins + bin_of(values, edges)
    return np.bincount(cells, minlength=panes * bins).reshape(panes, bins)
