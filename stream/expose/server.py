"""Serves the pages of a worker, or of a process that only evaluates, from its first moment to its last."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from mode import Service
from prometheus_client import CollectorRegistry

from schemas.settings import Settings
from stream.expose.http import Further, Sampling, address, listening_socket, pages


class Server(Service):
    """A mode service, so that it starts and stops with the worker."""

    def __init__(
        self,
        name: str,
        registry: CollectorRegistry,
        settings: Settings,
        *,
        sampler: Sampling,
        further: Further | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._name = name
        self._bound = listening_socket(settings.http_host, settings.http_port)
        app = pages(registry, sampler=sampler, further=further)
        self._runner = web.AppRunner(app, access_log=None)

    async def on_start(self) -> None:
        """Listen, and say where."""
        await self._runner.setup()
        await web.SockSite(self._runner, self._bound).start()
        print(f"{self._name}: {address(self._bound)}", flush=True)

    async def on_stop(self) -> None:
        """Close the address."""
        await self._runner.cleanup()
