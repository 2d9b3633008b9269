"""An agent of GPUs that is driven tick by tick over a machine that does everything wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from stream.gpu.agent import Agent
from stream.gpu.sample import Sample
from tests.support.gpu import FaultyNvml

PERIOD = 10.0
#: Patience with a call: long where none hangs, because a busy machine may take its time; short where one does.
LONG_S, SHORT_S = 20.0, 0.4


class Watch:
    """An agent over a machine, driven tick by tick."""

    def __init__(self, nvml: FaultyNvml, *, within_s: float) -> None:
        self.heard: list[Sample] = []
        self.agent = Agent(nvml, host="node-7", deliver=self.heard.append, call_within_s=within_s)
        self.now_s = 0.0

    async def tick(self, after_s: float = PERIOD) -> dict[str, str]:
        """Let time pass, look, wait for the looks; each GPU's state."""
        self.now_s += after_s
        await self.agent.tick(now_s=self.now_s, at_ms=int(self.now_s * 1000))
        await self.agent.settled()
        return self.states

    @property
    def states(self) -> dict[str, str]:
        return {one.uuid: one.state for one in self.agent.standing().samples}

    def newest(self, uuid: str) -> Sample:
        return next(one for one in self.agent.standing().samples if one.uuid == uuid)


def driven(story: Callable[[Watch, FaultyNvml], Awaitable[None]], *uuids: str, within_s: float = LONG_S) -> None:
    nvml = FaultyNvml(*uuids)

    async def told() -> None:
        watch = Watch(nvml, within_s=within_s)
        try:
            await story(watch, nvml)
        finally:
            for held in nvml.held.values():
                held.set()
            await watch.agent.xids.stop()

    asyncio.run(told())


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.005)
