"""Live calibration in a generated model's walk: stored rows are the panes themselves, everything else is the service's own code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from stream.evaluate.closing.live_panes import with_live
from stream.evaluate.closing.unit import Unit
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_window import Window
from stream.evaluate.panes.tiers import Tier
from stream.evaluate.panes.windows import windows_of
from stream.evaluate.storing.merged import Merged
from stream.state.packing import Partial


class Calibrating:
    """A stream from its first pane on, of which rows of every tier are kept."""

    def __init__(self, watched: Watched) -> None:
        self._specs = windows_of(watched.monitor, watched.stream)
        self._unit = SimpleNamespace(
            phase=SimpleNamespace(watched=watched, pane_ms=watched.layout.pane_ms), begun=0, searches={}
        )
        self._rows: dict[int, dict[int, Partial]] = {spec.tier.length_ms: {} for spec in self._specs}
        self.asking = self

    def keep(self, start_ms: int, pane: Partial) -> None:
        """A closed pane: it is added to the row of each tier that holds it."""
        for length, rows in self._rows.items():
            start = start_ms - start_ms % length
            known = rows.get(start)
            cells = pane.cells.copy() if known is None else known.cells + pane.cells
            rows[start] = Partial(cells, pane.sums, pane.extrema)

    def calibrated(self, window: Window) -> Window:
        """The window with what it is calibrated by beside the reference."""
        spec = next(spec for spec in self._specs if spec.name == window.name)
        return asyncio.run(with_live(cast(Unit, self._unit), cast(Merged, self), window, spec=spec))

    def stretches(self) -> dict[str, list[tuple[int, int, int]]]:
        """By window (start, end, columns that are calibrated by it) of each stretch of use."""
        return {
            label: [(one.start_ms, one.end_ms, len(one.held)) for one in search.stretches]
            for (label, _), search in self._unit.searches.items()
        }

    async def rows(self, layout: Any, tier: Tier, *, span: tuple[int, int]) -> dict[int, Partial]:
        """As `Merged` gives them."""
        kept = self._rows[tier.length_ms]
        return {start: kept[start] for start in range(span[0], span[1], tier.length_ms) if start in kept}

    async def beside(self, work: Callable[[], Any]) -> Any:
        """Now: there is no loop to hold."""
        return work()
