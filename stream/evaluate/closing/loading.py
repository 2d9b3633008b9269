"""Builds in memory what a unit carries from pane to pane, from the rows of closed panes in Redis."""

from __future__ import annotations

import logging
from functools import partial

from stream.evaluate.calibration.calibrated import is_known, known_calibration
from stream.evaluate.calibration.pooled import known_pooled
from stream.evaluate.charts.limits import is_prepared, prepare
from stream.evaluate.closing.service import load_ledger
from stream.evaluate.closing.unit import Unit
from stream.evaluate.columns.watched import Watched
from stream.evaluate.judging.judge_window import Window, is_calibrated
from stream.evaluate.panes.ring import Sliding
from stream.evaluate.panes.windows import WindowSpec
from stream.evaluate.storing.merged import Merged
from stream.state.packing import Partial
from stream.state.uncharted import lacks_river

log = logging.getLogger(__name__)


async def load_rings(unit: Unit, merged: Merged) -> None:
    """The windows of the unit's phase as they stand after its last closed pane, and the rows that may still grow."""
    if not is_prepared(unit.phase.watched):
        await merged.asking.beside(partial(prepare, unit.phase.watched))
        if unit.stream == "predictions" and (lacking := lacks_river(unit.phase.watched.monitor)) is not None:
            log.error("charts of %s: %s", unit.model, lacking)
    await load_ledger(unit, merged)
    if unit.rings is not None or unit.last is None:
        return
    unit.judged_to = unit.boundary()
    rings = [(spec, await window_at(unit, merged, spec, end_ms=unit.judged_to)) for spec in unit.phase.windows]
    unit.rows = await _open_rows(unit, merged)
    unit.rings = rings


async def window_at(
    unit: Unit, merged: Merged, spec: WindowSpec, *, end_ms: int, revised: dict[int, Partial] | None = None
) -> Sliding:
    """A window that ends at ``end_ms``, with the later rows waiting; ``revised`` rows stand in for stored ones."""
    layout = unit.phase.watched.layout
    ring = Sliding(layout, spec.length_ms, end_ms)
    first = max(spec.tier.start_of(unit.begun), end_ms - spec.length_ms)
    found = await merged.rows(layout, spec.tier, span=(first, max(unit.last or 0, first)))
    for start, row in sorted((found | (revised or {})).items()):
        ring.offer(start, row)
        await merged.breath()
    return ring


async def prepare_tests(watched: Watched, merged: Merged, window: Window) -> None:
    """Have the tests that a window is judged by made beside the event loop, where they are not known yet."""
    if not is_calibrated(watched, window):
        return
    if not is_known(watched, window.size, window.live):
        await merged.asking.beside(partial(known_calibration, watched, window.size))
    if (window.name, window.length_ms) not in watched.pooled:
        await merged.asking.beside(partial(known_pooled, watched, window.name, window.length_ms))


async def _open_rows(unit: Unit, merged: Merged) -> dict[str, tuple[int, Partial]]:
    last, layout, found = unit.last or 0, unit.phase.watched.layout, {}
    for tier in unit.phase.tiers:
        start = tier.start_of(last)
        row = await merged.row(layout, tier, start) if start < last else None
        if row is not None:
            found[tier.name] = start, row
    return found
