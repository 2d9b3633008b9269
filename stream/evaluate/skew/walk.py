"""Walks a comparison forward: windows are judged at each end that both sides have reached, from the rows that both have stored.

Some ends are judged and stored before the next are read, so a worker that ends in the middle repeats at most one batch, whose
findings have the same ids.  Where late events changed panes of either side, the windows that hold them are judged again first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TypeVar

from schemas.findings import Progress
from schemas.reports import Report
from stream.evaluate.closing.closing import Desk, Due, Refused
from stream.evaluate.closing.revising import ends_of
from stream.evaluate.columns.watched import Watched
from stream.evaluate.panes.ring import Sliding
from stream.evaluate.panes.windows import WindowSpec
from stream.evaluate.skew.columns import RULE, Both
from stream.evaluate.skew.judging import Window, judge_skew, verdicts_of
from stream.evaluate.skew.unit import Skew
from stream.evaluate.storing.commit import Conclusion
from stream.evaluate.verdicts.standing import conclude, withdraw
from stream.state.store import PANES_A_BLOCK

#: A comparison of so many features takes some milliseconds: it is made beside the event loop.
WIDE = 16
Judged = TypeVar("Judged")


class Comparing:
    """One turn of one model; while a stream is warming panes of a side may be missing, so nothing new is found."""

    def __init__(self, desk: Desk, skew: Skew, *, due: Due) -> None:
        self._desk, self._skew, self._due, self._seen = desk, skew, due, due.seen
        self._made = self._begun()

    async def run(self) -> None:
        """Judge all that became complete or changed since the last turn, and store it.

        :raises Refused: something was not stored.
        :raises StoreError: a pane is damaged.
        """
        skew, again = self._skew, True
        while skew.change_over():
            both = skew.both
            self._withdraw()
            if again:
                await self._judge_again()
            ends, again = skew.ends(), False
            while batch := list(islice(ends, PANES_A_BLOCK)):
                await self._judge_batch(both, batch)
                if self._made.reports:
                    await self._store()
            if not skew.leave(both):
                break
        if skew.is_freed(self._due):
            for finding in skew.withheld.told_with(()):
                self._made.tell(finding)
        await self._store()

    def _begun(self) -> Conclusion:
        return Conclusion(self._skew.model, RULE, self._skew.expected)

    def _withdraw(self) -> None:
        """Under another configuration: what nobody compares any more is told ``removed``."""
        skew, both = self._skew, self._skew.both
        if skew.judged_by == both.judged_by:
            return
        at = skew.last or 0
        found, skew.standing = withdraw(skew.standing, both.keys, at_ms=at, seen_ms=self._seen(at))
        skew.judged_by = both.judged_by
        skew.withheld.forget(found)
        for finding in found:
            self._made.tell(finding)

    async def _judge_batch(self, both: Both, ends: Sequence[int]) -> None:
        """The windows at these ends, which follow one another."""
        skew, last = self._skew, ends[-1]
        if skew.rings is None:
            before = skew.next_end - both.step_ms
            skew.rings = [(spec, *await self._sides(both, spec, before)) for spec in both.windows]
        for spec, *sides in skew.rings:
            for watched, ring in zip(_watched(both), sides, strict=True):
                await self._read(watched, spec, ring, upto=last)
        if not any(ring.busy for _, *sides in skew.rings for ring in sides):
            ends = ends[-1:]
        for end in ends:
            for spec, served, stored in skew.rings:
                before = served.events or stored.events
                served.slide(end)
                stored.slide(end)
                if before or served.events or stored.events:
                    await self._judge(both, spec, (served, stored), newest=True)
            skew.last = end

    async def _judge_again(self) -> None:
        """The windows that hold what late events changed, as far as they were judged."""
        skew, both = self._skew, self._skew.both
        starts = sorted({start for side in skew.sides for start in skew.revised(side)})
        if any(side.touched.number > skew.seen.get(side.stream, 0) for side in skew.sides):
            skew.rings = None
        skew.seen = {side.stream: side.touched.number for side in skew.sides}
        if not starts or skew.last is None:
            return
        for spec in both.windows:
            await self._judge_ends(both, spec, list(_held_by(starts, skew, spec)))

    async def _judge_ends(self, both: Both, spec: WindowSpec, ends: Sequence[int]) -> None:
        if not ends:
            return
        sides = await self._sides(both, spec, ends[0])
        for end in ends:
            for watched, ring in zip(_watched(both), sides, strict=True):
                await self._read(watched, spec, ring, upto=end)
                ring.slide(end)
            if any(ring.events for ring in sides):
                await self._judge(both, spec, sides, newest=end == self._skew.last)

    async def _sides(self, both: Both, spec: WindowSpec, end_ms: int) -> tuple[Sliding, Sliding]:
        """A window of both sides that ends here, from what is stored."""
        made = [Sliding(watched.layout, spec.length_ms, end_ms) for watched in _watched(both)]
        first = max(spec.tier.start_of(self._skew.begun), end_ms - spec.length_ms)
        for watched, ring in zip(_watched(both), made, strict=True):
            await self._offer(watched, spec, ring, span=(first, end_ms))
        return made[0], made[1]

    async def _read(self, watched: Watched, spec: WindowSpec, ring: Sliding, *, upto: int) -> None:
        """The rows behind a window, up to a later end."""
        await self._offer(watched, spec, ring, span=(max(ring.end_ms, spec.tier.start_of(self._skew.begun)), upto))

    async def _offer(self, watched: Watched, spec: WindowSpec, ring: Sliding, *, span: tuple[int, int]) -> None:
        merged = self._desk.merged
        for start, row in (await merged.rows(watched.layout, spec.tier, span=span)).items():
            ring.offer(start, row)
            await merged.breath()

    async def _judge(self, both: Both, spec: WindowSpec, sides: tuple[Sliding, Sliding], *, newest: bool) -> None:
        served, stored = sides
        complete = served.start_ms >= self._skew.begun and not self._due.warming
        window = Window(spec.name, served.start_ms, served.end_ms, served.total, stored.total, complete)
        report = await self._beside(partial(judge_skew, both, window, seen_ms=self._seen(window.end_ms)))
        self._made.report(report, spec.label, newest=newest)
        self._desk.tally.windows += 1
        await self._conclude(both, report)
        await self._desk.merged.breath()

    async def _conclude(self, both: Both, report: Report) -> None:
        skew = self._skew
        said = partial(
            conclude, verdicts_of(report, both), skew.standing, at_ms=report.end, revision=report.events,
            seen_ms=self._seen(report.end), watched=both.stored.watched,
        )  # fmt: skip
        found, skew.standing = await self._beside(said)
        self._desk.tally.findings += len(found)
        if self._due.holds(report.end):
            skew.withheld.keep(found)
            return
        for finding in skew.withheld.told_with(found):
            self._made.tell(finding)

    async def _beside(self, judge: Callable[[], Judged]) -> Judged:
        """A judgement of all columns: of many, made beside the event loop."""
        if len(self._skew.both.columns) < WIDE:
            return judge()
        return await self._desk.merged.asking.beside(judge)

    async def _store(self) -> None:
        """Store what was concluded, and how far everything is judged."""
        skew, made = self._skew, self._made
        if skew.stored != skew.last or skew.held != skew.compared or made.messages:
            await self._write()
        for side in skew.sides:
            side.touched = side.touched.without(skew.seen.get(side.stream, 0))

    async def _write(self) -> None:
        skew, made, desk = self._skew, self._made, self._desk
        made.tell(Progress(model=skew.model, stream=RULE, at=skew.told_to, seen=self._seen(skew.told_to)))
        made.fields |= skew.fields()
        outcome = await desk.commits.store(made, token=self._due.token)
        if outcome != "stored":
            raise Refused(outcome)
        skew.stored, skew.held = skew.last, skew.compared
        desk.sent([skew.model])
        await desk.commits.show(skew.model, _view(made, skew))
        self._made = self._begun()


def _watched(both: Both) -> tuple[Watched, Watched]:
    return both.served.watched, both.stored.watched


def _held_by(starts: Iterable[int], skew: Skew, spec: WindowSpec) -> Iterator[int]:
    """The ends of judged windows that hold any of these panes, and whose start both sides reach back to."""
    both = skew.both
    found = ends_of(
        starts, length_ms=spec.length_ms, step_ms=both.step_ms, pane_ms=both.stored.pane_ms, upto=skew.last or 0
    )
    return (end for end in found if end - spec.length_ms >= skew.begun)


def _view(made: Conclusion, skew: Skew) -> dict[str, str | int]:
    """Fields of the model's hash for people."""
    fields: dict[str, str | int] = {f"{RULE}:judged_to": skew.last or 0}
    return fields | {f"window:{told.label}": told.report.state for told in made.reports if told.newest}
