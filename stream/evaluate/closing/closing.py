"""Closes the panes of one unit that are complete: reads them by whole blocks, walks over them, stores what was concluded.

A block is stored before the next is read, so a worker that ends in the middle has lost nothing and repeats at most one block,
whose findings have the same ids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from stream.evaluate.closing.loading import load_rings
from stream.evaluate.closing.unit import Phase, Unit
from stream.evaluate.closing.walk import Seen, Walk
from stream.evaluate.panes.clocks import NO_REBUILD, PartitionState, Rebuild, closed_before
from stream.evaluate.storing.commit import Commits, Outcome
from stream.evaluate.storing.merged import Merged
from stream.evaluate.storing.notes import Note, Notes
from stream.evaluate.storing.tally import EvaluationTally
from stream.evaluate.verdicts.withheld import Withheld
from stream.state.bulk import pack_all, passes
from stream.state.store import PANES_A_BLOCK


@dataclass(frozen=True, eq=False, slots=True)
class Due:
    """What is known at one poll: the stream's watermark for this unit, its partitions, and whether it is warming."""

    token: int
    watermark: int
    partitions: Sequence[PartitionState]
    warming: bool
    seen: Seen
    rebuild: Rebuild = NO_REBUILD

    def holds(self, end_ms: int) -> bool:
        """Whether nothing is told of what ends here: counts are missing, or it was judged before Redis was emptied."""
        return self.warming or self.rebuild.running or end_ms <= self.rebuild.quiet_to

    def frees(self, withheld: Withheld, *, next_end_ms: int) -> bool:
        """Whether what was withheld is to be told although nothing ends now: what ends next would be.

        Of events that come once a day the next end is a day away, and who is to be rung would not hear of it until then.
        """
        return bool(withheld.newest) and not self.holds(next_end_ms)


class Refused(Exception):
    """The script did not write: another holder is newer (``fenced``), or the stored hash is not where we thought."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome)
        self.outcome = outcome


@dataclass(frozen=True, eq=False, slots=True)
class Desk:
    """What evaluation of any unit works with; ``sent`` is told which models' outboxes were written to."""

    merged: Merged
    commits: Commits
    notes: Notes
    tally: EvaluationTally
    sent: Callable[[Sequence[str]], None]

    def walk(self, unit: Unit, due: Due) -> Walk:
        """A new batch."""
        return Walk(
            unit, self.merged, seen=due.seen, warming=due.warming, held=due.holds, breath=self.merged.breath,
            tally=self.tally,
        )  # fmt: skip

    async def store(self, walk: Walk, due: Due) -> None:
        """Store a batch, then the view.

        :raises Refused: it was not stored; the unit is to be dropped from memory.
        """
        unit = walk.unit
        outcome = await self.commits.store(walk.conclusion, token=due.token)
        if outcome != "stored":
            raise Refused(outcome)
        unit.stored = unit.last
        if walk.conclusion.messages:
            self.sent([unit.model])
        if walk.conclusion.reports:
            await self.commits.show(unit.model, _view(walk))


def is_done(unit: Unit, *, watermark: int) -> bool:
    """Whether ``close`` has nothing to do where nothing was noted: closed up to there, as configured now, with nothing withheld."""
    if unit.last is None:
        return True
    phase = unit.phase
    if unit.rings is None or unit.withheld.newest or (phase.until_ms is not None and unit.last >= phase.until_ms):
        return False
    if unit.layout != phase.watched.layout.hash or not unit.is_judged_by(phase.watched):
        return False
    return closed_before(watermark, pane_ms=phase.pane_ms) <= unit.last


async def close(desk: Desk, unit: Unit, notes: Sequence[Note], *, due: Due) -> list[Note]:
    """Close every complete pane of a unit; the notes that were acted on, to be forgotten.

    :raises Refused: something was not stored.
    :raises StoreError: a pane is damaged.
    """
    done: list[Note] = []
    if unit.last is None:
        starts = [note.start_ms for note in notes if _is_of_phase(unit, note)]
        if not starts or min(starts) + unit.phase_at(min(starts)).pane_ms > due.watermark:
            return done
        unit.begin(min(starts))
    while True:
        unit.change_over()
        phase = unit.phase
        await load_rings(unit, desk.merged)
        done += await _close_phase(desk, unit, notes, due=due)
        if phase.until_ms is None or (unit.last or 0) < phase.until_ms:
            return done


async def _close_phase(desk: Desk, unit: Unit, notes: Sequence[Note], *, due: Due) -> list[Note]:
    phase, last = unit.phase, unit.last or 0
    end = closed_before(due.watermark, pane_ms=phase.pane_ms)
    end = end if phase.until_ms is None else min(end, phase.until_ms)
    layout = phase.watched.layout
    open_now = [n for n in notes if n.layout == layout.hash and last <= n.start_ms < end]
    batches = _blocks(sorted(open_now, key=lambda note: note.start_ms))
    for at, batch in enumerate(batches):
        walk = desk.walk(unit, due)
        walk.withdraw()
        panes = await desk.merged.noted(layout, batch)
        for some in passes(panes.items(), cells=layout.cells):
            await walk.close(some, pack_all([pane for _, pane in some]))
        if at == len(batches) - 1:
            await _end(walk, end_ms=end, due=due)
        walk.progress()
        await desk.store(walk, due)
    # Another configuration is heard at once: beside a silence that it ends no pane will ever be closed.
    frees = due.frees(unit.withheld, next_end_ms=last + phase.pane_ms)
    if not batches and (end > last or not unit.is_judged_by(phase.watched) or frees):
        walk = desk.walk(unit, due)
        walk.withdraw()
        await _end(walk, end_ms=end, due=due)
        walk.progress()
        await desk.store(walk, due)
    return open_now


async def _end(walk: Walk, *, end_ms: int, due: Due) -> None:
    """Up to here all is closed."""
    unit = walk.unit
    await walk.pass_over(end_ms)
    if due.frees(unit.withheld, next_end_ms=(unit.last or 0) + unit.phase.pane_ms):
        walk.free()


def _blocks(notes: Sequence[Note]) -> list[list[Note]]:
    """Notes of at most 24 panes a batch, in order."""
    panes = [list(group) for _, group in groupby(notes, key=lambda note: note.start_ms)]
    return [
        [note for pane in panes[first : first + PANES_A_BLOCK] for note in pane]
        for first in range(0, len(panes), PANES_A_BLOCK)
    ]


def _is_of_phase(unit: Unit, note: Note) -> bool:
    phase: Phase = unit.phase_at(note.start_ms)
    return phase.watched.layout.hash == note.layout


def _view(walk: Walk) -> dict[str, str | int]:
    """Fields of the model's hash for people."""
    unit = walk.unit
    fields: dict[str, str | int] = {
        f"{unit.stream}:judged_to": unit.last or 0,
        "generation": unit.phase.watched.generation,
    }
    for told in walk.conclusion.reports:
        if told.newest:
            fields[f"window:{told.label}"] = told.report.state
    return fields
