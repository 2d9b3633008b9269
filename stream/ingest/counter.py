"""Turns buffered rows into open panes: arranges a block, loads the partials it touches, counts.

One drain runs at a time.  What it has counted of a partition and the offset that goes with it change together, between two
awaits, so a checkpoint taken between drains is always consistent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from schemas.gpus import Sampled
from stream.ingest.arena import Arena
from stream.ingest.arm_rows import Numbers, arm_rows, by_version
from stream.ingest.arms import ArmsTables
from stream.ingest.block import Block, arrange, code_matrix, matrix
from stream.ingest.buffer import Buffer, Rejection
from stream.ingest.counting import Rows, count
from stream.ingest.featured import Valued
from stream.ingest.groups import Groups, groups_of, rooms_of
from stream.ingest.newest import Newest
from stream.ingest.plan import StreamPlan, retaught, taught
from stream.ingest.sheets import sheets_of
from stream.ingest.slab import stretches
from stream.ingest.slab_values import slab_values
from stream.ingest.tables import StreamTables
from stream.ingest.tenure import OpenPane, PaneId, Tenure
from stream.ingest.whole import count_sheet
from stream.state.layout import UNKNOWN_FEATURES, UNKNOWN_KEYS, Layout
from stream.state.packing import Partial
from stream.state.store import PaneKey
from stream.transport import Record, Run

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Load = Callable[[Sequence[PaneKey]], Awaitable[list[Partial]]]
Result = TypeVar("Result")
Refuse = Callable[[Sequence[Rejection]], None]
Keep = Callable[[Sequence[Sampled]], None]

#: Rows that are counted together: enough to spread numpy's cost per call, few enough to stay in the cache.
BLOCK_ROWS = 4096
#: Half of what a cell of 32 bits holds: no more than that is counted from one checkpoint to the next.
OUTGROWN = 1 << 31


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
        self.arena = Arena()
        self.events = 0
        self.late = 0
        self._load, self._refuse, self._keep, self._newest = load, refuse, keep, newest
        self._skew_ms = skew_ms
        self._buffers = {stream: Buffer() for stream in plans}
        self._lock = asyncio.Lock()

    async def add(self, run: Run, tenure: Tenure) -> None:
        """Decode what of a run was not read yet, all or (of records with many events) a part; count when a block is full."""
        records = run.records if run.records[0].offset >= tenure.read else _from(run, tenure.read)
        buffer = self._buffers[tenure.stream]
        if records:
            self.plans[tenure.stream].decoder.decode_run(records, tenure, into=buffer)
        if len(buffer) >= BLOCK_ROWS:
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
            self.arena.free(pane.room, pane.layout)
        tenure.panes.clear()
        tenure.changed.clear()

    def content(self, pane: OpenPane) -> Partial:
        """All that was counted of a pane; what outgrows the room's 32 bits is carried beside it from then on."""
        counted = self.arena.read(pane.room, pane.layout, revision=pane.revision)
        whole = counted if pane.carried is None else replace(pane.carried + counted, revision=pane.revision)
        if counted.cells.max() >= OUTGROWN:
            pane.carried = whole
            self.arena.clear(pane.room, pane.layout)
        return whole

    def evict(self, tenure: Tenure, *, before_ms: int) -> None:
        """Drop stored partials of panes that ended by ``before_ms``; a late event loads them again."""
        old = [key for key, pane in tenure.panes.items() if pane.end_ms <= before_ms and key not in tenure.changed]
        for key in old:
            pane = tenure.panes.pop(key)
            self.arena.free(pane.room, pane.layout)

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
        self._conclude(buffer, block)

    async def _prepared(self, block: Block, layouts: Sequence[Layout]) -> _Work:
        groups = groups_of(block, layouts)
        return _Work(block, groups, await self._loaded(block, groups))

    async def _loaded(self, block: Block, groups: Groups) -> dict[int, Partial | None]:
        """What groups not in memory start from (None: nothing): an evicted pane written blindly would lose its counts.

        Of a pane that begins after the tenure's clock nothing is stored, so Redis is not asked: every counted event moved the
        clock to its time or beyond, and one script writes panes and clock, so they are read back (and lost) together.
        """
        wanted: dict[int, PaneKey] = {}
        found: dict[int, Partial | None] = {}
        for at, (owner, number, pane) in enumerate(zip(groups.tenure, groups.layout, groups.pane, strict=True)):
            tenure, layout = block.tenures[owner], groups.layouts[number]
            if not tenure.live or (layout.hash, int(pane)) in tenure.panes:
                continue
            if pane > tenure.clock:
                found[at] = None
            else:
                wanted[at] = PaneKey(tenure.stream, tenure.partition, tenure.incarnation, layout, int(pane))
        if wanted:
            found |= zip(wanted, await self._load(list(wanted.values())), strict=True)
        return found

    def _count(self, buffer: Buffer, work: _Work, tables: StreamTables) -> Numbers | None:
        """Count the rows; the numbers of those that were counted one by one, if any were."""
        block, of_row = work.block, work.groups.of_row
        panes, chosen = self._panes(work)
        sheets, single = sheets_of(buffer, block, chosen, of_row=of_row, panes=panes, tables=tables)
        for sheet in sheets:
            count_sheet(sheet, self.arena, narrow=tables.narrow, wide=tables.wide)
            self._newest.see(sheet.valued(), tables)
        self._note_late(work, chosen, panes)
        self.events += len(chosen)
        self.late += int(block.late[chosen].sum())
        if not len(single):
            return None
        rows = _rows(buffer, block, single, tables=tables, rooms=rooms_of(panes, of_row[single]))
        count(rows, self.arena, narrow=tables.narrow, wide=tables.wide)
        self._newest.see(Valued(rows.layout, block.time[single], rows.narrow, rows.wide, rows.codes), tables)
        self._count_unknown(buffer, block.row[single], rows)
        return Numbers(block.row[single], rows.narrow, rows.wide)

    def _count_arms(self, buffer: Buffer, work: _Work, found: ArmsTables, *, numbers: Numbers | None) -> None:
        panes, chosen = self._panes(work)
        if len(chosen):
            rooms = rooms_of(panes, work.groups.of_row[chosen])
            rows = arm_rows(buffer, work.block, chosen, found=found, numbers=numbers, rooms=rooms)
            count(rows, self.arena, narrow=found.tables.narrow, wide=found.tables.wide)
            self._note_late(work, chosen, panes)

    def _panes(self, work: _Work) -> tuple[list[OpenPane | None], Ints]:
        """The open pane of each group, and the rows whose tenure has not ended meanwhile."""
        panes = [self._pane(at, work) for at in range(len(work.groups))]
        return panes, np.flatnonzero(np.array([pane is not None for pane in panes], np.bool_)[work.groups.of_row])

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
            pane = tenure.panes[key] = self._opened(layout, start, work.loaded[at])
        tenure.changed.add(key)
        return pane

    def _opened(self, layout: Layout, start_ms: int, stored: Partial | None) -> OpenPane:
        if stored is None:
            return OpenPane(layout, start_ms, self.arena.allocate(layout), 0)
        if stored.cells.max() < OUTGROWN:
            return OpenPane(layout, start_ms, self.arena.allocate(layout, stored), stored.revision)
        room = self.arena.allocate(layout)
        return OpenPane(layout, start_ms, room, stored.revision, carried=stored)

    def _count_unknown(self, buffer: Buffer, row: Ints, rows: Rows) -> None:
        for slab, span, _ in stretches(buffer.slabs, row, first=len(buffer.shape)):
            for cell, unknown in ((UNKNOWN_FEATURES, slab.unknown_features), (UNKNOWN_KEYS, slab.unknown_keys)):
                if unknown:
                    np.add.at(self.arena.cells, rows.cells[span] + cell, np.uint32(unknown))
        if not buffer.unknown:
            return
        place = {int(at): cell for at, cell in zip(row, rows.cells, strict=True)}
        for at, features, keys in buffer.unknown:
            if at in place:
                self.arena.cells[place[at] + UNKNOWN_FEATURES] += features
                self.arena.cells[place[at] + UNKNOWN_KEYS] += keys

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


