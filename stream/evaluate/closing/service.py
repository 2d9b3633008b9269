"""What a unit carries of service levels from pane to pane, and how it is found again in the rows of closed panes.

Nothing of it is stored but what people and metrics read: rows of all layouts that the stream's panes were ever stored in say
the rest, for what is counted here is counted alike in every layout.  So neither a restart nor a new reference spends or
restores a budget.  Layouts that count by version stand beside the stream's own and hold the same events again: none of these.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from stream.evaluate.closing.unit import Unit
from stream.evaluate.panes.ledger import FINE_MS, Rows, begun
from stream.evaluate.panes.tiers import tiers_of
from stream.evaluate.storing.merged import Merged
from stream.evaluate.verdicts.burn import service_of
from stream.evaluate.verdicts.served import COUNTS, Terms, counts_of, terms_of
from stream.evaluate.verdicts.serving import suspect_in
from stream.state.arms import is_of_arms
from stream.state.layout import Layout
from stream.state.packing import Ints, Partial


async def load_ledger(unit: Unit, merged: Merged) -> None:
    """Have the ledger of the unit's phase in memory, if it keeps one."""
    terms = terms_of(unit.phase.watched)
    if unit.ledger is not None and unit.ledger_terms == terms:
        return
    unit.ledger, unit.ledger_terms = None, terms
    if terms is None or unit.last is None:
        return
    layouts = [layout for layout in await merged.layouts(unit.model, unit.stream) if not is_of_arms(layout)]
    at_ms = await _end_of_newest(unit, layouts, merged, last=unit.last)
    ledger = begun(terms.pane_ms, at_ms=at_ms, longest_ms=terms.longest_ms, counts=COUNTS)
    rows = [await _filled(rows, layouts, merged, at_ms=at_ms, terms=terms) for rows in ledger.rows]
    unit.ledger = replace(ledger, rows=tuple(rows))


def closed(
    unit: Unit, start_ms: int, new: Partial, *, old: Partial | None = None, layout: Layout | None = None
) -> None:
    """A pane was closed, or holds more than it did; of another layout than the phase's, where one is given."""
    if unit.ledger is None or unit.ledger_terms is None:
        return
    layout, promised = layout or unit.phase.watched.layout, unit.ledger_terms.promised_ms
    counts = counts_of(layout, new, promised_ms=promised)
    if old is not None:
        counts -= counts_of(layout, old, promised_ms=promised)
    unit.ledger = unit.ledger.plus(start_ms, counts)


def told(unit: Unit, newest: Partial | None) -> None:
    """Have what people and metrics read say what the ledger does, after a batch of which ``newest`` is the last pane."""
    if unit.ledger is None:
        return
    watched, before = unit.phase.watched, None if unit.service is None else unit.service.suspect
    suspect = before if newest is None else suspect_in(watched, newest)
    unit.service = service_of(watched, unit.ledger, suspect=suspect)


async def _end_of_newest(unit: Unit, layouts: Iterable[Layout], merged: Merged, *, last: int) -> int:
    """End of the newest pane with an event: as was told, else as rows of the last hours say; in a longer silence they do not."""
    if unit.service is not None and unit.service.at <= last:
        return unit.service.at
    ends = [0]
    for layout in layouts if unit.stored is not None else ():
        pane = tiers_of(layout.pane_ms)[0]
        found = await merged.rows(layout, pane, span=(pane.start_of(last - FINE_MS), last))
        ends += [start + layout.pane_ms for start in found]
    return min(max(ends), last) or last


async def _filled(rows: Rows, layouts: Iterable[Layout], merged: Merged, *, at_ms: int, terms: Terms) -> Rows:
    """The rows as they are stored, those of all layouts added up."""
    span = rows.first_of(at_ms, rows.keep_ms), at_ms
    sums: dict[int, Ints] = {}
    for layout in layouts:
        able = [tier for tier in tiers_of(layout.pane_ms) if tier.length_ms <= rows.length_ms]
        tier = able[-1] if able else tiers_of(layout.pane_ms)[0]
        found = await merged.rows(layout, tier, span=span)
        for start, row in found.items():
            counts, place = counts_of(layout, row, promised_ms=terms.promised_ms), start - start % rows.length_ms
            sums[place] = sums[place] + counts if place in sums else counts
            await merged.breath()
    return rows.holding(sums)
