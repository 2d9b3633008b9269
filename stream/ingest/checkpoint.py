"""Stores what was counted: every changed pane of a partition with the offset that goes with it, in one fenced call.

One checkpoint is under way at a time.  What was packed is sent again unchanged until Redis answers, so a call whose answer was
lost is recognised.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from stream.ingest.counter import Counter
from stream.ingest.due import Unstored, is_due
from stream.ingest.forms import stored_forms
from stream.ingest.ownership import Ownership
from stream.ingest.tenure import Tenure
from stream.ingest.timing import NEVER
from stream.kill_points import passing
from stream.state.patience import Patience
from stream.state.store import Checkpoint, Outcome, PaneKey, PaneStore, fields_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Followers:
    """Who is told what became of a partition's checkpoint, and asked whether it is read to its end."""

    stored: Callable[[Tenure], None]
    fenced: Callable[[Tenure], Awaitable[None]]
    elsewhere: Callable[[Tenure], Awaitable[None]]
    at_end: Callable[[Tenure], bool] = lambda tenure: False


@dataclass(slots=True, eq=False)
class Tally:
    """What checkpoints have done so far, for metrics."""

    checkpoints: int = 0
    partitions: int = 0
    panes: int = 0
    fenced: int = 0
    cut_short: int = 0
    seconds: list[float] = field(default_factory=list)


#: Panes that are packed together: partitions that changed many are stored one after another, and take less memory on their way.
PACKED_AT_ONCE = 4_000
_Chosen = Callable[[Tenure], bool]


