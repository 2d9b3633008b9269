"""Walks one model's stream forward: panes are closed in order, and windows judged at each end that is reached.

A window without events is judged once, when its last event has left it, and then not until there is one again: a gap of a
year costs one judgement, wherever polling happened to see it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import ParamSpec, TypeVar

from schemas.findings import Progress
from schemas.reports import ColumnCause, Report
from stream.evaluate.calibration import alarms
from stream.evaluate.causes import causes, signatures
from stream.evaluate.charts.charts import Charts, with_named
from stream.evaluate.charts.named import is_current, is_long
from stream.evaluate.closing import service
from stream.evaluate.closing.earlier import with_earlier
from stream.evaluate.closing.live_panes import with_live
from stream.evaluate.closing.loading import prepare_tests
from stream.evaluate.closing.unit import Unit, judged_by
from stream.evaluate.judging.judge_pane import Pane, PaneVerdicts, judge_pane, judge_panes
from stream.evaluate.judging.judge_window import Window, judge_window
from stream.evaluate.judging.judged_keys import keys_of
from stream.evaluate.judging.window_verdicts import judged
from stream.evaluate.panes.ring import Sliding
from stream.evaluate.panes.tiers import Tier
from stream.evaluate.panes.totals import Sums
from stream.evaluate.panes.touched import SKEW, first_mark
from stream.evaluate.panes.windows import WindowSpec
from stream.evaluate.quality.verdicts import quality_verdicts, still_judged
from stream.evaluate.storing.breath import Breath
from stream.evaluate.storing.commit import Conclusion
from stream.evaluate.storing.merged import Merged
from stream.evaluate.storing.tally import EvaluationTally
from stream.evaluate.verdicts.burn import burn_verdicts, revision_of
from stream.evaluate.verdicts.standing import conclude, withdraw
from stream.evaluate.verdicts.verdict import Clear, Fine, Quiet, Verdict
from stream.state.bulk import sum_of
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
        self, unit: Unit, merged: Merged, *, seen: Seen, warming: bool, held: Callable[[int], bool], breath: Breath,
        tally: EvaluationTally,
    ) -> None:  # fmt: skip
        self.unit, self._merged, self._seen, self._warming, self._held = unit, merged, seen, warming, held
        self._breath, self._tally = breath, tally
        self.conclusion = Conclusion(unit.model, unit.stream, unit.expected)
        self.reports: list[Report] = []
        self._sums: Sums | None = None
        self._alarms = Counter[str]()
        self._keys: dict[str, tuple[int, str]] = {}
        self._newest: Partial | None = None

    async def close(self, panes: Sequence[tuple[int, Partial]], packed: Sequence[bytes]) -> None:
        """Close panes that hold events, with their stored forms; windows that end before one are judged before it."""
        first = 0
        while first < len(panes):
            await self.pass_over(panes[first][0])
            end = first + 1
            while end < len(panes) and not self._ends_before(panes[end][0]):
                end += 1
            await self._close(panes[first:end], packed[first:end])
            first = end

    def _ends_before(self, start_ms: int) -> bool:
        """Whether a window is to be judged before a pane that begins here is closed."""
        unit = self.unit
        return bool(unit.rings) and unit.judged_to + unit.phase.step_ms <= start_ms

    async def _close(self, panes: Sequence[tuple[int, Partial]], packed: Sequence[bytes]) -> None:
        """Close panes between which no window ends."""
        unit, phase = self.unit, self.unit.phase
        watched = phase.watched
        self._sums = self._sums or watched.summed.begun()
        closed = [Pane(start, start + phase.pane_ms, partial) for start, partial in panes]
        for pane in closed:
            self._sums.add(pane.partial, pane_end=pane.end_ms)
        self._keep(panes, packed)
        await self._breath()
        judged = judge_panes(watched, closed, unit.charts)
        for pane in closed:
            found = await self._next(judged)
            unit.charts, unit.last = found.charts, pane.end_ms
            if not self._warming:
                self._alarms[alarms.EXPECTED] += alarms.expected_of_charts(found.budgeted, watched)
            await self.conclude(found.verdicts, at_ms=pane.end_ms, revision=int(pane.partial.cells[EVENTS]))
            service.closed(unit, pane.start_ms, pane.partial)
            await self.conclude_service()
            self._newest = pane.partial
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
        unit.withheld.forget(found)
        for finding in found:
            self.conclusion.tell(finding)

    def free(self) -> None:
        """Tell what was withheld: an emptied Redis is filled again, and nothing that is judged behind that has ended yet."""
        for finding in self.unit.withheld.told_with(()):
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
        service.told(unit, self._newest)
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

    async def conclude_service(self) -> None:
        """What burn rates say after the newest pane."""
        watched, ledger = self.unit.phase.watched, self.unit.ledger
        if ledger is not None and watched.stream == watched.monitor.serving.stream:
            verdicts = tuple(burn_verdicts(watched, ledger))
            await self.conclude(verdicts, at_ms=ledger.at_ms, revision=revision_of(ledger))

    async def _advance(self, spec: WindowSpec, ring: Sliding) -> None:
        before = ring.events
        ring.slide(self.unit.judged_to)
        await self._breath()
        if before or ring.events:
            report = await self.judge(spec, ring, newest=True)
            if not self._warming:
                self._alarms[alarms.EXPECTED] += alarms.expected(report, self.unit.phase.watched)

    def _keep(self, panes: Sequence[tuple[int, Partial]], packed: Sequence[bytes]) -> None:
        """Write panes and the longer rows they belong to; offer each window its tier's rows."""
        unit, layout = self.unit, self.unit.phase.watched.layout
        pane_tier, *longer = unit.phase.tiers
        for pane, stored in zip(panes, packed, strict=True):
            self._keep_row(layout, pane_tier, pane, stored=stored)
        for tier in longer:
            for start, own in groupby(panes, key=lambda pane: tier.start_of(pane[0])):
                held = unit.rows.get(tier.name)
                before = [held[1]] if held is not None and held[0] == start else []
                # It may grow again in this batch, so it is not packed yet.
                self._keep_row(layout, tier, (start, sum_of([*before, *(pane for _, pane in own)])), stored=None)

    def _keep_row(self, layout: Layout, tier: Tier, row: tuple[int, Partial], *, stored: bytes | None) -> None:
        start, held = row
        self.unit.rows[tier.name] = row
        self.conclusion.row(self._closed_key(layout, tier, start), start, stored or held)
        for spec, ring in self.unit.rings or ():
            if spec.tier == tier:
                ring.offer(start, held, stored)

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

    async def _next(self, judged: Iterator[PaneVerdicts]) -> PaneVerdicts:
        unit, watched = self.unit, self.unit.phase.watched
        if is_long(unit.charts.named, panes=unit.charts.panes, watched=watched):
            return await self._merged.asking.beside(partial(next, judged))
        return await self._judged(lambda: next(judged))

    async def _charts(self) -> Charts:
        """As they stand after the last pane; those that the file names are rebuilt where that was before a restart."""
        unit, watched = self.unit, self.unit.phase.watched
        if not is_current(unit.charts.named, panes=unit.charts.panes, watched=watched):
            unit.charts = await self._merged.asking.beside(partial(with_named, unit.charts, watched))
        return unit.charts

    async def conclude(self, verdicts: Iterable[Verdict | Quiet | Clear | Fine], *, at_ms: int, revision: int) -> None:
        """While a stream is warming nothing new is found, and what fires goes on.

        What is found again after Redis was emptied is held until that is over; then each key's newest word is told.
        """
        if self._warming:
            return
        unit, seen = self.unit, self._seen(at_ms)
        before = unit.standing
        found, unit.standing = await self._judged(
            conclude, verdicts, before, at_ms=at_ms, revision=revision, seen_ms=seen, watched=unit.phase.watched
        )
        self._tally.findings += len(found)
        self._alarms[alarms.BEGUN] += alarms.begun(found, before, unit.phase.watched)
        if self._held(at_ms):
            unit.withheld.keep(found)
            return
        for finding in unit.withheld.told_with(found):
            self.conclusion.tell(finding)
