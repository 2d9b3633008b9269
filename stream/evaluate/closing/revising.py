"""Late events: panes that were closed are merged again, and the windows they are in get one revised report a poll.

So do windows whose rolling columns were held against one that they are in.  A revised report has its window's end and a greater
count of events, its own or the earlier window's, which number it: so a replay numbers alike.  Panes
older than ``revise_within`` are merged again too, for their counts stay exact, but their windows are not told anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from stream.evaluate.closing import service
from stream.evaluate.closing.book import Book
from stream.evaluate.closing.closing import Desk, Due
from stream.evaluate.closing.live_panes import forget
from stream.evaluate.closing.loading import load_rings, window_at
from stream.evaluate.closing.unit import Unit
from stream.evaluate.closing.walk import Walk
from stream.evaluate.columns.rolling import ends_held_against, is_rolling
from stream.evaluate.judging.judge_pane import Pane
from stream.evaluate.panes.ring import Sliding
from stream.evaluate.panes.totals import Summed
from stream.evaluate.panes.touched import COMPARED
from stream.evaluate.panes.windows import WindowSpec
from stream.evaluate.storing.notes import Note
from stream.state.layout import Layout
from stream.state.packing import Partial

#: Panes that are merged again in one batch.
AT_ONCE = 24
#: Layout hash -> the layout, of all in which a model's panes were ever stored.
Layouts = Mapping[str, Layout]


async def revise(desk: Desk, unit: Unit, notes: Sequence[Note], *, due: Due, layouts: Layouts) -> list[Note]:
    """Merge again what these notes (of closed panes) name; the notes that were acted on.

    :raises Refused: something was not stored.
    :raises StoreError: a pane is damaged.
    """
    done: list[Note] = []
    for digest in sorted({note.layout for note in notes} & set(layouts)):
        own = [note for note in notes if note.layout == digest]
        starts = sorted({note.start_ms for note in own})
        for first in range(0, len(starts), AT_ONCE):
            await _revise_some(desk, unit, starts[first : first + AT_ONCE], due=due, layout=layouts[digest])
        done += own
    return done


async def _revise_some(desk: Desk, unit: Unit, starts: Sequence[int], *, due: Due, layout: Layout) -> None:
    incarnations = [partition.incarnation for partition in due.partitions]
    found = await desk.merged.whole(layout, starts, incarnations=incarnations)
    walk = desk.walk(unit, due)
    book, summed = Book(desk.merged, layout), Summed(layout)
    changed = [start for start, new in found.items() if await book.replace(start, new)]
    if not changed:
        return
    for start, new, old in book.gained:
        walk.conclusion.add(summed.increments(old, new), newest=summed.latest(new, start + layout.pane_ms))
    await book.write(walk.conclusion)
    await service.load_ledger(unit, desk.merged)
    for start, new, old in book.gained:
        service.closed(unit, start, new, old=old, layout=layout)
    recent = _recent(unit, changed) if layout.hash == unit.phase.watched.layout.hash else None
    if recent is not None:
        await _judge_again(desk, walk, book, changed=changed, recent=recent)
    if unit.stream in COMPARED:
        unit.touched = unit.touched.by(recent or ())
    walk.progress()
    await desk.store(walk, due)
    desk.tally.revised += len(walk.reports)


def _recent(unit: Unit, changed: Iterable[int]) -> list[int]:
    """Those of the panes whose windows are told anew."""
    phase = unit.phase
    within, last = phase.pane_ms + phase.watched.monitor.revise_within_ms, unit.last or 0
    return [start for start in changed if start + within > last]


async def _judge_again(desk: Desk, walk: Walk, book: Book, *, changed: Sequence[int], recent: Sequence[int]) -> None:
    unit, phase = walk.unit, walk.unit.phase
    await load_rings(unit, desk.merged)
    _take_over(unit, book)
    forget(unit, changed)
    for start in recent:
        await walk.conclude_pane(Pane(start, start + phase.pane_ms, book.rows[phase.tiers[0]][start]))
    await walk.conclude_service()
    for spec, ring in unit.rings or ():
        ends = ends_of(
            recent, length_ms=spec.length_ms, step_ms=phase.step_ms, pane_ms=phase.pane_ms, upto=unit.judged_to
        )
        held = await _held_against(desk, unit, recent, length_ms=spec.length_ms)
        await _judge_ends(desk, walk, (spec, ring), ends=sorted({*ends, *held}), revised=book.rows[spec.tier])


async def _held_against(desk: Desk, unit: Unit, starts: Iterable[int], *, length_ms: int) -> set[int]:
    """Ends of the judged windows whose rolling columns are held against one that holds any of these panes."""
    watched, step_ms = unit.phase.watched, unit.phase.step_ms
    if unit.stream != "predictions" or not is_rolling(watched):
        return set()
    zone, upto = watched.monitor.timezone, unit.judged_to
    return await desk.merged.asking.beside(
        partial(ends_held_against, starts, length_ms=length_ms, step_ms=step_ms, zone=zone, upto=upto)
    )


def ends_of(starts: Iterable[int], *, length_ms: int, step_ms: int, pane_ms: int, upto: int) -> list[int]:
    """Ends of the judged windows that hold any of these panes.

    >>> ends_of([5], length_ms=10, step_ms=5, pane_ms=1, upto=100)
    [10, 15]
    >>> ends_of([5], length_ms=10, step_ms=5, pane_ms=1, upto=12)
    [10]
    """
    found: set[int] = set()
    for start in starts:
        first = -(-(start + pane_ms) // step_ms) * step_ms
        found |= set(range(first, min(upto, start + length_ms) + 1, step_ms))
    return sorted(found)


async def _judge_ends(
    desk: Desk, walk: Walk, window: tuple[WindowSpec, Sliding], *, ends: Sequence[int], revised: dict[int, Partial]
) -> None:
    spec, current = window
    if ends and ends[0] < current.end_ms:
        ring = await window_at(walk.unit, desk.merged, spec, end_ms=ends[0], revised=revised)
        for end in ends:
            ring.slide(end)
            if ring.events:
                await walk.judge(spec, ring, newest=end == current.end_ms)
    elif ends:
        await walk.judge(spec, current, newest=True)


def _take_over(unit: Unit, book: Book) -> None:
    """The revised rows stand in memory too."""
    for tier, rows in book.rows.items():
        for start, row in rows.items():
            if tier.name in unit.rows and unit.rows[tier.name][0] == start:
                unit.rows[tier.name] = start, row
            for spec, ring in unit.rings or ():
                if spec.tier == tier and start >= unit.begun - unit.begun % tier.length_ms:
                    ring.offer(start, row)
