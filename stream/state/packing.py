"""How a partial pane is stored in Redis: format 1.

A partial is packed sparse: only cells that counted something are written, with the narrowest integers that hold them.
A typical feature of an hour's pane takes 60 to 250 bytes.  The first byte is the format; a reader that meets another
one refuses it.

=======  ==========================================================================================
bytes    what
=======  ==========================================================================================
1        format (1)
1        width of a cell index in bytes (1, 2, 4), high nibble; width of a count, low nibble
4        revision: how often late events changed the stored partial
4 × 2    number of nonzero cells, of numeric columns
4        number of sums that are not zero
...      cell indices, counts; indices of sums (u2), sums (i8); minima and maxima of the numeric columns (f8)
=======  ==========================================================================================
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.errors import StoreError

FORMAT = 1
HEAD = struct.Struct("<BBIIII")
SHORT, INTEGER, FLOAT = np.dtype("<u2"), np.dtype("<i8"), np.dtype("<f8")
UNSIGNED: dict[int, np.dtype[np.unsignedinteger]] = {width: np.dtype(f"<u{width}") for width in (1, 2, 4, 8)}

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Partial:
    """Counters of one (partition, model, pane): ``cells`` by the layout; per numeric column q, q² and minimum, maximum."""

    cells: Ints
    sums: Ints
    extrema: Floats
    revision: int = 0

    def __add__(self, other: Partial) -> Partial:
        """The exact merge of two partials of one layout."""
        extrema = np.empty_like(self.extrema)
        np.minimum(self.extrema[0::2], other.extrema[0::2], out=extrema[0::2])
        np.maximum(self.extrema[1::2], other.extrema[1::2], out=extrema[1::2])
        revision = self.revision + other.revision
        return Partial(self.cells + other.cells, self.sums + other.sums, extrema, revision)


def empty(cells: int, columns: int) -> Partial:
    """The partial that counted nothing: minima are +inf, maxima -inf."""
    extrema = np.empty(2 * columns)
    extrema[0::2], extrema[1::2] = np.inf, -np.inf
    return Partial(np.zeros(cells, np.int64), np.zeros(2 * columns, np.int64), extrema)


def pack(partial: Partial) -> bytes:
    """The stored form of a partial."""
    (index,), (sums,) = partial.cells.nonzero(), partial.sums.nonzero()
    counts = partial.cells[index]
    index_type, count_type = narrowest(len(partial.cells)), narrowest(int(counts.max()) if len(counts) else 0)
    widths = index_type.itemsize << 4 | count_type.itemsize
    head = HEAD.pack(FORMAT, widths, partial.revision, len(index), len(partial.extrema) // 2, len(sums))
    parts = (
        head,
        index.astype(index_type).tobytes(),
        counts.astype(count_type).tobytes(),
        sums.astype(SHORT).tobytes(),
        partial.sums[sums].astype(INTEGER, copy=False).tobytes(),
        partial.extrema.astype(FLOAT, copy=False).tobytes(),
    )
    return b"".join(parts)


def unpack(stored: bytes, cells: int) -> Partial:
    """The partial behind its stored form, for a layout of ``cells`` cells.

    :raises StoreError: the format is another one, or the bytes do not fit it.
    """
    if not stored or stored[0] != FORMAT:
        raise StoreError(
            f"stored pane has format {stored[:1].hex() or 'none'}, this release reads {FORMAT:02x}: "
            "use the release that wrote it, or start a new environment"
        )
    try:
        return _unpack(stored, cells)
    except (ValueError, IndexError, TypeError, struct.error) as error:
        raise StoreError(f"stored pane of {len(stored)} bytes is damaged: {error}") from error


def _unpack(stored: bytes, cells: int) -> Partial:
    _, widths, revision, filled, columns, summed = HEAD.unpack_from(stored)
    index_type, count_type = _unsigned(widths >> 4), _unsigned(widths & 15)
    size = HEAD.size + filled * (index_type.itemsize + count_type.itemsize) + 10 * summed + 16 * columns
    if size != len(stored):
        raise ValueError(f"the head promises {size} bytes")
    reader = _Reader(stored, HEAD.size)
    counted, sums = np.zeros(cells, np.int64), np.zeros(2 * columns, np.int64)
    index = reader.take(index_type, filled)
    counted[index] = reader.take(count_type, filled)
    where = reader.take(SHORT, summed)
    sums[where] = reader.take(INTEGER, summed)
    return Partial(counted, sums, reader.take(FLOAT, 2 * columns).astype(np.float64), revision)


class _Reader:
    """Reads typed arrays one after the other."""

    def __init__(self, stored: bytes, at: int) -> None:
        self.stored, self.at = stored, at

    def take(self, dtype: np.dtype[np.generic], count: int) -> npt.NDArray[np.generic]:
        found = np.frombuffer(self.stored, dtype, count, self.at)
        self.at += found.nbytes
        return found


def narrowest(largest: int) -> np.dtype[np.unsignedinteger]:
    return next(UNSIGNED[width] for width in (1, 2, 4, 8) if largest < 1 << 8 * width)


def _unsigned(width: int) -> np.dtype[np.unsignedinteger]:
    if width not in UNSIGNED:
        raise ValueError(f"integers of {width} bytes")
    return UNSIGNED[width]
