"""Closes the panes that count by version, behind those of their stream: merged over partitions, kept by tiers, and no more.

Rows stand where those of a stream stand, under the hash of their layout (:mod:`stream.state.arms`).  Once a stream is closed up to
a time, so are its arms; late events have them merged again.  Nothing is judged here, and nothing added to the model's sums.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stream.evaluate.closing.book import Book
from stream.evaluate.closing.closing import Desk, Due, Refused
from stream.evaluate.closing.unit import Unit
from stream.evaluate.storing.commit import Conclusion
from stream.evaluate.storing.notes import Note
from stream.state.arms import is_of_arms
from stream.state.layout import Layout

#: Panes that are merged in one batch.
AT_ONCE = 24


def arms_among(layouts: Mapping[str, Layout]) -> dict[str, Layout]:
    """Of layouts by hash, those that count by version."""
    return {digest: layout for digest, layout in layouts.items() if is_of_arms(layout)}


async def close_arms(
    desk: Desk, unit: Unit, notes: Sequence[Note], *, due: Due, layouts: Mapping[str, Layout]
) -> list[Note]:
    """Merge what the notes name of panes that are over by where the stream is closed; the notes that were acted on.

    :raises Refused: something was not stored.
    :raises StoreError: a pane is damaged.
    """
    done: list[Note] = []
    for digest, layout in sorted(layouts.items()):
        closed = (unit.last or 0) - layout.pane_ms
        own = [note for note in notes if note.layout == digest and note.start_ms <= closed]
        starts = sorted({note.start_ms for note in own})
        for first in range(0, len(starts), AT_ONCE):
            await _close_some(desk, unit, starts[first : first + AT_ONCE], due=due, layout=layout)
        done += own
    return done


async def _close_some(desk: Desk, unit: Unit, starts: Sequence[int], *, due: Due, layout: Layout) -> None:
    incarnations = [partition.incarnation for partition in due.partitions]
    found = await desk.merged.whole(layout, starts, incarnations=incarnations)
    book, conclusion = Book(desk.merged, layout), Conclusion(unit.model, unit.stream, unit.expected)
    changed = [start for start, new in found.items() if await book.replace(start, new)]
    if changed:
        await book.write(conclusion)
        outcome = await desk.commits.store(conclusion, token=due.token)
        if outcome != "stored":
            raise Refused(outcome)
