"""A window's sum, carried from one end to the next by exact integer addition and subtraction.

What is held of each row is its packed form; only the total is spread out.  Minima and maxima cannot be subtracted: they are
found anew among the rows left, but only when a row leaves that held one of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream.state.layout import EVENTS, Layout
from stream.state.packing import Floats, Partial, empty, pack, unpack


@dataclass(frozen=True, eq=False, slots=True)
class _Row:
    packed: bytes
    extrema: Floats


class Sliding:
    """The sum over ``[end_ms - length_ms, end_ms)``; rows that end later are kept until it has slid over them."""

    def __init__(self, layout: Layout, length_ms: int, end_ms: int) -> None:
        self.layout, self.length_ms, self.end_ms = layout, length_ms, end_ms
        self.total = empty(layout.cells, len(layout.numeric))
        self._held: dict[int, _Row] = {}
        self._ahead: dict[int, tuple[Partial, bytes | None]] = {}

    @property
    def events(self) -> int:
        """Events in the window."""
        return int(self.total.cells[EVENTS])

    @property
    def busy(self) -> bool:
        """There are events in it, or waiting for it."""
        return bool(self.events or self._ahead)

    @property
    def start_ms(self) -> int:
        return self.end_ms - self.length_ms

    def offer(self, start_ms: int, row: Partial, packed: bytes | None = None) -> None:
        """A row as it is now; one that begins at or after the window's end waits, and may be offered again, grown.

        ``packed`` is its stored form, where somebody has it already.
        """
        if start_ms >= self.end_ms:
            self._ahead[start_ms] = row, packed
        elif start_ms >= self.start_ms:
            self._remove(start_ms)
            self._add(start_ms, row, packed)

    def slide(self, end_ms: int) -> None:
        """Move the end forward: rows that have come into the window are added, rows that left it subtracted."""
        self.end_ms = end_ms
        for start in sorted(start for start in self._ahead if start < end_ms):
            row, packed = self._ahead.pop(start)
            if start >= self.start_ms:
                self._add(start, row, packed)
        for start in [start for start in self._held if start < self.start_ms]:
            self._remove(start)

    def _add(self, start_ms: int, row: Partial, packed: bytes | None) -> None:
        total = self.total
        self._held[start_ms] = _Row(pack(row) if packed is None else packed, row.extrema.copy())
        total.cells.__iadd__(row.cells)
        total.sums.__iadd__(row.sums)
        np.minimum(total.extrema[0::2], row.extrema[0::2], out=total.extrema[0::2])
        np.maximum(total.extrema[1::2], row.extrema[1::2], out=total.extrema[1::2])

    def _remove(self, start_ms: int) -> None:
        left = self._held.pop(start_ms, None)
        if left is None:
            return
        total, row = self.total, unpack(left.packed, self.layout.cells)
        total.cells.__isub__(row.cells)
        total.sums.__isub__(row.sums)
        if (left.extrema == total.extrema).any():
            self._find_extrema()

    def _find_extrema(self) -> None:
        nothing = empty(0, len(self.layout.numeric)).extrema
        rows = np.concatenate([nothing, *(row.extrema for row in self._held.values())]).reshape(-1, len(nothing))
        rows[:, 0::2].min(axis=0, out=self.total.extrema[0::2])
        rows[:, 1::2].max(axis=0, out=self.total.extrema[1::2])
