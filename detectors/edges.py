"""Where a numeric column is cut into bins, and which bin a value falls in.

The cuts are the deciles of all finite values, every atom (a value that alone holds at least 1/50 of them)
in a bin of its own, the fiftieths of the values that are no atoms, the minimum and the float after the
maximum: about 50 bins. Plain deciles would make a column that is 90 % zeros one bin, blind to every change;
and as every decile is an edge, statistics on deciles are exact sums of stored counts.

Nothing here warns or fails on a strange column: constants, ties, one row, no row, infinities, values at the
end of the floats all give strictly rising finite edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FIFTIETHS = 50
"""An atom holds at least 1/50 of the values; the rest is cut at its i/50 quantiles."""

_DECILES = np.arange(1, 10) / 10
_INNER_FIFTIETHS = np.arange(1, FIFTIETHS) / FIFTIETHS
_HALF_RANGE = 2.0**1022

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cuts:
    """edges: strictly rising; deciles: the nine inner ones, ties kept; atoms: rising. All are edges."""

    edges: tuple[float, ...]
    deciles: tuple[float, ...]
    atoms: tuple[float, ...]


def cuts_of(values: Floats) -> Cuts:
    """The cuts of a column; NaN and infinities are left out.

    >>> cuts_of(np.array([7.0, 7.0, np.nan])).edges
    (7.0, 7.000000000000001)
    """
    finite = finite_of(values)
    if finite.size == 0:
        return Cuts((), (), ())
    deciles = quantiles(finite, _DECILES)
    atoms, rest = _atoms(finite)
    edges = np.concatenate([deciles, atoms, _after(atoms), _inner(rest), _ends(finite)])
    return Cuts(_tuple(np.unique(edges[np.isfinite(edges)])), _tuple(deciles), _tuple(atoms))


def finite_of(values: Floats) -> Floats:
    """The finite values, with -0.0 written as 0.0: equal values get equal edges and equal text."""
    finite = np.asarray(values, dtype=np.float64)
    return finite[np.isfinite(finite)] + 0.0


def quantiles(finite: Floats, levels: Floats) -> Floats:
    """numpy's linear quantiles of at least one finite value.

    Where the difference of two values would overflow, on a quarter of them: only the tiniest lose digits.
    """
    if np.abs(finite).max() < _HALF_RANGE:
        return np.quantile(finite, levels) + 0.0
    return np.clip(np.quantile(finite / 4.0, levels) * 4.0, finite.min(), finite.max())


def bin_of(values: Floats, edges: Floats | tuple[float, ...]) -> NDArray[np.int64]:
    """Index of each value's bin: edges[i-1] <= x < edges[i], outer bins open. NaN has no bin: keep it out."""
    return np.searchsorted(np.asarray(edges, dtype=np.float64), values, side="right").astype(np.int64)


def _atoms(finite: Floats) -> tuple[Floats, Floats]:
    """The values of share at least 1/50, and the values that are none of them."""
    distinct, where, counts = np.unique(finite, return_inverse=True, return_counts=True)
    heavy = counts * FIFTIETHS >= finite.size
    return distinct[heavy], finite[~heavy[where]]


def _inner(rest: Floats) -> Floats:
    return quantiles(rest, _INNER_FIFTIETHS) if rest.size else rest


def _ends(finite: Floats) -> Floats:
    return np.array([finite.min(), _after(finite.max())])


def _after(values: Floats) -> Floats:
    """The next float upwards; after the largest comes infinity, which is no edge and is left out later."""
    with np.errstate(over="ignore"):
        return np.nextafter(values, np.inf)


def _tuple(values: Floats) -> tuple[float, ...]:
    return tuple(values.tolist())
