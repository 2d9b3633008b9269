"""The agent: NVML begun, GPUs found, each looked at every period; whatever is wrong is a state, and mends by itself.

A tick begins what is due and waits for nobody's look: a GPU that is slow or hangs delays itself alone.  NVML lists GPUs when it is
begun, so they are found anew by ending and beginning it: soon while one is lost, seldom otherwise, and never while a call is out.
For calls that are slow and do return, looks wait once when that is due.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from stream.gpu.lane import Lane
from stream.gpu.library import Cause, Nvml, NvmlTrouble
from stream.gpu.quantities import Disbelief
from stream.gpu.sample import Readings, Sample, sample
from stream.gpu.series import AgentState, Standing
from stream.gpu.watched import CALL_WITHIN_S, REMEMBERED, Watched
from stream.gpu.xids import Xids

log = logging.getLogger(__name__)

#: Beginning NVML wakes GPUs that sleep, one after another.
BEGIN_WITHIN_S = 60.0
#: Without a driver, without a GPU, or with one lost: looked for anew as often.
RETRY_S = 60.0
#: With all well: for GPUs that were added.
RENEW_S = 3600.0
#: GPUs of one machine that are watched; a count above it is one of NVML's lies, or needs a second agent.
MOST_GPUS = 64

STATES: dict[Cause, AgentState] = {"no_driver": "no_driver", "hanging": "hanging"}


class Agent:
    """``tick`` every period; ``deliver`` hears each sample.  ``standing`` is what can be shown now."""

    def __init__(
        self, nvml: Nvml, *, host: str, deliver: Callable[[Sample], None], call_within_s: float = CALL_WITHIN_S
    ) -> None:
        self._nvml, self._host, self._deliver = nvml, host, deliver
        self._within_s = call_within_s
        self._control = Lane("nvml")
        self._lanes: dict[int, Lane] = {}
        self._watched: dict[str, Watched] = {}
        self._looks: dict[str, asyncio.Task[None]] = {}
        self._samples: dict[str, Sample] = {}
        self._begun = False
        self._due_s = float("-inf")
        self._taken = 0
        self._refused: Counter[Disbelief] = Counter()
        self._unanswered: Counter[Cause] = Counter()
        self.xids = Xids(nvml)
        self.state: AgentState = "starting"
        self.says = "starting"
        self.driver = ""

    async def tick(self, *, now_s: float, at_ms: int) -> None:
        """Begin what is due; ``now_s`` is any clock that only goes on, ``at_ms`` the time that samples carry.

        :raises Exception: a bug of a look that has ended; nothing that NVML does is one.
        """
        self._reap()
        if now_s >= self._due_s and self._idle():
            await self._renew(now_s)
        elif self._begun:
            await self._find()
        if now_s < self._due_s or self._stuck():
            self._begin_looks(now_s=now_s, at_ms=at_ms)

    def _begin_looks(self, *, now_s: float, at_ms: int) -> None:
        for watched in self._watched.values():
            if watched.uuid not in self._looks:
                self._looks[watched.uuid] = asyncio.create_task(self._look(watched, now_s=now_s, at_ms=at_ms))

    async def settled(self) -> None:
        """All looks that were begun have ended."""
        if self._looks:
            await asyncio.wait(self._looks.values())
        self._reap()

    def standing(self) -> Standing:
        """What is known, to be shown."""
        return Standing(
            self.state,
            tuple(sorted(self._samples.values(), key=lambda one: (one.gpu.zfill(3), one.uuid))),
            xids=self.xids.counted,
            refused=self._refused + self.xids.refused,
            unanswered=self._unanswered,
            taken=self._taken,
        )

    def _reap(self) -> None:
        for uuid, look in list(self._looks.items()):
            if look.done():
                del self._looks[uuid]
                look.result()

    def _idle(self) -> bool:
        """No call is out, so that NVML may be ended."""
        return not self._looks and not any(lane.busy for lane in (self._control, *self._lanes.values()))

    def _stuck(self) -> bool:
        """A call is out of which nobody waits any more.

        Otherwise, where NVML is due to be begun anew, no look is begun before those that are out have ended: slow ones
        would go on for ever.
        """
        looking = [self._watched[uuid].lane for uuid in self._looks]
        return any(lane.busy and lane not in looking for lane in (self._control, *self._lanes.values()))

    async def _renew(self, now_s: float) -> None:
        self._due_s = now_s + RETRY_S
        if not await self.xids.stop():
            self._listen()
            return
        try:
            if self._begun:
                self._begun = False
                await self._control.ask(self._nvml.end, within_s=BEGIN_WITHIN_S)
            await self._control.ask(self._nvml.begin, within_s=BEGIN_WITHIN_S)
            self.driver = await self._version()
        except NvmlTrouble as trouble:
            self._unanswered[trouble.cause] += 1
            self._forget_places()
            self._become(STATES.get(trouble.cause, "refused"), trouble.said)
            return
        self._begun = True
        self._forget_places()
        await self._find()
        self._listen()
        lost = any(watched.lane is None for watched in self._watched.values())
        self._due_s = now_s + (RETRY_S if lost or not self._watched else RENEW_S)

    async def _version(self) -> str:
        """The driver's; nothing of one that does not tell it, which may tell all else."""
        try:
            return await self._control.ask(self._nvml.driver, within_s=BEGIN_WITHIN_S)
        except NvmlTrouble as trouble:
            if trouble.cause in STATES:
                raise
            self._unanswered[trouble.cause] += 1
            return ""

    def _listen(self) -> None:
        placed = [watched.uuid for watched in self._watched.values() if watched.lane is not None]
        if placed:
            self.xids.start(placed)

    async def _find(self) -> None:
        """Give each GPU that NVML lists, and that has none yet, its place."""
        placed = {watched.gpu for watched in self._watched.values() if watched.lane is not None}
        try:
            count = await self._control.ask(self._nvml.count, within_s=self._within_s)
        except NvmlTrouble as trouble:
            self._unanswered[trouble.cause] += 1
            self._become(STATES.get(trouble.cause, "refused"), trouble.said)
            return
        if count > MOST_GPUS:
            self._refused["too_many"] += 1
        missing = [index for index in range(min(count, MOST_GPUS)) if str(index) not in placed]
        await asyncio.gather(*map(self._find_at, missing))
        self._become("running" if count else "no_devices", f"driver {self.driver or 'unknown'}, GPUs: {count}")

    async def _find_at(self, index: int) -> None:
        lane = self._lanes.setdefault(index, Lane(f"nvml-gpu-{index}"))
        try:
            uuid = await lane.ask(partial(self._nvml.uuid_at, index), within_s=self._within_s)
        except NvmlTrouble as trouble:
            self._unanswered[trouble.cause] += 1
            log.debug("GPU %d has no UUID to be known by: %s", index, trouble.said)
            return
        why = self._no_place_for(uuid)
        if why is not None:
            self._refused[why] += 1
            return
        for other in self._watched.values():
            if other.gpu == str(index):
                other.gpu = other.uuid  # it has gone, and its index is another one's now
        self._watched.setdefault(uuid, Watched(self._nvml, uuid, call_within_s=self._within_s)).place(index, lane)

    def _no_place_for(self, uuid: str) -> Disbelief | None:
        """A UUID that another index has too, or none at all, is no name to keep a series under."""
        if not uuid:
            return "blank"
        if uuid in self._watched:
            return None if self._watched[uuid].lane is None else "inconsistent"
        return "too_many" if len(self._watched) >= MOST_GPUS else None

    def _forget_places(self) -> None:
        for watched in self._watched.values():
            watched.gone()

    async def _look(self, watched: Watched, *, now_s: float, at_ms: int) -> None:
        before = watched.state
        readings, happened = await watched.look(now_s=now_s, at_ms=at_ms)
        self._unanswered.update(happened)
        if readings.state != before:
            level = logging.INFO if readings.state == "ok" else logging.WARNING
            log.log(level, "GPU %s (%s): %s", watched.gpu, watched.uuid, readings.state)
        if readings.state == "lost" or (readings.state == "unreadable" and not REMEMBERED.issuperset(happened)):
            self._due_s = min(self._due_s, now_s + RETRY_S)
        self._note(readings)

    def _note(self, readings: Readings) -> None:
        xid, errors = self.xids.told_of(readings.uuid)
        made = sample(replace(readings, host=self._host, xid=xid, xid_errors=errors))
        self._samples[made.uuid] = made
        self._refused.update(made.refused)
        self._taken += 1
        self._deliver(made)

    def _become(self, state: AgentState, says: str) -> None:
        if state != self.state or says != self.says:
            log.log(logging.INFO if state == "running" else logging.WARNING, "%s: %s", state, says)
        self.state, self.says = state, says