def _rows(buffer: Buffer, block: Block, chosen: Ints, *, tables: StreamTables, rooms: tuple[Ints, Ints]) -> Rows:
    row, layout = block.row[chosen], block.layout[chosen]
    listed = int(np.searchsorted(row, len(buffer.shape)))
    narrow, wide, codes = _listed_values(buffer, row[:listed], layout[:listed], tables=tables)
    if buffer.slabs:
        slabs = slab_values(buffer.slabs, row[listed:] - len(buffer.shape), layout[listed:], tables=tables)
        narrow, wide, codes = (np.concatenate(pair) for pair in zip((narrow, wide, codes), slabs, strict=True))
    return Rows(layout, *rooms, narrow, wide, codes, block.late[chosen])


def _listed_values(buffer: Buffer, row: Ints, layout: Ints, *, tables: StreamTables) -> tuple[Floats, Floats, Ints]:
    places, codes = row.tolist(), tables.codes  # a list is indexed by ints of its own three times as fast
    named = [buffer.categorical[at] for at in places]
    return (
        matrix([buffer.narrow[at] for at in places], tables.narrow.columns),
        matrix([buffer.wide[at] for at in places], tables.wide.columns),
        code_matrix(named, [codes[at] for at in layout.tolist()], max(map(len, codes))),
    )
