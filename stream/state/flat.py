"""The stored forms of many partials of any layouts at once, from vectors in which they stand one behind the other.

Byte for byte what :func:`stream.state.packing.pack` makes one by one; a partial that counted little costs a fifth of it here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from stream.state.packing import FLOAT, FORMAT, HEAD, HEADS, INTEGER, SHORT, UNSIGNED, Floats, Ints, Partial

_WIDTHS = np.array(sorted(UNSIGNED))
_LIMITS = np.array([1 << 8 * width for width in sorted(UNSIGNED)[:-1]])


@dataclass(frozen=True, eq=False, slots=True)
class Flat:
    """Cells, sums and extrema of partials, one behind the other; of each its (cells, sums) in ``shapes``."""

    cells: npt.NDArray[np.integer]
    sums: Ints
    extrema: Floats
    shapes: Ints

    def packed(self, revisions: Sequence[int]) -> list[bytes]:
        """The stored form of each."""
        cells, sums = _found(self.cells, self.shapes[:, 0]), _found(self.sums, self.shapes[:, 1])
        counts = self.cells[cells.at]
        index, widths = _widths(self.shapes[:, 0]), _widths(_largest(counts, cells.lengths))
        pieces = zip(
            _heads(cells, sums, revisions=revisions, widths=index << 4 | widths, shapes=self.shapes),
            _pieces(cells.index, cells.lengths, widths=index),
            _pieces(counts, cells.lengths, widths=widths),
            _cut(sums.index.astype(SHORT), sums.lengths),
            _cut(self.sums[sums.at].astype(INTEGER, copy=False), sums.lengths),
            _cut(self.extrema.astype(FLOAT, copy=False), self.shapes[:, 1]),
            strict=True,
        )
        return [b"".join(parts) for parts in pieces]


def flat_of(partials: Sequence[Partial]) -> Flat:
    """Some partials, one at least."""
    return Flat(
        np.concatenate([each.cells for each in partials]),
        np.concatenate([each.sums for each in partials]),
        np.concatenate([each.extrema for each in partials]),
        np.array([(len(each.cells), len(each.sums)) for each in partials]),
    )


@dataclass(frozen=True, eq=False, slots=True)
class _Found:
    """Places of what is not zero, in the vector and in its own partial, and how many each partial has."""

    at: Ints
    index: Ints
    lengths: Ints


def _found(values: npt.NDArray[np.integer], sizes: Ints) -> _Found:
    at = np.flatnonzero(values != 0)  # of booleans, numpy finds them several times as fast
    begins = begins_of(sizes)
    lengths = np.diff(np.append(at.searchsorted(begins), len(at)))
    return _Found(at, at - np.repeat(begins, lengths), lengths)


def begins_of(lengths: Ints) -> Ints:
    """Where pieces of these lengths begin that stand one behind the other.

    >>> begins_of(np.array([3, 0, 2])).tolist()
    [0, 3, 3]
    """
    found: Ints = np.cumsum(lengths) - lengths
    return found


def _largest(counts: npt.NDArray[np.integer], lengths: Ints) -> Ints:
    """The greatest count of each; 0 of a partial that has none."""
    some = lengths > 0
    found = np.zeros(len(lengths), np.int64)
    if some.any():
        found[some] = np.maximum.reduceat(counts, begins_of(lengths)[some])
    return found


def _widths(numbers: Ints) -> Ints:
    """Bytes of the narrowest integer that holds each.

    >>> _widths(np.array([255, 256, 65_535, 65_536, 1 << 32])).tolist()
    [1, 2, 2, 4, 8]
    """
    found: Ints = _WIDTHS[np.searchsorted(_LIMITS, numbers, side="right")]
    return found


def _heads(cells: _Found, sums: _Found, *, revisions: Sequence[int], widths: Ints, shapes: Ints) -> Iterator[bytes]:
    heads = np.zeros(len(shapes), HEADS)
    heads["format"], heads["widths"], heads["revision"] = FORMAT, widths, revisions
    heads["filled"], heads["columns"], heads["summed"] = cells.lengths, shapes[:, 1] // 2, sums.lengths
    whole = heads.tobytes()
    return (whole[begin : begin + HEAD.size] for begin in range(0, len(whole), HEAD.size))


def _pieces(values: npt.NDArray[Any], lengths: Ints, *, widths: Ints) -> list[bytes]:
    """The bytes of each partial's values, in integers of its own width."""
    found = {width: _cut(values.astype(UNSIGNED[width]), lengths) for width in set(widths.tolist())}
    return [found[width][at] for at, width in enumerate(widths.tolist())]


def _cut(values: npt.NDArray[Any], lengths: Ints) -> list[bytes]:
    """The bytes of values, cut into pieces of so many values each."""
    whole = values.tobytes()
    ends = (np.cumsum(lengths) * values.itemsize).tolist()
    return [whole[begin:end] for begin, end in pairwise((0, *ends))]
