"""Serves the worker's pages beside Faust, from its first moment to its last."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from mode import Service

from schemas.settings import Settings
from stream.expose.http import address, listening_socket, pages
from stream.expose.metrics import WorkerMetrics
from stream.expose.sampling import Sampler


class Server(Service):
    """A mode service, so that it starts and stops with the worker."""

    def __init__(self, metrics: WorkerMetrics, sampler: Sampler, settings: Settings, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._bound = listening_socket(settings.http_host, settings.http_port)
        app = pages(metrics.registry, sampler=sampler)
        self._runner = web.AppRunner(app, access_log=None)

    async def on_start(self) -> None:
        """Listen, and say where."""
        await self._runner.setup()
        await web.SockSite(self._runner, self._bound).start()
        print(f"worker: {address(self._bound)}", flush=True)

    async def on_stop(self) -> None:
        """Close the address."""
        await self._runner.cleanup()
