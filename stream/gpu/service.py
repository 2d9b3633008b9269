"""The agent as a process: a tick every period, ``/metrics`` at its own address, samples handed to Kafka; until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from schemas.settings import Settings
from stream.expose.health import Health
from stream.expose.http import address, listening_socket, pages
from stream.gpu.agent import BEGIN_WITHIN_S, Agent
from stream.gpu.outbox import Outbox
from stream.gpu.series import Standing, series

#: How often samples are handed to Kafka's client.
HAND_OVER_EVERY_S = 0.2
#: Samples that are on their way when the agent is told to stop may take as long.
LEAVE_WITHIN_S = 0.3


class Shown(Collector):
    """The agent's series and pages; it collects what is known at that moment."""

    def __init__(self, agent: Agent, outbox: Outbox | None, *, every_s: float) -> None:
        self._agent, self._outbox = agent, outbox
        self._patience_s = BEGIN_WITHIN_S + 3 * every_s
        self._ticked_s = time.monotonic()

    def standing(self) -> Standing:
        """What there is to show."""
        posted = None if self._outbox is None else self._outbox.posted()
        return replace(self._agent.standing(), posted=posted)

    def collect(self) -> Iterator[Metric]:
        """The families, for the registry."""
        yield from series(self.standing())

    def ticked(self) -> None:
        """A tick has ended."""
        self._ticked_s = time.monotonic()

    def sample(self) -> None:
        """Nothing to set: everything is collected."""

    def health(self) -> Health:
        """Well while it ticks: a machine without a GPU is no fault of the agent."""
        quiet_s = time.monotonic() - self._ticked_s
        if quiet_s > self._patience_s:
            return Health(False, f"no look at the GPUs for {quiet_s:.0f} s")
        return Health(True, f"{self._agent.state}: {self._agent.says}")

    def ready(self) -> bool:
        """It has looked whether there is a driver."""
        return self._agent.state != "starting"


async def serve(agent: Agent, outbox: Outbox | None, settings: Settings, *, every_s: float) -> None:
    """Measure, show and publish until SIGINT or SIGTERM.

    :raises ConfigError: the address is taken; names the variable to change.
    """
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    shown = Shown(agent, outbox, every_s=every_s)
    async with _listening(shown, settings) as where:
        print(f"gpu-agent: {where}", flush=True)
        work = [asyncio.create_task(_measure(agent, every_s, shown.ticked))]
        if outbox is not None:
            work.append(asyncio.create_task(_publish(outbox)))
        ended, _ = await asyncio.wait({asyncio.create_task(stop.wait()), *work}, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()  # a bug ends the process, so that it is seen and started again
    if outbox is not None:
        outbox.close(LEAVE_WITHIN_S)


@contextlib.asynccontextmanager
async def _listening(shown: Shown, settings: Settings) -> AsyncIterator[str]:
    registry = CollectorRegistry()
    registry.register(shown)
    bound = listening_socket(
        settings.gpu_agent_host, settings.gpu_agent_port, variable="DRIFTLINE_GPU_AGENT_PORT"
    )  # fmt: skip
    runner = web.AppRunner(pages(registry, sampler=shown), access_log=None)
    await runner.setup()
    await web.SockSite(runner, bound, shutdown_timeout=LEAVE_WITHIN_S).start()
    try:
        yield address(bound)
    finally:
        await runner.cleanup()


async def _measure(agent: Agent, every_s: float, ticked: Callable[[], None]) -> None:
    """A tick every ``every_s``, counted from the start; those that were missed are left out."""
    began = time.monotonic()
    while True:
        await agent.tick(now_s=time.monotonic(), at_ms=time.time_ns() // 1_000_000)
        ticked()
        passed = time.monotonic() - began
        await asyncio.sleep(every_s - passed % every_s)


async def _publish(outbox: Outbox) -> None:
    while True:
        outbox.hand_over()
        await asyncio.sleep(HAND_OVER_EVERY_S)
