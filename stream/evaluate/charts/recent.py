"""The newest values of every chart, from which the onset of what one finds is told: a byte a value, so many panes and no more.

A value is kept in twelfths of an sd, which moves no onset.  A column without a value in a pane has none there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.charts import onset as onsets

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.int8]

#: Panes that are kept: what takes a chart longer to find is dated to the oldest of them.
PANES = 512
_PARTS, _NONE = 12.0, -128


class Stored(msgspec.Struct, frozen=True):
    """The stored form: the first pane's end, then pairs (time from a pane to the next, how many times), and the values, pane by
    pane, in base 64."""

    first: int = 0
    gaps: list[int] = []
    codes: bytes = b""


@dataclass(frozen=True, eq=False, slots=True)
class Recent:
    """(panes,) their ends, (panes, columns) their values."""

    ends: Ints
    codes: Codes

    def thens(self, ends: Sequence[int], values: Floats, filled: Bools) -> list[Recent]:
        """With one more pane, with two, and so on; of all their values only one copy is held."""
        newest = _codes(values, filled)
        keep = 1 - PANES
        whole = Recent(
            np.concatenate((self.ends[keep:], np.array(ends, np.int64))), np.concatenate((self.codes[keep:], newest))
        )
        upto = range(len(whole.ends) - len(ends) + 1, len(whole.ends) + 1)
        return [Recent(whole.ends[max(0, end - PANES) : end], whole.codes[max(0, end - PANES) : end]) for end in upto]

    def values(self, column: int) -> tuple[Ints, Floats]:
        """The panes (ends) in which a column had a value, and the values."""
        codes = self.codes[:, column]
        there = codes != _NONE
        return self.ends[there], codes[there] / _PARTS

    def newest(self, panes: int) -> Floats:
        """(panes, columns) the values of so many newest panes, or of all that are kept; NaN where a column had none."""
        codes = self.codes[max(len(self.codes) - panes, 0) :]
        found: Floats = np.where(codes == _NONE, np.nan, codes / _PARTS)
        return found

    def onset(self, column: int, *, falling: bool, pane_ms: int, since: int = 1) -> tuple[int, int]:
        """From when to when that may have begun which a chart found at the newest value, or the first of the ``since`` newest.

        What began between two panes shows in the second: so from the end of the last pane that is surely untouched.
        """
        ends, values = self.values(column)
        known = values[: len(values) - since + 1]
        found = onsets.onset(-known if falling else known)
        return self._after(ends, found.low, pane_ms=pane_ms), int(ends[found.high])

    def span(self, column: int, *, since: int, back: int, pane_ms: int) -> tuple[int, int]:
        """The ``back`` values that end with the first of the ``since`` newest, in time."""
        ends, _ = self.values(column)
        last = max(len(ends) - since, 0)
        return self._after(ends, max(last - back + 1, 0), pane_ms=pane_ms), int(ends[last])

    def revised(self, end: int, values: Floats, filled: Bools) -> Recent:
        """With the values that a pane of the series has now; itself where they are the same, or there is no such pane."""
        at = int(np.searchsorted(self.ends, end))
        codes = _codes(values, filled)
        if at == len(self.ends) or self.ends[at] != end or (self.codes[at] == codes).all():
            return self
        changed = self.codes.copy()
        changed[at] = codes
        return Recent(self.ends, changed)

    @staticmethod
    def _after(ends: Ints, at: int, *, pane_ms: int) -> int:
        """From when on that may have begun which first shows in a value: the end of the one before."""
        return int(ends[at - 1] if at else ends[0] - pane_ms)

    def stored(self) -> Stored:
        """What is stored of it."""
        if not len(self.ends):
            return Stored()
        return Stored(int(self.ends[0]), _runs(np.diff(self.ends)), self.codes.tobytes())


def begun(columns: int) -> Recent:
    """No pane yet."""
    return Recent(np.zeros(0, dtype=np.int64), np.zeros((0, columns), dtype=np.int8))


def recalled(stored: Stored, columns: int) -> Recent:
    """What ``stored`` gave, of so many columns; none where it is of another shape."""
    codes = np.frombuffer(stored.codes, dtype=np.int8)
    gaps = np.repeat(stored.gaps[0::2], stored.gaps[1::2])
    if not codes.size or codes.size != columns * (len(gaps) + 1):
        return begun(columns)
    ends = stored.first + np.concatenate([[0], np.cumsum(gaps, dtype=np.int64)]).astype(np.int64)
    return Recent(ends, codes.reshape(-1, columns))


def _codes(values: Floats, filled: Bools) -> Codes:
    return np.where(filled, np.rint(values * _PARTS), _NONE).astype(np.int8)


def _runs(gaps: Ints) -> list[int]:
    """(gap, times, gap, times ...) of gaps in a row.

    >>> _runs(np.array([5, 5, 9]))
    [5, 2, 9, 1]
    """
    starts = np.flatnonzero(np.diff(gaps, prepend=gaps[:1] - 1))
    times = np.diff(starts, append=len(gaps))
    found: list[int] = np.column_stack([gaps[starts], times]).ravel().tolist()
    return found
