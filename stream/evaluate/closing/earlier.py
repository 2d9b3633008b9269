"""Reads the window that rolling columns are held against: rows of closed panes, those of the batch at hand among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from stream.evaluate.closing.unit import Unit
from stream.evaluate.columns.rolling import Earlier, earlier_span, is_rolling
from stream.evaluate.judging.judge_window import Window, is_calibrated
from stream.evaluate.panes.tiers import Tier, tiers_of
from stream.evaluate.panes.windows import WindowSpec
from stream.evaluate.storing.merged import Merged
from stream.state.packing import Partial, unpack
from stream.state.store import PANES_A_BLOCK

#: By the key of their hash: rows that are not stored yet.
Written = Mapping[str, Mapping[int, bytes | Partial]]


async def with_earlier(unit: Unit, merged: Merged, window: Window, *, spec: WindowSpec, written: Written) -> Window:
    """The window with the one that its rolling columns are held against, where it has such columns."""
    watched = unit.phase.watched
    if not is_calibrated(watched, window) or not is_rolling(watched):
        return window
    layout, pane_ms = watched.layout, watched.layout.pane_ms
    span = earlier_span(window.start_ms, window.end_ms, zone=watched.monitor.timezone)
    tier = _tier(pane_ms, span, spec.tier)
    found = {start: row.cells for start, row in (await merged.rows(layout, tier, span=span)).items()}
    for block in range(tier.block_of(span[0]), span[1], PANES_A_BLOCK * tier.length_ms):
        for start, row in written.get(merged.closed_key(layout, tier, block), {}).items():
            if span[0] <= start < span[1]:
                found[start] = (unpack(row, layout.cells) if isinstance(row, bytes) else row).cells
    total = sum(found.values(), start=np.zeros(layout.cells, np.int64))
    return replace(window, earlier=Earlier(total, span[0] >= unit.begun))


def _tier(pane_ms: int, span: tuple[int, int], wanted: Tier) -> Tier:
    """The longest rows, of those that the window is a sum of, that begin where the earlier one does: clocks may have changed."""
    able = [tier for tier in tiers_of(pane_ms) if tier.length_ms <= wanted.length_ms]
    return [tier for tier in able if tier.length_ms == pane_ms or span[0] % tier.length_ms == 0][-1]
