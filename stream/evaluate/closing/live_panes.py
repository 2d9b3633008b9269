"""Has the calibrated tests of a window made from live panes, beside the event loop, where the reference's do not do.

Stored rows are read when a further stretch has ended, once, and again where windows of another size need a test.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from stream.evaluate.calibration.calibrated import is_known, known_calibration
from stream.evaluate.calibration.live_calibration import (
    Live,
    Rows,
    Search,
    Stretch,
    far_columns,
    first_start,
    folded_rows,
    is_filled,
    quiet_columns,
    stretch_ms,
    wants_live,
)
from stream.evaluate.closing.unit import Unit
from stream.evaluate.judging.judge_window import Window, is_calibrated
from stream.evaluate.panes.windows import WindowSpec
from stream.evaluate.storing.merged import Merged


async def with_live(unit: Unit, merged: Merged, window: Window, *, spec: WindowSpec) -> Window:
    """The window with what it is calibrated by beside the reference; the tests of it are known then."""
    watched = unit.phase.watched
    if not is_calibrated(watched, window) or not wants_live(watched, spec.length_ms):
        return window
    live = await _live(unit, merged, window, spec=spec)
    if live.stretches and not is_known(watched, window.size, live):
        spans = [(stretch.start_ms, stretch.end_ms) for stretch in live.stretches]
        rows = tuple([await _rows(unit, merged, spec, span=span) for span in spans])
        await merged.asking.beside(partial(known_calibration, watched, window.size, replace(live, rows=rows)))
    return replace(window, live=live)


def forget(unit: Unit, starts: Iterable[int]) -> None:
    """Panes that begin here hold more now: what was concluded from them is concluded again."""
    starts = list(starts)
    for key, search in list(unit.searches.items()):
        if any(search.first_ms <= start < search.upto_ms for start in starts):
            del unit.searches[key]


async def _live(unit: Unit, merged: Merged, window: Window, *, spec: WindowSpec) -> Live:
    row_ms = spec.tier.length_ms
    span_ms = stretch_ms(unit.phase.pane_ms, window_ms=spec.length_ms, row_ms=row_ms)
    first = first_start(unit.begun, window.start_ms, span_ms=span_ms, row_ms=row_ms)
    search = unit.searches.setdefault((spec.label, first), Search(first, first, first))
    wanted = len(unit.phase.watched.yardstick.profiles)
    while search.upto_ms + span_ms <= window.start_ms and len(search.settled) < wanted:
        await _look(unit, merged, spec, search=search, upto_ms=search.upto_ms + span_ms)
    ended = tuple(stretch for stretch in search.stretches if stretch.end_ms <= window.start_ms)
    # A window that is judged again, late, may begin before a stretch that has ended since.
    first_end = search.stretches[0].end_ms if search.stretches else search.upto_ms + span_ms
    return Live(ended, awaited_ms=None if ended else first_end + spec.length_ms)


async def _look(unit: Unit, merged: Merged, spec: WindowSpec, *, search: Search, upto_ms: int) -> None:
    span, search.upto_ms = (search.since_ms, upto_ms), upto_ms
    rows = await _rows(unit, merged, spec, span=span)
    if not is_filled(rows, window_ms=spec.length_ms):
        return
    search.since_ms = upto_ms
    quiet = partial(quiet_columns, unit.phase.watched, rows, window_ms=spec.length_ms, but=search.settled)
    held, far = await merged.asking.beside(quiet), far_columns(unit.phase.watched, rows)
    if held or far:
        search.stretches.append(Stretch(*span, int(rows.folded.sum()), held, far))


async def _rows(unit: Unit, merged: Merged, spec: WindowSpec, *, span: tuple[int, int]) -> Rows:
    watched = unit.phase.watched
    found = await merged.rows(watched.layout, spec.tier, span=span)
    return await merged.asking.beside(partial(folded_rows, watched, found, span, row_ms=spec.tier.length_ms))
