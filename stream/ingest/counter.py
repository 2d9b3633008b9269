"""Turns buffered rows into open panes: arranges a block, loads the partials it touches, counts.

One drain runs at a time.  What it has counted of a partition and the offset that goes with it change together, between two
awaits, so a checkpoint taken between drains is always consistent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from schemas.gpus import Sampled
from stream.ingest.arm_rows import Numbers, arm_rows, by_version
from stream.ingest.arms import ArmsTables
from stream.ingest.block import Block, arrange
from stream.ingest.buffer import Buffer, Rejection
from stream.ingest.counting import Rows, count
from stream.ingest.featured import Valued
from stream.ingest.groups import Groups, groups_of
from stream.ingest.newest import Newest
from stream.ingest.plan import StreamPlan, retaught, taught
from stream.ingest.rooms import Places, Rooms
from stream.ingest.rows import heaviest, rows_of
from stream.ingest.sheets import sheets_of
from stream.ingest.tables import StreamTables
from stream.ingest.tenure import OpenPane, PaneId, Tenure
from stream.ingest.timing import NEVER
from stream.ingest.whole import count_sheet
from stream.state.layout import Layout
from stream.state.packing import Partial
from stream.state.store import PaneKey
from stream.transport import Record, Run

Ints = npt.NDArray[np.int64]
Load = Callable[[Sequence[PaneKey]], Awaitable[list[Partial]]]
Result = TypeVar("Result")
Refuse = Callable[[Sequence[Rejection]], None]
Keep = Callable[[Sequence[Sampled]], None]

#: Rows that are counted together: enough to spread numpy's cost per call, few enough to stay in the cache.
BLOCK_ROWS = 4096


@dataclass(frozen=True, eq=False, slots=True)
class _Work:
    """Rows to be counted, the panes they are in, and what the panes that are not in memory start from."""

    block: Block
    groups: Groups
    loaded: Mapping[int, Partial | None]


class Counter:
    """All open panes of this worker.  ``plans`` may be exchanged between drains (``switch``).

    ``refuse`` and ``keep`` are handed what was refused and the samples of GPUs, before an offset behind them is counted;
    ``newest`` sees what is counted.
    """

    def __init__(
        self, plans: Mapping[str, StreamPlan], *, load: Load, refuse: Refuse, keep: Keep, newest: Newest, skew_ms: int
    ) -> None:
        self.plans = plans
        self.rooms = Rooms()
        self.events = 0
        self.late = 0
        self._load, self._refuse, self._keep, self._newest = load, refuse, keep, newest
        self._skew_ms = skew_ms
        self._buffers = {stream: Buffer() for stream in plans}
        self.counted: Callable[[Block, StreamTables], None] | None = (
            None  # is told of what was counted, where anybody asks
        )
        self._lock = asyncio.Lock()

    async def add(self, run: Run, tenure: Tenure) -> None:
        """Decode what of a run was not read yet, all or (of records with many events) a part; count when a block is full."""
        records = run.records if run.records[0].offset >= tenure.read else _from(run, tenure.read)
        buffer = self._buffers[tenure.stream]
        if records:
            self.plans[tenure.stream].decoder.decode_run(records, tenure, into=buffer)
        if len(buffer) + len(buffer.rejections) >= BLOCK_ROWS:  # what is refused holds its record
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
            self.plans = plans

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
            pane = tenure.panes.pop(key)
            tenure.shelved = max(tenure.shelved, pane.start_ms)
            self.rooms.free(pane)
        tenure.first_end = min((pane.end_ms for pane in tenure.panes.values()), default=NEVER)

    async def _drain_all(self) -> None:
        for stream in self.plans:
            if self._buffers[stream].reached:
                await self._drain(stream)

    async def _drain(self, stream: str) -> None:
        buffer, self._buffers[stream] = self._buffers[stream], Buffer()
        plan = self.plans[stream]
        try:
            block = arrange(buffer, plan, skew_ms=self._skew_ms)
            work = await self._prepared(block, plan.tables.layouts)
            arms = plan.arms and await self._prepared(by_version(block, plan.arms), plan.arms.found.layouts)
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

    async def _prepared(self, block: Block, layouts: Sequence[Layout]) -> _Work:
        groups = groups_of(block, layouts)
        return _Work(block, groups, await self._loaded(block, groups))

    async def _loaded(self, block: Block, groups: Groups) -> dict[int, Partial | None]:
        """What groups not in memory start from (None: nothing): an evicted pane written blindly would lose its counts.

        Redis is not asked for a pane that begins after ``tenure.shelved``: nothing of it was stored before the tenure, whose
        clock every counted event moves and one script writes with the panes, and nothing of it left memory since.
        """
        wanted: dict[int, PaneKey] = {}
        found: dict[int, Partial | None] = {}
        for at, (owner, number, pane) in enumerate(zip(groups.tenure, groups.layout, groups.pane, strict=True)):
            tenure, layout = block.tenures[owner], groups.layouts[number]
            if not tenure.live or (layout.hash, int(pane)) in tenure.panes:
                continue
            if pane > tenure.shelved:
                found[at] = None
            else:
                wanted[at] = PaneKey(tenure.stream, tenure.partition, tenure.incarnation, layout, int(pane))
        if wanted:
            found |= zip(wanted, await self._load(list(wanted.values())), strict=True)
        return found

    def _count(self, buffer: Buffer, work: _Work, tables: StreamTables) -> Numbers | None:
        """Count the rows; the numbers of those that were counted one by one, if any were."""
        block, of_row = work.block, work.groups.of_row
        panes, chosen = self._panes(work, weight=heaviest(buffer))
        sheets, single = sheets_of(buffer, block, chosen, of_row=of_row, panes=panes, tables=tables)
        for sheet in sheets:
            count_sheet(sheet, narrow=tables.narrow, wide=tables.wide)
            self._newest.see(sheet.valued(), tables)
        self._note_late(work, chosen, panes)
        self.events += len(chosen)
        self.late += int(block.late[chosen].sum())
        if not len(single):
            return None
        places = self.rooms.places(panes).of(of_row[single])
        rows = rows_of(buffer, block, single, tables=tables, places=places)
        self._add(rows, places, tables)
        self._newest.see(Valued(rows.layout, block.time[single], rows.narrow, rows.wide, rows.codes), tables)
        return Numbers(block.row[single], rows.narrow, rows.wide)

    def _count_arms(self, buffer: Buffer, work: _Work, found: ArmsTables, *, numbers: Numbers | None) -> None:
        panes, chosen = self._panes(work, weight=1)
        if len(chosen):
            places = self.rooms.places(panes).of(work.groups.of_row[chosen])
            rows = arm_rows(buffer, work.block, chosen, found=found, numbers=numbers, places=places)
            self._add(rows, places, found.tables)
            self._note_late(work, chosen, panes)

    def _add(self, rows: Rows, places: Places, tables: StreamTables) -> None:
        for arena, at in self.rooms.parts(places):
            count(rows if len(at) == len(rows.layout) else rows.of(at), arena, narrow=tables.narrow, wide=tables.wide)

    def _panes(self, work: _Work, *, weight: int) -> tuple[list[OpenPane | None], Ints]:
        """The open pane of each group with room for its rows, and the rows whose tenure has not ended meanwhile."""
        of_row, count = work.groups.of_row, len(work.groups)
        panes = [self._pane(at, work) for at in range(count)]
        self.rooms.prepare(panes, np.bincount(of_row, minlength=count), weight=weight)
        return panes, np.flatnonzero(np.array([pane is not None for pane in panes], np.bool_)[of_row])

    def _pane(self, at: int, work: _Work) -> OpenPane | None:
        """The open pane of a group, opened now where it has to be; None where its tenure has ended meanwhile."""
        groups = work.groups
        tenure = work.block.tenures[groups.tenure[at]]
        if not tenure.live:
            return None
        layout, start = groups.layouts[groups.layout[at]], int(groups.pane[at])
        key: PaneId = (layout.hash, start)
        pane: OpenPane | None = tenure.panes.get(key)
        if pane is None:
            pane = tenure.panes[key] = self.rooms.opened(layout, start, work.loaded[at])
            tenure.first_end = min(tenure.first_end, pane.end_ms)
        tenure.changed.add(key)
        return pane

    def _note_late(self, work: _Work, chosen: Ints, panes: Sequence[OpenPane | None]) -> None:
        for at in np.unique(work.groups.of_row[chosen[work.block.late[chosen]]]):
            pane = panes[at]
            if pane is not None:
                pane.late = True

    def _conclude(self, buffer: Buffer, block: Block) -> None:
        """Clocks, offsets and rejections of the block, for the tenures that still hold."""
        for tenure, (clock, closed) in zip(block.tenures, block.clocks, strict=True):
            tenure.clock, tenure.closed = clock, closed
        for tenure, reached in buffer.reached.items():
            tenure.counted = reached
        refused = [rejection for rejection in block.rejections if rejection.tenure.live]
        for rejection in refused:
            rejection.tenure.rejected[rejection.reason] += 1
        self._refuse(refused)
        if block.samples:
            self._keep(block.samples)


def _from(run: Run, offset: int) -> list[Record]:
    return [record for record in run.records if record.offset >= offset]
