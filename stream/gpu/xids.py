"""Critical errors (Xid) as the driver tells them: counted by GPU and code, and the last code of each.

NVML's set of events is waited on in a lane of its own, briefly each time, so that it can be left when the GPUs are looked for anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import Any

from stream.gpu.lane import Lane
from stream.gpu.library import Nvml, NvmlTrouble
from stream.gpu.quantities import Disbelief
from stream.gpu.sample import believed_xid

log = logging.getLogger(__name__)

WAIT_MS = 500
WAIT_WITHIN_S = 5.0
#: After an error of NVML, before it is waited on again.
PAUSE_S = 5.0
#: Codes that are counted of a GPU; there are about 170.
MOST_CODES = 256


class Xids:
    """What was told since the agent's start; ``counted`` holds the GPUs whose errors are told."""

    def __init__(self, nvml: Nvml, *, pause_s: float = PAUSE_S) -> None:
        self._nvml = nvml
        self._lane = Lane("nvml-events")
        self._pause_s = pause_s
        self._task: asyncio.Task[None] | None = None
        self._opened: tuple[Any, frozenset[str]] | None = None
        self.counted: dict[str, Counter[int]] = {}
        self.last: dict[str, int] = {}
        self.refused: Counter[Disbelief] = Counter()

    def told_of(self, uuid: str) -> tuple[int | None, int | None]:
        """The last code of a GPU, and how many there were; None of one that does not tell them."""
        counted = self.counted.get(uuid)
        return self.last.get(uuid), None if counted is None else counted.total()

    def start(self, uuids: Iterable[str]) -> None:
        """Listen to these GPUs."""
        self._task = asyncio.create_task(self._listen(frozenset(uuids)))

    async def stop(self) -> bool:
        """Listen no more; whether the lane is free, as it must be before NVML is ended."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await self._until_free()
        await self._close()
        return not self._lane.busy

    async def _until_free(self) -> None:
        """The wait that is out returns by itself."""
        for _ in range(int(2 * WAIT_MS / 10)):
            if not self._lane.busy:
                return
            await asyncio.sleep(0.01)

    async def _listen(self, uuids: frozenset[str]) -> None:
        while self._opened is None:
            try:
                await self._lane.ask(partial(self._open, uuids), within_s=WAIT_WITHIN_S)
            except NvmlTrouble as trouble:
                if trouble.cause != "hanging":
                    log.warning("critical errors (Xid) are not told here: %s", trouble.said)
                    return
                await asyncio.sleep(self._pause_s)
        events, told = self._opened
        for uuid in told:
            self.counted.setdefault(uuid, Counter())
        while True:
            await self._next(events)

    def _open(self, uuids: frozenset[str]) -> None:
        """In the lane's thread, so that a set of which nobody waits any more is known all the same, to be used or closed."""
        self._opened = self._nvml.listen(uuids)

    async def _next(self, events: object) -> None:
        wait = partial(self._nvml.next_xid, events, WAIT_MS)
        try:
            found = await self._lane.ask(wait, within_s=WAIT_WITHIN_S)
        except NvmlTrouble:
            await asyncio.sleep(self._pause_s)
        else:
            if found is not None:
                self._note(*found)

    async def _close(self) -> None:
        """Where a call is out, another time: the set may be what it waits on."""
        if self._opened is None or self._lane.busy:
            return
        (events, _), self._opened = self._opened, None
        with contextlib.suppress(NvmlTrouble):
            await self._lane.ask(partial(self._nvml.close, events), within_s=WAIT_WITHIN_S)

    def _note(self, uuid: str, code: object) -> None:
        believed = believed_xid(code)
        counted = self.counted.setdefault(uuid, Counter())
        if believed is None:
            self.refused["out_of_range"] += 1
        elif believed not in counted and len(counted) >= MOST_CODES:
            self.refused["too_many"] += 1
        else:
            counted[believed] += 1
            self.last[uuid] = believed
            log.warning("GPU %s: critical error, Xid %d", uuid, believed)
