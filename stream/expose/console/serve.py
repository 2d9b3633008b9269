"""Runs the console: one address, one Redis, until told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from schemas.settings import Settings
from stream.expose.console.app import application
from stream.expose.console.render import Site
from stream.expose.http import address, listening_socket
from stream.redis_client import client_of

#: A page that Redis does not answer in time says so instead.
ANSWER_WITHIN_S = 5.0


def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM.

    :raises ConfigError: the address is taken; names the variable to change.
    """
    asyncio.run(_run(settings))


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[str]:
    """The console while the block runs; yields its address.  It starts without Redis too, and says so on its pages.

    :raises ConfigError: the address is taken, or that of Redis is none.
    """
    async with client_of(settings, answers_within_s=ANSWER_WITHIN_S) as redis:
        bound = listening_socket(settings.console_host, settings.console_port, variable="DRIFTLINE_CONSOLE_PORT")
        runner = web.AppRunner(application(Site(redis, settings.names, settings)), access_log=None)
        await runner.setup()
        await web.SockSite(runner, bound).start()
        try:
            yield address(bound)
        finally:
            await runner.cleanup()


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(settings) as where:
        print(f"console: {where}", flush=True)
        await stop.wait()
