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
Ints = NDArray[np.int64]


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
    return cuts_of_ordered(ordered(values))


def cuts_of_ordered(finite: Floats) -> Cuts:
    """The cuts of a column from what `ordered` makes of it, which it neither copies nor changes."""
    if finite.size == 0:
        return Cuts((), (), ())
    whole = _Stretches(np.zeros(1, np.int64), np.array([finite.size]))
    deciles = _quantiles(finite, whole, levels=_DECILES)
    atoms, rest = _atoms(finite)
    inner = _quantiles(finite, rest, levels=_INNER_FIFTIETHS)
    edges = np.concatenate([deciles, atoms, _after(atoms), inner, _ends(finite)])
    return Cuts(_tuple(np.unique(edges[np.isfinite(edges)])), _tuple(deciles), _tuple(atoms))


def ordered(values: Floats) -> Floats:
    """The finite values, rising, in one copy; -0.0 is written as 0.0: equal values get equal edges and equal text."""
    column = np.asarray(values, dtype=np.float64)
    finite = column[np.isfinite(column)]
    finite += 0.0
    finite.sort()
    return finite


def bin_of(values: Floats, edges: Floats | tuple[float, ...]) -> NDArray[np.int64]:
    """Index of each value's bin: edges[i-1] <= x < edges[i], outer bins open. NaN has no bin: keep it out."""
    return np.searchsorted(np.asarray(edges, dtype=np.float64), values, side="right").astype(np.int64)


@dataclass(frozen=True, eq=False, slots=True)
class _Stretches:
    """Parts of an ordered column, one behind the other: where each begins and ends in the column."""

    starts: Ints
    ends: Ints

    def place(self, rank: Ints) -> Ints:
        """Where in the column the value of a rank stands, ranks counted over the stretches alone."""
        before: Ints = np.cumsum(self.ends - self.starts)
        at: Ints = np.searchsorted(before, rank, side="right")
        place: Ints = self.ends[at] - (before[at] - rank)
        return place


def _atoms(finite: Floats) -> tuple[Floats, _Stretches]:
    """The values of share at least 1/50, and the stretches between them.

    A run so long stands on a multiple of its length, so those places hold every atom.
    """
    length = -(-finite.size // FIFTIETHS)
    candidates = np.unique(finite[length - 1 :: length])
    starts, ends = (finite.searchsorted(candidates, side=side) for side in ("left", "right"))
    heavy = (ends - starts) * FIFTIETHS >= finite.size
    between = np.append(0, ends[heavy]), np.append(starts[heavy], finite.size)
    used = between[0] < between[1]
    return candidates[heavy], _Stretches(between[0][used], between[1][used])


def _quantiles(finite: Floats, part: _Stretches, *, levels: Floats) -> Floats:
    """numpy's linear quantiles of a part of an ordered column, to the bit; none of no value.

    Where the difference of two values would overflow, on a quarter of them: only the tiniest lose digits.
    """
    count = int((part.ends - part.starts).sum())
    if not count:
        return np.empty(0)
    rank = (count - 1) * levels
    below = np.floor(rank)
    low, high = (finite[part.place(np.minimum(at, count - 1).astype(np.int64))] for at in (below, below + 1))
    first, last = (float(finite[part.place(np.array([at]))][0]) for at in (0, count - 1))
    if max(-first, last) < _HALF_RANGE:
        return _between(low, high, share=rank - below) + 0.0
    return np.clip(_between(low / 4.0, high / 4.0, share=rank - below) * 4.0, first, last)


def _between(low: Floats, high: Floats, *, share: Floats) -> Floats:
    """Linear interpolation from the nearer end, as numpy does it."""
    step = high - low
    found: Floats = np.where(share >= 0.5, high - step * (1 - share), low + step * share)
    return found


def _ends(finite: Floats) -> Floats:
    return np.array([finite[0], _after(finite[-1])])


def _after(values: Floats) -> Floats:
    """The next float upwards; after the largest comes infinity, which is no edge and is left out later."""
    with np.errstate(over="ignore"):
        return np.nextafter(values, np.inf)


def _tuple(values: Floats) -> tuple[float, ...]:
    return tuple(values.tolist())
