"""A few counts of each closed pane, kept as long as the longest window that asks for their sum.  Pure.

Panes are kept for six hours, their sums by the hour for three days, by the day for as long as a budget lasts; so what is held
is bounded by some hundred rows, however long a budget is.  A window is a sum of whole rows: it begins with the row that its
beginning falls into.  Sums of integers, so late events, another order and a restart give the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from stream.evaluate.panes.tiers import DAY_MS, HOUR_MS
from stream.state.packing import Ints

#: For how long rows of a pane and of an hour are kept.
FINE_MS, HOURS_MS = 6 * HOUR_MS, 3 * DAY_MS


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """Rows of one length, by their starts: (rows,) and (rows, counts)."""

    length_ms: int
    keep_ms: int
    starts: Ints
    counts: Ints

    def first_of(self, end_ms: int, span_ms: int) -> int:
        """Start of the first row of a window."""
        begin = end_ms - span_ms
        return begin - begin % self.length_ms

    def total(self, end_ms: int, span_ms: int) -> Ints:
        """The sum of the rows of a window that ends after the newest of them."""
        found: Ints = self.counts[np.searchsorted(self.starts, self.first_of(end_ms, span_ms)) :].sum(axis=0)
        return found

    def holding(self, sums: Mapping[int, Ints]) -> Rows:
        """With these rows, by their starts, and no others."""
        starts = sorted(sums)
        counts = np.array([sums[start] for start in starts], np.int64).reshape(len(starts), self.counts.shape[1])
        return replace(self, starts=np.array(starts, np.int64), counts=counts)

    def plus(self, start_ms: int, counts: Ints, *, at_ms: int) -> Rows:
        """With what a pane adds to the row that it begins in; what is too old at ``at_ms`` is left out."""
        starts, held, start = self.starts, self.counts, start_ms - start_ms % self.length_ms
        at = int(np.searchsorted(starts, start))
        if at < len(starts) and starts[at] == start:
            held = held.copy()
            held[at] += counts
        else:
            starts, held = np.insert(starts, at, start), np.insert(held, at, counts, axis=0)
        old = int(np.searchsorted(starts, self.first_of(at_ms, self.keep_ms)))
        return replace(self, starts=starts[old:], counts=held[old:])


@dataclass(frozen=True, eq=False, slots=True)
class Ledger:
    """``at_ms`` is the end of the newest pane; ``rows`` the shortest first."""

    pane_ms: int
    at_ms: int
    rows: tuple[Rows, ...]

    def plus(self, start_ms: int, counts: Ints) -> Ledger:
        """With a further pane's counts, or what a late event adds to an earlier one's."""
        at_ms = max(self.at_ms, start_ms + self.pane_ms)
        return replace(
            self, at_ms=at_ms, rows=tuple(rows.plus(start_ms, counts, at_ms=at_ms) for rows in self.rows)
        )  # fmt: skip

    def whole(self) -> Ints:
        """The sum of all that is known."""
        found: Ints = self.rows[-1].counts.sum(axis=0)
        return found

    def total(self, span_ms: int) -> Ints:
        """The sum over the window of such a length that ends with the newest pane."""
        rows = next((rows for rows in self.rows if rows.keep_ms >= span_ms), self.rows[-1])
        return rows.total(self.at_ms, span_ms)


def lengths_of(pane_ms: int, *, longest_ms: int) -> Mapping[int, int]:
    """How long the rows of each length are kept, the shortest first; a row is no shorter than a pane.

    >>> {length // 60_000: kept // 3_600_000 for length, kept in lengths_of(60_000, longest_ms=30 * DAY_MS).items()}
    {1: 6, 60: 72, 1440: 720}
    >>> {length // 3_600_000: kept // 3_600_000 for length, kept in lengths_of(HOUR_MS, longest_ms=30 * DAY_MS).items()}
    {1: 72, 24: 720}
    """
    found: dict[int, int] = {}
    for length, kept in ((pane_ms, FINE_MS), (HOUR_MS, HOURS_MS), (DAY_MS, max(longest_ms, HOURS_MS))):
        found[max(length, pane_ms)] = kept
    return found


def begun(pane_ms: int, *, at_ms: int, longest_ms: int, counts: int) -> Ledger:
    """The ledger of no pane, whose rows have so many counts; windows may be ``longest_ms`` long."""
    nothing, none = np.zeros(0, np.int64), np.zeros((0, counts), np.int64)
    lengths = lengths_of(pane_ms, longest_ms=longest_ms)
    return Ledger(pane_ms, at_ms, tuple(Rows(length, kept, nothing, none) for length, kept in lengths.items()))
