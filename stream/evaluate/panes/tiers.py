"""The lengths in which closed panes are kept: the pane itself, the hour and the day.  Pure.

A window is a sum of rows of the longest tier that divides both it and its step, so a week costs 168 rows, not ten thousand.
A tier's row is the sum of its closed panes so far; it is written again with each of them, in the same script.
"""

from __future__ import annotations

from dataclasses import dataclass

from stream.state.packing import Partial
from stream.state.store import PANES_A_BLOCK

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_LONGER = (("1h", HOUR_MS), ("1d", DAY_MS))


def rows_a_day(row_ms: int) -> int | None:
    """Rows of a length in a day; None where they do not make one up.

    >>> rows_a_day(HOUR_MS), rows_a_day(7 * HOUR_MS)
    (24, None)
    """
    return DAY_MS // row_ms if DAY_MS % row_ms == 0 else None


@dataclass(frozen=True, slots=True)
class Tier:
    """A name, as in keys, and a length."""

    name: str
    length_ms: int

    def start_of(self, at_ms: int) -> int:
        """Start of the row that holds a time."""
        return at_ms - at_ms % self.length_ms

    def block_of(self, start_ms: int) -> int:
        """Start of the block of rows that are stored in one hash."""
        span = PANES_A_BLOCK * self.length_ms
        return start_ms - start_ms % span


def tiers_of(pane_ms: int) -> tuple[Tier, ...]:
    """The tiers of panes of this length, the pane's first.

    >>> [tier.name for tier in tiers_of(60_000)], [tier.name for tier in tiers_of(3_600_000)]
    (['pane', '1h', '1d'], ['pane', '1d'])
    """
    longer = [Tier(name, length) for name, length in _LONGER if length > pane_ms and length % pane_ms == 0]
    return (Tier("pane", pane_ms), *longer)


def tier_for(pane_ms: int, *, window_ms: int, step_ms: int) -> Tier:
    """The longest tier that divides a window and its step.

    >>> tier_for(60_000, window_ms=7 * DAY_MS, step_ms=HOUR_MS).name
    '1h'
    """
    return [t for t in tiers_of(pane_ms) if window_ms % t.length_ms == 0 and step_ms % t.length_ms == 0][-1]


def revised(row: Partial, *, old: Partial | None, new: Partial) -> Partial:
    """A longer tier's row in which a pane that held ``old`` now holds ``new``: exact, for events are only ever added."""
    if old is None:
        return row + new
    gained = Partial(new.cells - old.cells, new.sums - old.sums, new.extrema, new.revision - old.revision)
    return row + gained
