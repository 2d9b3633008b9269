"""Turns buffered rows into open panes: arranges a block, loads the partials it touches, counts.

One drain runs at a time.  What it has counted of a partition and the offset that goes with it change together, between two
awaits, so a checkpoint taken between drains is always consistent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from itertools import chain, islice
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from schemas.gpus import FLEET, Sampled
from stream.ingest.arm_rows import Numbers, arm_rows, by_version
from stream.ingest.arms import ArmsPlan, ArmsTables
from stream.ingest.block import Block, arrange
from stream.ingest.buffer import Buffer, Rejection
from stream.ingest.ceiling import DEFAULT_CEILING, LEAVE_AT_ONCE, Ceiling, least_recent
from stream.ingest.counting import Rows, count
from stream.ingest.featured import Valued
from stream.ingest.groups import groups_of
from stream.ingest.newest import Newest
from stream.ingest.opening import Load, Opener, Work
from stream.ingest.plan import StreamPlan, retaught, taught
from stream.ingest.rooms import Places, Rooms
from stream.ingest.rows import heaviest, rows_of
from stream.ingest.sheets import count_sheet, sheets_of
from stream.ingest.tables import StreamTables
from stream.ingest.tenure import OpenPane, Tenure
from stream.ingest.timing import NEVER
from stream.transport import Run

Ints = npt.NDArray[np.int64]
Result = TypeVar("Result")
Refuse = Callable[[Sequence[Rejection]], None]
Keep = Callable[[Sequence[Sampled]], None]

#: Rows that are counted together: enough to spread numpy's cost per call, few enough to stay in the cache.
BLOCK_ROWS = 4096


class Counter:
    """All open panes of this worker.  ``plans`` may be exchanged between drains (``switch``).

    ``refuse`` and ``keep`` are handed what was refused and the samples of GPUs, before an offset behind them is counted;
    ``newest`` sees what is counted.
    """

    def __init__(
        self, plans: Mapping[str, StreamPlan], *, load: Load, refuse: Refuse, keep: Keep, newest: Newest, skew_ms: int,
        ceiling: Ceiling = DEFAULT_CEILING,
    ) -> None:  # fmt: skip
        self.rooms, self.ceiling = Rooms(), ceiling
        self.events = 0
        self.late = 0
        #: Partials dropped for want of memory.
        self.evicted = 0
        self._opener = Opener(self.rooms, load)
        self._refuse, self._keep, self._newest = refuse, keep, newest
        self._skew_ms = skew_ms
        self._buffers = {stream: Buffer() for stream in plans}
        self.counted: Callable[[Block, StreamTables], None] | None = (
            None  # is told of what was counted, where anybody asks
        )
        self._lock = asyncio.Lock()
        self._follow(plans)

    async def add(self, run: Run, tenure: Tenure) -> None:
        """Decode what of a run was not read yet, all or (of large records, or wide models) a part; count a block that is full."""
        records = run.records.behind(tenure.read)
        buffer = self._buffers[tenure.stream]
        if records:
            self.plans[tenure.stream].decoder.decode_run(records[: self._block_rows], tenure, into=buffer)
        if len(buffer) + len(buffer.rejections) >= self._block_rows:  # what is refused holds its record
            await self.drain()

    async def settled(self, then: Callable[[], Result]) -> Result:
        """Count everything buffered, and call ``then`` before anything else is counted."""
        async with self._lock:
            await self._drain_all()
            return then()

    async def drain(self) -> None:
        """Count everything buffered."""
        await self.settled(lambda: None)

    async def switch(self, plans: Mapping[str, StreamPlan]) -> None:
        """Count everything buffered under the old plans, then follow the new ones."""
        async with self._lock:
            # Rows that arrive while others are drained were decoded under the old plans too.
            while any(buffer.reached for buffer in self._buffers.values()):
                await self._drain_all()
            self._follow(plans)

    async def learn(self) -> bool:
        """Build decoders anew with the undeclared names that events have shown; whether there were any."""
        found = taught(self.plans)
        if found:
            before = self.plans
            built = await asyncio.to_thread(lambda: {name: retaught(before[name], found[name]) for name in found})
            await self.switch({**before, **built})
        return bool(found)

    def forget(self, tenure: Tenure) -> None:
        """End a tenure: its partials leave memory, and rows read under it will not count."""
        tenure.live = False
        for pane in tenure.panes.values():
            self.rooms.free(pane)
        tenure.panes.clear()
        tenure.changed.clear()

    def evict(self, tenure: Tenure, *, before_ms: int) -> None:
        """Drop stored partials of panes that ended by ``before_ms``; a late event loads them again."""
        if before_ms < tenure.first_end:
            return
        old = [key for key, pane in tenure.panes.items() if pane.end_ms <= before_ms and key not in tenure.changed]
        for key in old:
            self.rooms.free(tenure.shelve(key))
        tenure.first_end = min((pane.end_ms for pane in tenure.panes.values()), default=NEVER)

    def relieve(self, tenures: Collection[Tenure]) -> bool:
        """Drop some stored partials, those first that were counted in longest ago; whether more are to leave.

        They are until half of the ceiling is free again.
        """
        leaving = list(islice(least_recent(tenures, self.rooms, at_most=self.ceiling.low), LEAVE_AT_ONCE))
        for tenure, key in leaving:
            self.rooms.free(tenure.put_away(key))
        self.evicted += len(leaving)
        return len(leaving) == LEAVE_AT_ONCE

    async def compact(self, tenures: Callable[[], Collection[Tenure]]) -> None:
        """Where too much is held all the same, close the gaps: others run meanwhile, and nothing is counted."""
        async with self._lock:
            if self.rooms.nbytes > self.ceiling.whole:
                panes = chain.from_iterable([list(tenure.panes.values()) for tenure in tenures()])
                with closing(self.rooms.compact(panes)) as turns:
                    for _ in turns:
                        await asyncio.sleep(0)

    @property
    def full(self) -> bool:
        """Whether partials have to leave memory before more is counted."""
        return self.rooms.used > self.ceiling.high or self.rooms.nbytes > self.ceiling.whole

    def _follow(self, plans: Mapping[str, StreamPlan]) -> None:
        self.plans = plans
        widest = max((self.rooms.most_of(shape) for plan in plans.values() for shape in plan.sizes), default=1)
        self._block_rows = self.ceiling.rows(widest, most=BLOCK_ROWS)

    async def _drain_all(self) -> None:
        for stream in self.plans:
            if self._buffers[stream].reached:
                await self._drain(stream)

    async def _drain(self, stream: str) -> None:
        buffer, self._buffers[stream] = self._buffers[stream], Buffer()
        plan = self.plans[stream]
        try:
            block = arrange(buffer, plan, skew_ms=self._skew_ms)
            work = await self._opener.found(block, groups_of(block, plan.tables.layouts))
            arms = plan.arms and await self._found_arms(block, plan.arms)
        except BaseException:
            # Cancelled, or Redis failed: nothing is counted yet, and rows left out would be skipped by the next offset.
            self._buffers[stream] = buffer.followed_by(self._buffers[stream])
            raise
        numbers = self._count(buffer, work, plan.tables)
        if plan.arms and arms:
            self._count_arms(buffer, arms, plan.arms.found, numbers=numbers)
        if self.counted is not None:
            self.counted(block, plan.tables)
        self._conclude(buffer, block)

    async def _found_arms(self, block: Block, plan: ArmsPlan) -> Work:
        counted = by_version(block, plan)
        return await self._opener.found(counted, groups_of(counted, plan.found.layouts))

    def _count(self, buffer: Buffer, work: Work, tables: StreamTables) -> Numbers | None:
        """Count the rows; the numbers of those that were counted one by one, if any were."""
        block, of_row = work.block, work.groups.of_row
        panes, chosen = self._opener.panes(work, weight=heaviest(buffer))
        self._note_late(work, chosen, panes)
        self.events += len(chosen)
        self.late += int(block.late[chosen].sum())
        places = self.rooms.places(panes).of(of_row[chosen])
        sheets, left = sheets_of(buffer, block, chosen, places=places, tables=tables)
        for sheet in sheets:
            count_sheet(sheet, self.rooms, tables)
            self._newest.see(sheet.valued(), tables)
        return self._count_single(buffer, block, chosen[left], places=places.of(left), tables=tables)

    def _count_single(
        self, buffer: Buffer, block: Block, single: Ints, *, places: Places, tables: StreamTables
    ) -> Numbers | None:
        if not len(single):
            return None
        rows = rows_of(buffer, block, single, tables=tables, places=places)
        self._add(rows, places, tables)
        self._newest.see(Valued(rows.layout, block.time[single], rows.narrow, rows.wide, rows.codes), tables)
        return Numbers(block.row[single], rows.narrow, rows.wide)

    def _count_arms(self, buffer: Buffer, work: Work, found: ArmsTables, *, numbers: Numbers | None) -> None:
        panes, chosen = self._opener.panes(work, weight=1)
        if len(chosen):
            places = self.rooms.places(panes).of(work.groups.of_row[chosen])
            rows = arm_rows(buffer, work.block, chosen, found=found, numbers=numbers, places=places)
            self._add(rows, places, found.tables)
            self._note_late(work, chosen, panes)

    def _add(self, rows: Rows, places: Places, tables: StreamTables) -> None:
        for arena, at in self.rooms.parts(places):
            count(rows, arena, order=at, narrow=tables.narrow, wide=tables.wide)

    def _note_late(self, work: Work, chosen: Ints, panes: Sequence[OpenPane | None]) -> None:
        for at in np.unique(work.groups.of_row[chosen[work.block.late[chosen]]]):
            pane = panes[at]
            if pane is not None:
                pane.late = True

    def _conclude(self, buffer: Buffer, block: Block) -> None:
        """Clocks, offsets and rejections of the block, for the tenures that still hold."""
        events = np.bincount(block.tenure, minlength=len(block.tenures)).tolist()
        for tenure, (clock, closed), more in zip(block.tenures, block.clocks, events, strict=True):
            tenure.clock, tenure.closed = clock, closed
            tenure.events_unstored += more
        for tenure, reached in buffer.reached.items():
            tenure.counted = reached
        refused = [rejection for rejection in block.rejections if rejection.tenure.live]
        for rejection in refused:
            rejection.tenure.rejected[rejection.reason] += 1
        self._refuse(refused)
        if block.samples:
            for at in np.unique(block.sampled).tolist():
                block.tenures[at].models.add(FLEET)
            self._keep(block.samples)
