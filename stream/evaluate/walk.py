"""Walks one model's stream forward: panes are closed in order, and windows judged at each end that is reached.

A window without events is judged once, when its last event has left it, and then not until there is one again: a gap of a
year costs one judgement, wherever polling happened to see it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from typing import ParamSpec, TypeVar

from schemas.findings import Progress
from schemas.reports import ColumnCause, Report
from stream.evaluate import alarms, causes, signatures
from stream.evaluate.breath import Breath
from stream.evaluate.charts import Charts, with_named
from stream.evaluate.commit import Conclusion
from stream.evaluate.earlier import with_earlier
from stream.evaluate.judge_pane import Pane, PaneVerdicts, judge_pane
from stream.evaluate.judge_window import Window, judge_window
from stream.evaluate.judged_keys import keys_of
from stream.evaluate.live_panes import with_live
from stream.evaluate.loading import prepare_tests
from stream.evaluate.merged import Merged
from stream.evaluate.named_charts import is_current, is_long
from stream.evaluate.quality_verdicts import quality_verdicts, still_judged
from stream.evaluate.ring import Sliding
from stream.evaluate.standing import conclude, withdraw
from stream.evaluate.tally import EvaluationTally
from stream.evaluate.tiers import Tier
from stream.evaluate.totals import Sums
from stream.evaluate.touched import SKEW, first_mark
from stream.evaluate.unit import Unit, judged_by
from stream.evaluate.verdict import Clear, Quiet, Verdict
from stream.evaluate.window_verdicts import judged
from stream.evaluate.windows import WindowSpec
from stream.state.layout import EVENTS, Layout
from stream.state.packing import Partial

#: When something that is complete at a time (ms) was decided.
Seen = Callable[[int], int]
#: A judgement of so many columns takes some milliseconds: it is made beside the event loop.
WIDE = 250
Given = ParamSpec("Given")
Judged = TypeVar("Judged")


class Walk:
    """One batch: from the unit as it stands to the ``conclusion`` that is to be stored."""

    def __init__(
        self, unit: Unit, merged: Merged, *, seen: Seen, warming: bool, breath: Breath, tally: EvaluationTally
    ) -> None:
        self.unit, self._merged, self._seen, self._warming = unit, merged, seen, warming
        self._breath, self._tally = breath, tally
        self.conclusion = Conclusion(unit.model, unit.stream, unit.expected)
        self.reports: list[Report] = []
        self._sums: Sums | None = None
        self._alarms = Counter[str]()
        self._keys: dict[str, tuple[int, str]] = {}

    async def close(self, start_ms: int, partial: Partial, packed: bytes) -> None:
        """Close a pane that holds events, with its stored form; windows that end before it are judged first."""
        await self.pass_over(start_ms)
        unit, phase = self.unit, self.unit.phase
        end = start_ms + phase.pane_ms
        self._sums = self._sums or phase.watched.summed.begun()
        self._sums.add(partial, pane_end=end)
        self._keep(start_ms, partial, packed)
        found = await self._judged_pane(Pane(start_ms, end, partial))
        unit.charts, unit.last = found.charts, end
        if not self._warming:
            self._alarms[alarms.EXPECTED] += alarms.expected_of_charts(found.budgeted, phase.watched)
        await self.conclude(found.verdicts, at_ms=end, revision=int(partial.cells[EVENTS]))
        self._tally.panes += 1
        await self._breath()

    async def pass_over(self, end_ms: int) -> None:
        """Judge windows that end here or before; no pane up to here holds events that were not closed."""
        unit, step = self.unit, self.unit.phase.step_ms
        rings = unit.rings or []
        while unit.judged_to + step <= end_ms:
            if not any(ring.busy for _, ring in rings):
                unit.judged_to = end_ms - end_ms % step
                for _, ring in rings:
                    ring.slide(unit.judged_to)
                break
            unit.judged_to += step
            for spec, ring in rings:
                await self._advance(spec, ring)
        unit.last = max(unit.last or end_ms, end_ms)

    def withdraw(self) -> None:
        """Where another configuration holds than at the last batch: what no rule judges any more is told ``removed``."""
        unit, watched = self.unit, self.unit.phase.watched
        if unit.is_judged_by(watched):
            return
        at = unit.last or 0
        keys = keys_of(watched) | still_judged(watched, unit.standing)
        found, unit.standing = withdraw(unit.standing, keys, at_ms=at, seen_ms=self._seen(at))
        unit.judged_by = judged_by(watched)
        for finding in found:
            self.conclusion.tell(finding)

    def progress(self) -> None:
        """Say how far the unit is judged; the last message of a batch."""
        if self._sums is not None:
            increments, latest = self._sums.told()
            self.conclusion.add(increments, newest=latest)
            self._sums = None
        self.conclusion.add(+self._alarms, newest={})
        self._alarms.clear()
        unit, at = self.unit, self.unit.last or 0
        if unit.stored is None and unit.stream == "features":
            # Before its own: nobody shall pass what is compared later.
            first = first_mark(unit.begun, step_ms=unit.phase.step_ms)
            self.conclusion.tell(Progress(model=unit.model, stream=SKEW, at=first, seen=self._seen(first)))
        self.conclusion.tell(Progress(model=unit.model, stream=unit.stream, at=at, seen=self._seen(at)))
        self.conclusion.fields |= unit.fields()

    async def judge(self, spec: WindowSpec, ring: Sliding, *, newest: bool) -> Report:
        """Judge a window as it stands in the ring."""
        unit, watched = self.unit, self.unit.phase.watched
        complete = ring.start_ms >= unit.begun and not self._warming
        window = Window(spec.name, ring.start_ms, ring.end_ms, ring.total, complete)
        window = await with_live(unit, self._merged, window, spec=spec)
        window = await with_earlier(unit, self._merged, window, spec=spec, written=self.conclusion.rows)
        await prepare_tests(watched, self._merged, window)
        charts = await self._charts() if newest else None
        report = await self._judged(judge_window, watched, window, seen_ms=self._seen(ring.end_ms), charts=charts)
        if newest:
            report = await self._explained(report, window)
        self.conclusion.report(report, spec.label, newest=newest)
        self.reports.append(report)
        verdicts = await self._judged(self._verdicts, report, newest=newest)
        await self.conclude(verdicts, at_ms=report.end, revision=report.events + report.earlier)
        self._tally.windows += 1
        await self._breath()
        return report

    def _verdicts(self, report: Report, *, newest: bool) -> list[Verdict | Quiet]:
        """What a window says; of an older one that was revised only what nobody was told anything newer of counts."""
        watched = self.unit.phase.watched
        checks = quality_verdicts(report, watched, self.unit.standing) if newest else ()
        return [*judged(report, watched), *checks]

    async def _explained(self, report: Report, window: Window) -> Report:
        """The report with what may have happened to the columns that drift; looked for beside the event loop."""
        unit, watched = self.unit, self.unit.phase.watched
        if report.state != "drift" and not unit.causes.columns:
            return report
        found: dict[causes.Which, ColumnCause | None] = {}
        if wanted := causes.due(report, unit.causes, able=watched.explicable):
            found = await self._merged.asking.beside(
                partial(signatures.found, watched, window.total, wanted, end_ms=window.end_ms)
            )
        report, unit.causes = causes.told(report, unit.causes, found, able=watched.explicable)
        return report

    async def conclude_pane(self, pane: Pane) -> None:
        """What a revised pane says by itself; the charts have gone on, and their series holds what it holds now."""
        found = await self._judged(judge_pane, self.unit.phase.watched, pane, self.unit.charts)
        self.unit.charts = found.charts
        await self.conclude(found.verdicts, at_ms=pane.end_ms, revision=int(pane.partial.cells[EVENTS]))

    async def _advance(self, spec: WindowSpec, ring: Sliding) -> None:
        before = ring.events
        ring.slide(self.unit.judged_to)
        await self._breath()
        if before or ring.events:
            report = await self.judge(spec, ring, newest=True)
            if not self._warming:
                self._alarms[alarms.EXPECTED] += alarms.expected(report, self.unit.phase.watched)

    def _keep(self, start_ms: int, partial: Partial, packed: bytes) -> None:
        """Write the pane and the longer rows it belongs to; offer each window its tier's row."""
        unit, layout = self.unit, self.unit.phase.watched.layout
        for tier in unit.phase.tiers:
            start = tier.start_of(start_ms)
            held = unit.rows.get(tier.name)
            row = held[1] + partial if held is not None and held[0] == start else partial
            unit.rows[tier.name] = start, row
            # A longer row may grow again in this batch.
            stored = packed if tier.length_ms == layout.pane_ms else None
            self.conclusion.row(self._closed_key(layout, tier, start), start, stored or row)
            for spec, ring in unit.rings or ():
                if spec.tier == tier:
                    ring.offer(start, row, stored)

    def _closed_key(self, layout: Layout, tier: Tier, start_ms: int) -> str:
        """A block's rows follow one another."""
        block = tier.block_of(start_ms)
        if self._keys.get(tier.name, (None, ""))[0] != block:
            self._keys[tier.name] = block, self._merged.closed_key(layout, tier, start_ms)
        return self._keys[tier.name][1]

    async def _judged(self, judge: Callable[Given, Judged], *given: Given.args, **named: Given.kwargs) -> Judged:
        """A judgement of all columns: of many, made beside the event loop."""
        if len(self.unit.phase.watched.yardstick.places) < WIDE:
            return judge(*given, **named)
        return await self._merged.asking.beside(lambda: judge(*given, **named))

    async def _judged_pane(self, pane: Pane) -> PaneVerdicts:
        unit, watched = self.unit, self.unit.phase.watched
        if is_long(unit.charts.named, panes=unit.charts.panes, watched=watched):
            return await self._merged.asking.beside(partial(judge_pane, watched, pane, unit.charts))
        return await self._judged(judge_pane, watched, pane, unit.charts)

    async def _charts(self) -> Charts:
        """As they stand after the last pane; those that the file names are rebuilt where that was before a restart."""
        unit, watched = self.unit, self.unit.phase.watched
        if not is_current(unit.charts.named, panes=unit.charts.panes, watched=watched):
            unit.charts = await self._merged.asking.beside(partial(with_named, unit.charts, watched))
        return unit.charts

    async def conclude(self, verdicts: Iterable[Verdict | Quiet | Clear], *, at_ms: int, revision: int) -> None:
        """While a stream is warming nothing new is found, and what fires goes on."""
        if self._warming:
            return
        unit, seen = self.unit, self._seen(at_ms)
        before = unit.standing
        found, unit.standing = await self._judged(
            conclude, verdicts, before, at_ms=at_ms, revision=revision, seen_ms=seen, watched=unit.phase.watched
        )
        self._tally.findings += len(found)
        self._alarms[alarms.BEGUN] += alarms.begun(found, before, unit.phase.watched)
        for finding in found:
            self.conclusion.tell(finding)
