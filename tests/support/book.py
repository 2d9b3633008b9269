"""What should be counted of one value after the other, in plain Python: slow, and simple enough to believe."""

from __future__ import annotations

import math
import struct
import zlib
from fractions import Fraction
from typing import Any

import numpy as np

from stream.state.layout import (
    CATEGORY_TAIL,
    EVENTS,
    HASH_BUCKETS,
    LATE,
    SPECIALS,
    CategoricalColumn,
    Layout,
    NumericColumn,
)
from stream.state.packing import Partial

GOLDEN = 0x9E3779B97F4A7C15


def numeric_cells(column: NumericColumn, value: Any) -> list[int]:
    """Cells of one value within its column, by the book."""
    special = _special(value)
    if special is not None:
        return [column.bins + SPECIALS.index(special)]
    x = float(value) + 0.0
    cells = [int(np.searchsorted(column.edges, x, side="right"))]
    if column.detailed:
        first = column.bins + len(SPECIALS)
        [bits] = struct.unpack("<Q", struct.pack("<d", x))
        cells.append(first + ((bits * GOLDEN) % 2**64 >> 60))
        cells += [first + HASH_BUCKETS + key for key in _outside(column, x)]
    return cells


def _special(value: Any) -> str | None:
    if value is None:
        return "missing"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "wrong_type"
    if value != value:
        return "nan"
    if abs(value) == math.inf or (isinstance(value, int) and abs(value) >= 2**1024):
        return "positive_infinity" if value > 0 else "negative_infinity"
    return None


def _outside(column: NumericColumn, x: float) -> list[int]:
    if column.minimum <= x <= column.maximum:
        return []
    side, distance = (0, column.minimum - x) if x < column.minimum else (32, x - column.maximum)
    return [side + _half_octave(distance / column.sd)]


def _half_octave(distance: float) -> int:
    if distance >= 2**10:
        return 31
    return sum(1 for key in range(1, 32) if Fraction(distance) ** 2 >= Fraction(2) ** (key - 12))


def categorical_cell(column: CategoricalColumn, value: Any) -> int:
    other, unseen, missing, wrong = (column.bins + at for at in range(len(CATEGORY_TAIL)))
    if value is None:
        return missing
    if isinstance(value, bool):
        value = "true" if value else "false"
    if isinstance(value, int | float) and value == value and value == math.floor(value):
        value = str(int(value))
    if not isinstance(value, str):
        return wrong
    if column.buckets:
        return zlib.crc32(value.encode()) % column.buckets
    value = dict(column.aliases).get(value, value)
    return column.categories.index(value) if value in column.categories else other if value in column.folded else unseen


class Book:
    """What should be counted in one partial, in plain Python."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.cells = [0] * layout.cells
        self.sums = [0] * (2 * len(layout.numeric))
        self.extrema = [math.inf, -math.inf] * len(layout.numeric)

    def add(self, values: dict[str, Any], *, late: bool) -> None:
        self.cells[EVENTS] += 1
        self.cells[LATE] += late
        for at, (column, first) in enumerate(zip(self.layout.numeric, self.layout.numeric_starts, strict=True)):
            for cell in numeric_cells(column, values.get(column.name)):
                self.cells[first + cell] += 1
            if _special(values.get(column.name)) is None:
                self._add_moments(at, column, float(values[column.name]) + 0.0)
        for named, first in zip(self.layout.categorical, self.layout.categorical_starts, strict=True):
            self.cells[first + categorical_cell(named, values.get(named.name))] += 1

    def _add_moments(self, at: int, column: NumericColumn, x: float) -> None:
        q = round(min(max((x - column.mean) / column.sd, -64.0), 64.0) * 4096)
        self.sums[2 * at] += q
        self.sums[2 * at + 1] += q * q
        self.extrema[2 * at] = min(self.extrema[2 * at], x)
        self.extrema[2 * at + 1] = max(self.extrema[2 * at + 1], x)

    def equals(self, counted: Partial) -> bool:
        return (counted.cells.tolist(), counted.sums.tolist(), counted.extrema.tolist()) == (
            self.cells,
            self.sums,
            self.extrema,
        )
