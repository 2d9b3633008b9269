"""How a partial pane is stored in Redis: format 1, and format 2 where most cells are filled.

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

Format 2 has no cell indices but a bit a cell (the lowest of the first byte is cell 0), then a byte a nonzero cell, which is
its count or 255, then the counts of those with 255 in the width that the head names (no width of an index: 0).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from schemas.errors import StoreError

FORMAT, FULL = 1, 2
#: In format 2 a count of so much or more is written apart.
LARGE = 255
HEAD = struct.Struct("<BBIIII")
#: The same as a record of numpy, for many at once.
HEADS = np.dtype(
    [("format", "u1"), ("widths", "u1"), ("revision", "<u4"), ("filled", "<u4"), ("columns", "<u4"), ("summed", "<u4")]
)
assert HEADS.itemsize == HEAD.size
BYTE, SHORT, INTEGER, FLOAT = np.dtype("u1"), np.dtype("<u2"), np.dtype("<i8"), np.dtype("<f8")
UNSIGNED: dict[int, np.dtype[np.unsignedinteger]] = {width: np.dtype(f"<u{width}") for width in (1, 2, 4, 8)}

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
#: Indices of the nonzero cells, and their counts.
_Filled = tuple[npt.NDArray[Any], npt.NDArray[Any]]


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
    """The stored form of a partial, format 1."""
    (index,) = (partial.cells != 0).nonzero()  # of booleans, numpy finds them several times as fast
    counts = partial.cells[index]
    index_type, count_type = narrowest(len(partial.cells)), _narrowest_of(counts)
    widths = index_type.itemsize << 4 | count_type.itemsize
    cells = index.astype(index_type).tobytes() + counts.astype(count_type).tobytes()
    return _joined(partial, FORMAT, widths, filled=len(index), cells=cells)


def pack_shorter(partial: Partial) -> bytes:
    """The stored form of a partial in whichever format takes less."""
    return min(pack(partial), _pack_full(partial), key=len)


def _pack_full(partial: Partial) -> bytes:
    filled = partial.cells != 0
    counts = partial.cells[filled]
    large = counts[counts >= LARGE]
    count_type = _narrowest_of(large)
    bits = np.packbits(filled, bitorder="little").tobytes()
    cells = bits + np.minimum(counts, LARGE).astype(BYTE).tobytes() + large.astype(count_type).tobytes()
    return _joined(partial, FULL, count_type.itemsize, filled=len(counts), cells=cells)


def _joined(partial: Partial, form: int, widths: int, *, filled: int, cells: bytes) -> bytes:
    """The head, the cells, and what is the same in all formats."""
    (sums,) = partial.sums.nonzero()
    parts = (
        HEAD.pack(form, widths, partial.revision, filled, len(partial.extrema) // 2, len(sums)),
        cells,
        sums.astype(SHORT).tobytes(),
        partial.sums[sums].astype(INTEGER, copy=False).tobytes(),
        partial.extrema.astype(FLOAT, copy=False).tobytes(),
    )
    return b"".join(parts)


def unpack(stored: bytes, cells: int) -> Partial:
    """The partial behind its stored form, for a layout of ``cells`` cells.

    :raises StoreError: the format is another one, or the bytes do not fit it.
    """
    if not stored or stored[0] not in (FORMAT, FULL):
        raise StoreError(
            f"stored pane has format {stored[:1].hex() or 'none'}, this release reads {FORMAT:02x} and {FULL:02x}: "
            "use the release that wrote it, or start a new environment"
        )
    try:
        return _unpack(stored, cells)
    except (ValueError, IndexError, TypeError, struct.error) as error:
        raise StoreError(f"stored pane of {len(stored)} bytes is damaged: {error}") from error


def _unpack(stored: bytes, cells: int) -> Partial:
    form, widths, revision, filled, columns, summed = HEAD.unpack_from(stored)
    reader = _Reader(stored, HEAD.size)
    full = form == FULL
    index, counts = _full(reader, widths, filled, cells=cells) if full else _sparse(reader, widths, filled)
    size = reader.at + 10 * summed + 16 * columns
    if size != len(stored):
        raise ValueError(f"the head promises {size} bytes")
    counted, sums = np.zeros(cells, np.int64), np.zeros(2 * columns, np.int64)
    counted[index] = counts
    where = reader.take(SHORT, summed)
    sums[where] = reader.take(INTEGER, summed)
    return Partial(counted, sums, reader.take(FLOAT, 2 * columns).astype(np.float64), revision)


def _sparse(reader: _Reader, widths: int, filled: int) -> _Filled:
    return reader.take(_unsigned(widths >> 4), filled), reader.take(_unsigned(widths & 15), filled)


def _full(reader: _Reader, widths: int, filled: int, *, cells: int) -> _Filled:
    bits = reader.take(BYTE, -(-cells // 8)).astype(np.uint8, copy=False)
    index = np.flatnonzero(np.unpackbits(bits, bitorder="little"))
    if len(index) != filled:
        raise ValueError(f"the head promises {filled} cells")
    counts = reader.take(BYTE, filled).astype(np.int64)
    large = counts == LARGE
    counts[large] = reader.take(_unsigned(widths), int(large.sum()))
    return index, counts


class _Reader:
    """Reads typed arrays one after the other."""

    def __init__(self, stored: bytes, at: int) -> None:
        self.stored, self.at = stored, at

    def take(self, dtype: np.dtype[np.generic], count: int) -> npt.NDArray[np.generic]:
        found = np.frombuffer(self.stored, dtype, count, self.at)
        self.at += found.nbytes
        return found


def _narrowest_of(counts: Ints) -> np.dtype[np.unsignedinteger]:
    return narrowest(int(counts.max()) if len(counts) else 0)


def narrowest(largest: int) -> np.dtype[np.unsignedinteger]:
    return next(UNSIGNED[width] for width in (1, 2, 4, 8) if largest < 1 << 8 * width)


def _unsigned(width: int) -> np.dtype[np.unsignedinteger]:
    if width not in UNSIGNED:
        raise ValueError(f"integers of {width} bytes")
    return UNSIGNED[width]