class Checkpointer:
    """``run_once`` stores everything counted, ``run_due`` what is not better stored a little later.

    ``at_latest_s``: how long a partition with many changed panes may wait; ``clock``: what it is measured by, in seconds.
    """

    def __init__(
        self, store: PaneStore, counter: Counter, ownership: Ownership,
        *, settle: Callable[[], Awaitable[None]], followers: Followers, patience: Patience,
        at_latest_s: float = 0.0, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.tally = Tally()
        self._store, self._counter, self._ownership = store, counter, ownership
        self._settle, self._followers, self._patiently = settle, followers, patience
        self._at_latest_s, self._clock = at_latest_s, clock
        self._lock = asyncio.Lock()

    async def run_once(self) -> None:
        """Count what is buffered, then store every partition that moved."""
        async with self._lock:
            await self._run(lambda tenure: True)

    async def run_due(self) -> None:
        """Count what is buffered, then store the partitions that moved and are not to wait."""
        async with self._lock:
            await self._run(self._is_due)

    async def run_for(self, one: Tenure) -> None:
        """Count what is buffered, then store this partition."""
        async with self._lock:
            await self._run(lambda tenure: tenure is one)

    async def relieve(self) -> None:
        """Store everything, then have partials leave memory: of each, what is stored is all that is."""
        async with self._lock:
            await self._run(lambda tenure: True)
            while await self._counter.settled(lambda: self._counter.relieve(self._ownership.tenures.values())):
                await asyncio.sleep(0)
            await self._counter.compact(self._ownership.tenures.values)

    async def _run(self, chosen: _Chosen) -> None:
        started, stored = time.perf_counter(), False
        left = await self._counter.settled(lambda: self._left(chosen))
        while left:
            if taken := await self._counter.settled(lambda: self._snapshot(left)):
                await self._carried_through(taken)
                stored = True
        if stored:
            self.tally.seconds.append(time.perf_counter() - started)

    async def _carried_through(self, taken: Sequence[tuple[Tenure, Checkpoint]]) -> None:
        """Store what was packed; cut short, its tenures end: what they changed is marked as stored and is not."""
        try:
            await self._settle()
            await self._store_all(taken)
        except BaseException:
            self.tally.cut_short += 1
            for tenure, _ in taken:
                self._ownership.drop(tenure)
            raise

    async def verify(self) -> None:
        """Ask whether quiet partitions are still ours and stored as we left them.

        Without events nothing would be written, and a Redis that was emptied or went back in time would not be noticed.
        """
        async with self._lock:
            quiet = [tenure for tenure in self._ownership.tenures.values() if tenure.counted == tenure.stored]
            if quiet:
                await self._store_all([(tenure, _unchanged(tenure)) for tenure in quiet])

    def _left(self, chosen: _Chosen) -> list[Tenure]:
        """The partitions that moved and are to be stored; runs between two drains.

        Partials that were stored by the last checkpoint and belong to closed panes leave memory here, and only here: one
        that is still on its way to Redis must not be loaded again from there.
        """
        tenures = self._ownership.tenures.values()
        for tenure in tenures:
            self._counter.evict(tenure, before_ms=self._closed_before(tenure))
        return [tenure for tenure in tenures if tenure.counted > tenure.stored and chosen(tenure)]

    def _snapshot(self, left: list[Tenure]) -> list[tuple[Tenure, Checkpoint]]:
        """Pack what changed of some of them, which are left no more; runs between two drains, so counts and offsets agree."""
        taken: list[tuple[Tenure, Checkpoint]] = []
        panes = 0
        while left and panes < PACKED_AT_ONCE:
            tenure = left.pop()
            if tenure.live:
                taken.append((tenure, self._packed(tenure)))
                panes += len(taken[-1][1].panes)
        return taken

    def _is_due(self, tenure: Tenure) -> bool:
        now = self._clock()
        if tenure.waits_since is None:
            tenure.waits_since = now
        clock, closed = tenure.packed
        closes = closed != tenure.closed or self._counter.plans[tenure.stream].closes(clock, tenure.clock)
        quiet = tenure.counted == tenure.looked_at and self._followers.at_end(tenure)
        tenure.looked_at = tenure.counted
        events, waited_s = tenure.events_unstored, now - tenure.waits_since
        unstored = Unstored(len(tenure.changed), events, waited_s, closes=closes, quiet=quiet)
        return is_due(unstored, at_latest_s=self._at_latest_s)

    def _closed_before(self, tenure: Tenure) -> int:
        lateness = self._counter.plans[tenure.stream].lateness
        return max(tenure.clock - int(lateness.max(initial=0)), tenure.closed)

    def _packed(self, tenure: Tenure) -> Checkpoint:
        panes = self._packed_panes(tenure)
        rejected = {f"rejected:{reason}": count for reason, count in tenure.rejected.items()}
        tenure.changed.clear()
        tenure.rejected.clear()
        tenure.events_unstored = 0
        tenure.packed, tenure.waits_since = (tenure.clock, tenure.closed), None
        self.tally.panes += len(panes)
        return Checkpoint(
            tenure.stream, tenure.partition, tenure.epoch, tenure.stored, tenure.counted,
            fields=_fields(tenure), rejected=rejected, panes=panes,
        )  # fmt: skip

    def _packed_panes(self, tenure: Tenure) -> list[tuple[PaneKey, bytes]]:
        panes = list(tenure.changed.values())
        for pane in panes:
            pane.revision += pane.late
            pane.late = False
        place = tenure.stream, tenure.partition, tenure.incarnation
        forms = stored_forms(panes, self._counter.rooms)
        return [(PaneKey(*place, pane.layout, pane.start_ms), form) for pane, form in zip(panes, forms, strict=True)]

    async def _store_all(self, taken: Sequence[tuple[Tenure, Checkpoint]]) -> None:
        checkpoints = [checkpoint for _, checkpoint in taken]
        passing("before-flush")
        outcomes = await self._patiently(lambda: self._store.checkpoint(checkpoints))
        passing("after-flush")
        self.tally.checkpoints += 1
        for (tenure, checkpoint), outcome in zip(taken, outcomes, strict=True):
            await self._follow(tenure, checkpoint, outcome=outcome)

    async def _follow(self, tenure: Tenure, checkpoint: Checkpoint, *, outcome: Outcome) -> None:
        if not tenure.live:
            return
        if outcome == "stored":
            self.tally.partitions += 1
            tenure.stored = checkpoint.next_offset
            self._followers.stored(tenure)
            return
        self.tally.fenced += 1
        self._ownership.drop(tenure)
        log.error("%s: not stored (%s): dropping what was counted since offset %d", tenure.tp, outcome, tenure.stored)
        follow = self._followers.fenced if outcome == "fenced" else self._followers.elsewhere
        await follow(tenure)


def _unchanged(tenure: Tenure) -> Checkpoint:
    return Checkpoint(
        tenure.stream, tenure.partition, tenure.epoch, tenure.stored, tenure.stored,
        fields={"updated_ms": int(time.time() * 1000)}, rejected={}, panes=(),
    )  # fmt: skip


def _fields(tenure: Tenure) -> dict[str, str | int]:
    return fields_of(
        [
            ("clock", tenure.clock if tenure.clock > NEVER else None),
            ("closed", tenure.closed if tenure.closed > NEVER else None),
            ("updated_ms", int(time.time() * 1000)),
            ("idle", 0),
        ]
    )
