"""The stored forms of many panes, compiled: straight from the vectors they are counted in into one run of bytes.

Byte for byte what :func:`stream.state.packing.pack` makes of each alone.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from stream.compiled.jit import uncounted
from stream.state.packing import FORMAT, HEAD

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Counts = npt.NDArray[np.unsignedinteger[Any]]
Int = int | np.int64

#: Bytes that are written at a time, or as many as one pane may take.
AT_ONCE = 1 << 20
_HEAD_BYTES = HEAD.size


def packed(
    cells: Counts, sums: Ints, extrema: npt.NDArray[np.float64], *, places: Ints, revisions: Ints
) -> tuple[list[bytes], Ints]:
    """The stored form of each pane, and its greatest count.

    :param places: of each pane where its cells begin and end, and its sums.
    """
    largest, ends = np.empty(len(places), np.int64), np.empty(len(places), np.int64)
    widest, summed = ((places[:, at + 1] - places[:, at]).max(initial=1) for at in (0, 2))
    out = np.empty(max(AT_ONCE, _HEAD_BYTES + 8 * int(widest) + 18 * int(summed)), np.uint8)
    scratch, bits = np.empty(widest, np.int64), extrema.view(np.int64)
    found: list[bytes] = []
    while len(found) < len(places):
        first = len(found)
        last = pack_rooms(cells, sums, bits, places, revisions, first, scratch, out, ends, largest)
        whole = out[: ends[last - 1]].tobytes()
        found += [whole[begin:end] for begin, end in pairwise((0, *ends[first:last].tolist()))]
    return found, largest


@uncounted
def pack_rooms(
    cells: Counts, sums: Ints, extrema: Ints, places: Ints, revisions: Ints, first: int, scratch: Ints, out: Bytes,
    ends: Ints, largest: Ints,
) -> int:  # fmt: skip
    """Pack the panes from ``first`` on that fit into ``out``, one at least where it holds the largest; which one was not."""
    at = 0
    for pane in range(first, len(places)):
        begin, end, begin_sum, end_sum = places[pane]
        filled, most = filled_cells(cells[begin:end], scratch)
        summed = 0
        for place in range(begin_sum, end_sum):
            summed += sums[place] != 0
        index_width, count_width = width_of(end - begin), width_of(most)
        if at + _HEAD_BYTES + filled * (index_width + count_width) + 10 * summed + 8 * (end_sum - begin_sum) > len(out):
            return pane
        out[at], out[at + 1] = FORMAT, index_width << 4 | count_width
        put_four(out, at + 2, revisions[pane])
        put_four(out, at + 6, filled)
        put_four(out, at + 10, (end_sum - begin_sum) // 2)
        put_four(out, at + 14, summed)
        at = put_cells(out, at + _HEAD_BYTES, cells[begin:end], scratch[:filled], index_width, count_width)
        at = put_sums(out, at, sums[begin_sum:end_sum], summed)
        for number in range(begin_sum, end_sum):
            put_eight(out, at, extrema[number])
            at += 8
        ends[pane], largest[pane] = at, most
    return len(places)


@uncounted
def filled_cells(cells: Counts, scratch: Ints) -> tuple[int, Int]:
    """How many cells of a pane are not zero, its waste cell left out, and the greatest; which they are, into ``scratch``.

    Without a branch: which cells are filled nobody can foretell, and a wrong guess takes as long as a dozen cells.
    """
    found, most = 0, cells[0] * 0
    for place in range(1, len(cells)):
        most = max(most, cells[place])
    for place in range(1, len(cells)):
        scratch[found] = place
        found += cells[place] != 0
    return found, np.int64(most)


@uncounted
def width_of(largest: Int) -> int:
    """Bytes of the narrowest integer that holds it."""
    if largest < 1 << 8:
        return 1
    if largest < 1 << 16:
        return 2
    return 4 if largest < 1 << 32 else 8


@uncounted
def put_cells(out: Bytes, at: int, cells: Counts, index: Ints, index_width: int, count_width: int) -> int:
    """Write which cells are filled, and their counts; where what comes next begins.

    Loops of one step each, by width: to ask for the width of each number again took longer than to find it.
    """
    if index_width == 2:
        for place in index:
            put_two(out, at, place)
            at += 2
    else:
        for place in index:
            put(out, at, place, index_width)
            at += index_width
    if count_width == 1:
        for place in index:
            out[at] = cells[place]
            at += 1
    else:
        for place in index:
            put(out, at, np.int64(cells[place]), count_width)
            at += count_width
    return at


@uncounted
def put_sums(out: Bytes, at: int, sums: Ints, summed: int) -> int:
    """Write which sums are not zero, and those; where what comes next begins."""
    behind = at + 2 * summed
    for place in range(len(sums)):
        if sums[place] != 0:
            put_two(out, at, place)
            put_eight(out, behind, sums[place])
            at, behind = at + 2, behind + 8
    return behind


@uncounted
def put(out: Bytes, at: int, value: Int, width: int) -> None:
    """Write so many lower bytes of a value, the lowest first."""
    for step in range(width):
        out[at + step] = (value >> (8 * step)) & 255


@uncounted
def put_two(out: Bytes, at: int, value: Int) -> None:
    """Write the two lower bytes."""
    out[at], out[at + 1] = value & 255, (value >> 8) & 255


@uncounted
def put_four(out: Bytes, at: int, value: Int) -> None:
    """Write the four lower bytes."""
    put_two(out, at, value)
    put_two(out, at + 2, value >> 16)


@uncounted
def put_eight(out: Bytes, at: int, value: Int) -> None:
    """Write all eight bytes."""
    put_four(out, at, value)
    put_four(out, at + 4, value >> 32)


def example() -> object:
    """Of rooms of each width, one behind the other."""
    places, extrema = np.array([[0, 5, 0, 2]]), np.array([np.inf, -np.inf])
    vectors: list[Counts] = [np.zeros(5, width) for width in ("u1", "u2", "u4")]
    return [
        packed(each, np.zeros(2, np.int64), extrema, places=places, revisions=np.zeros(1, np.int64)) for each in vectors
    ]
