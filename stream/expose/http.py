"""The worker's HTTP address: ``/metrics``, ``/health`` and ``/ready``, on loopback unless told otherwise."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from schemas.errors import ConfigError, Problem
from stream.expose.health import Health

#: Series of another process, as text.
Further = Callable[[], Awaitable[bytes]]


class Sampling(Protocol):
    """What the pages are told by, at each request."""

    def sample(self) -> None:
        """Set every series."""

    def health(self) -> Health:
        """Whether the process makes progress."""

    def ready(self) -> bool:
        """Whether it has begun its work."""


WORKER_PORTS = range(8780, 8789)


@dataclass(frozen=True, slots=True)
class _Collected(Collector):
    """Families that were collected before."""

    found: list[Metric]

    def collect(self) -> list[Metric]:
        return self.found


def pages(registry: CollectorRegistry, *, sampler: Sampling, further: Further | None = None) -> web.Application:
    """The three pages; the sampler is asked at each request, and ``further`` for series of another process."""

    async def metrics(request: web.Request) -> web.Response:
        sampler.sample()
        # Collected here, where nothing changes meanwhile; written out beside the loop, for many models take their time.
        body = await asyncio.to_thread(generate_latest, _Collected(list(registry.collect())))
        if further is not None:
            body += await further()
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def health(request: web.Request) -> web.Response:
        found = sampler.health()
        return web.json_response({"well": found.well, "says": found.says}, status=200 if found.well else 503)

    async def ready(request: web.Request) -> web.Response:
        now = sampler.ready()
        return web.json_response({"ready": now}, status=200 if now else 503)

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics), web.get("/health", health), web.get("/ready", ready)])
    return app


def listening_socket(host: str, port: int, *, variable: str = "DRIFTLINE_HTTP_PORT") -> socket.socket:
    """A listening socket: on ``port``, or for 0 on the first free worker port; ``variable`` is the setting to change.

    :raises ConfigError: the port, or each of them, is taken.
    """
    for candidate in [port] if port else WORKER_PORTS:
        bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host, candidate))
            bound.listen()  # two may bind one port that nobody listens on yet; only one may listen
        except OSError:
            bound.close()
        else:
            return bound
    tried = port or f"each of {WORKER_PORTS.start} to {WORKER_PORTS.stop - 1}"
    raise ConfigError([Problem(variable, 0, "", f"{host}:{tried} is taken; choose a free port")])


def address(bound: socket.socket) -> str:
    """The address to print."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
