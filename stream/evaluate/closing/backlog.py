"""The models of a stream that have something to do at one look, and how many of their panes are due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stream.evaluate.closing.closing import is_done
from stream.evaluate.closing.polls import Poll
from stream.evaluate.closing.unit import Unit
from stream.evaluate.storing.notes import Note, panes_due


class Backlog:
    """``units`` have something to do; ``panes`` of theirs are complete and not closed."""

    def __init__(self, notes: Mapping[str, Sequence[Note]], polls: Mapping[str, Poll]) -> None:
        self._notes, self._polls = notes, polls
        self.units: list[Unit] = []
        self.panes = 0
        self._due: dict[str, int] = {}

    def look(self, unit: Unit, *, able: bool) -> None:
        """Take it in if there is anything to do; one that failed (not ``able``) is taken in, for its time may have come."""
        if unit.model not in self._notes and able and is_done(unit, watermark=self._polls[unit.model].watermark):
            return
        self.units.append(unit)
        self._due[unit.model] = due = self._of(unit)
        self.panes += due

    def worked(self, unit: Unit) -> int:
        """How many panes fewer (below 0: more) are due of it after its turn."""
        before = self._due[unit.model]
        return before - self._of(unit) if before else 0

    def _of(self, unit: Unit) -> int:
        notes, watermark = self._notes.get(unit.model, ()), self._polls[unit.model].watermark
        return panes_due(notes, last=unit.last or 0, pane_ms=unit.phase.pane_ms, watermark=watermark) if notes else 0
