"""The open panes that a block is counted in: those in memory, those that Redis holds, and those that begin with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from stream.ingest.block import Block
from stream.ingest.groups import Groups
from stream.ingest.rooms import Rooms
from stream.ingest.tenure import OpenPane, PaneId, Tenure
from stream.state.bulk import passes
from stream.state.layout import Layout
from stream.state.packing import Partial
from stream.state.store import PaneKey

Ints = npt.NDArray[np.int64]
Load = Callable[[Sequence[PaneKey]], Awaitable[list[Partial]]]

#: Cells of partials that are loaded together: 8 MB until they have their rooms.
LOADED_CELLS = 1_000_000


@dataclass(frozen=True, eq=False, slots=True)
class Work:
    """Rows to be counted, and by group its tenure, the name of its pane, and that (None: not in memory, or of no use any more).

    ``missing``: the groups whose pane was not in memory at first.
    """

    block: Block
    groups: Groups
    tenures: list[Tenure]
    keys: list[PaneId]
    panes: list[OpenPane | None]
    missing: list[int]

    def layout(self, at: int) -> Layout:
        return self.groups.layouts[int(self.groups.layout[at])]

    def key(self, at: int) -> PaneKey:
        tenure = self.tenures[at]
        return PaneKey(tenure.stream, tenure.partition, tenure.incarnation, self.layout(at), self.keys[at][1])


class Opener:
    """``found`` may wait for Redis, and nothing is counted meanwhile; ``panes`` is called when everything is there."""

    def __init__(self, rooms: Rooms, load: Load) -> None:
        self._rooms, self._load = rooms, load
        self._drains = 0

    async def found(self, block: Block, groups: Groups) -> Work:
        """The panes in memory; what is stored of others is loaded: one written blindly would lose its counts.

        Redis is not asked for a pane that begins after ``tenure.shelved``: nothing of it was stored before the tenure, whose
        clock every counted event moves and one script writes with the panes, and what left memory since is known.
        """
        tenures = [block.tenures[owner] for owner in groups.tenure.tolist()]
        keys = _keys(groups)
        panes = [tenure.panes.get(key) for tenure, key in zip(tenures, keys, strict=True)]
        missing = [at for at, pane in enumerate(panes) if pane is None]
        work = Work(block, groups, tenures, keys, panes, missing)
        stored = [at for at in missing if tenures[at].live and tenures[at].is_stored(keys[at])]
        widest = max((work.layout(at).cells for at in stored), default=1)
        for portion in passes(stored, cells=widest, at_once=LOADED_CELLS):
            await self._load_into(work, portion)
        return work

    def panes(self, work: Work, *, weight: int) -> tuple[list[OpenPane | None], Ints]:
        """The open pane of each group with room for its rows, and the rows whose tenure has not ended meanwhile."""
        of_row, panes = work.groups.of_row, work.panes
        self._begin(work)
        self._touch(work)
        self._rooms.prepare(panes, np.bincount(of_row, minlength=len(panes)), weight=weight)
        if None not in panes:
            return panes, np.arange(len(of_row))
        return panes, np.flatnonzero(np.array([pane is not None for pane in panes], np.bool_)[of_row])

    async def _load_into(self, work: Work, portion: Sequence[int]) -> None:
        """What was loaded is at once a pane in memory like others that are stored: it stays where the drain comes to nothing."""
        loaded = await self._load([work.key(at) for at in portion])
        for at, partial in zip(portion, loaded, strict=True):
            if work.tenures[at].live:
                pane = self._rooms.opened(work.layout(at), work.keys[at][1], partial)
                self._keep(work, at, pane)

    def _begin(self, work: Work) -> None:
        """Open what is nowhere yet."""
        new = [at for at in work.missing if work.panes[at] is None and work.tenures[at].live]
        begun = self._rooms.begun([work.layout(at) for at in new], [work.keys[at][1] for at in new])
        for at, pane in zip(new, begun, strict=True):
            self._keep(work, at, pane)

    def _keep(self, work: Work, at: int, pane: OpenPane) -> None:
        """Two groups may be of one pane: a model's layouts of before and after a switch that changes no column."""
        work.panes[at] = held = work.tenures[at].opened(work.keys[at], pane)
        if held is not pane:
            self._rooms.free(pane)

    def _touch(self, work: Work) -> None:
        """Mark what the rows change, of tenures that have not ended."""
        self._drains += 1
        for span in _spans(work.groups.tenure):
            tenure, keys = work.tenures[span.start], work.keys[span]
            if tenure.live:
                for key in keys:
                    tenure.touch(key, drain=self._drains)
            else:
                work.panes[span] = [None] * len(keys)


def _keys(groups: Groups) -> list[PaneId]:
    layouts = groups.layouts
    return [
        (layouts[number].hash, start)
        for number, start in zip(groups.layout.tolist(), groups.pane.tolist(), strict=True)
    ]


def _spans(tenures: Ints) -> list[slice]:
    """The groups of each tenure, which stand together."""
    ends = [*(np.flatnonzero(np.diff(tenures)) + 1).tolist(), len(tenures)]
    return [slice(begin, end) for begin, end in pairwise((0, *ends)) if begin < end]
