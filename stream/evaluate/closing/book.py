"""The stored rows that panes change when they are merged again: the pane's own, and those of every longer tier that holds it."""

from __future__ import annotations

from stream.evaluate.panes.tiers import Tier, revised, tiers_of
from stream.evaluate.storing.commit import Conclusion
from stream.evaluate.storing.merged import Merged
from stream.state.arms import stored_form
from stream.state.layout import Layout
from stream.state.packing import Partial, pack


class Book:
    """The rows of all tiers that a batch of panes of one layout changes; stored rows are read once.

    ``gained``: of each pane that changed its start, what it holds, and what it held (None: nothing was stored).
    """

    def __init__(self, merged: Merged, layout: Layout) -> None:
        self.gained: list[tuple[int, Partial, Partial | None]] = []
        self.rows: dict[Tier, dict[int, Partial]] = {tier: {} for tier in tiers_of(layout.pane_ms)}
        self._merged, self._layout = merged, layout

    async def replace(self, start_ms: int, new: Partial) -> bool:
        """Put ``new`` in the pane's place in every tier; False where nothing had changed."""
        pane, *longer = self.rows
        old = await self._merged.row(self._layout, pane, start_ms)
        if old is not None and pack(old) == pack(new):
            return False
        self.rows[pane][start_ms] = new
        for tier in longer:
            start = tier.start_of(start_ms)
            row = self.rows[tier].get(start) or await self._merged.row(self._layout, tier, start)
            self.rows[tier][start] = new if row is None else revised(row, old=old, new=new)
        self.gained.append((start_ms, new, old))
        return True

    async def write(self, conclusion: Conclusion) -> None:
        """Have the rows written with the batch."""
        for tier, rows in self.rows.items():
            for start, row in rows.items():
                conclusion.row(
                    self._merged.closed_key(self._layout, tier, start), start, stored_form(self._layout, row)
                )
                await self._merged.breath()
