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
    """Who is told what became of a partition's checkpoint."""

    stored: Callable[[Tenure], None]
    fenced: Callable[[Tenure], Awaitable[None]]
    elsewhere: Callable[[Tenure], Awaitable[None]]


@dataclass(slots=True, eq=False)
class Tally:
    """What checkpoints have done so far, for metrics."""

    checkpoints: int = 0
    partitions: int = 0
    panes: int = 0
    fenced: int = 0
    cut_short: int = 0
    seconds: list[float] = field(default_factory=list)


class Checkpointer:
    """``run_once`` stores everything counted."""

    def __init__(
        self, store: PaneStore, counter: Counter, ownership: Ownership,
        *, settle: Callable[[], Awaitable[None]], followers: Followers, patience: Patience,
    ) -> None:  # fmt: skip
        self.tally = Tally()
        self._store, self._counter, self._ownership = store, counter, ownership
        self._settle, self._followers, self._patiently = settle, followers, patience
        self._lock = asyncio.Lock()

    async def run_once(self) -> None:
        """Count what is buffered, then store every partition that moved."""
        async with self._lock:
            started = time.perf_counter()
            taken = await self._counter.settled(self._snapshot)
            if taken:
                await self._carried_through(taken)
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

    def _snapshot(self) -> list[tuple[Tenure, Checkpoint]]:
        """Pack what changed; runs between two drains, so counts and offsets agree.

        Partials that were stored by the last checkpoint and belong to closed panes leave memory here, and only here: one
        that is still on its way to Redis must not be loaded again from there.
        """
        taken = []
        for tenure in self._ownership.tenures.values():
            self._counter.evict(tenure, before_ms=self._closed_before(tenure))
            if tenure.counted > tenure.stored:
                taken.append((tenure, self._packed(tenure)))
        return taken

    def _closed_before(self, tenure: Tenure) -> int:
        lateness = self._counter.plans[tenure.stream].lateness
        return max(tenure.clock - int(lateness.max(initial=0)), tenure.closed)

    def _packed(self, tenure: Tenure) -> Checkpoint:
        panes = self._packed_panes(tenure)
        rejected = {f"rejected:{reason}": count for reason, count in tenure.rejected.items()}
        tenure.changed.clear()
        tenure.rejected.clear()
        self.tally.panes += len(panes)
        return Checkpoint(
            tenure.stream, tenure.partition, tenure.epoch, tenure.stored, tenure.counted,
            fields=_fields(tenure), rejected=rejected, panes=panes,
        )  # fmt: skip

    def _packed_panes(self, tenure: Tenure) -> list[tuple[PaneKey, bytes]]:
        panes = [tenure.panes[key] for key in sorted(tenure.changed)]
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
