"""A console to ask: its pages as a client gets them, without a browser."""

from __future__ import annotations

import asyncio
import html
import re
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp.test_utils import TestClient, TestServer
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from schemas.names import Names
from schemas.settings import Settings
from stream.expose.console.app import application
from stream.expose.console.render import Site
from tests.support.process import Process, free_port

Fill = Callable[[Redis, Names], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A page."""

    status: int
    html: str
    headers: Mapping[str, str]

    @property
    def text(self) -> str:
        """What a reader sees: tags and data blocks left out, spaces as one."""
        shown = re.sub(r"<script.*?</script>", " ", self.html, flags=re.S)
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", shown)).split())


@dataclass(frozen=True, slots=True)
class ConsoleSite:
    """A Redis and an environment in it."""

    redis: str
    environment: str

    @property
    def settings(self) -> Settings:
        return Settings(redis=self.redis, environment=self.environment)

    def fill(self, fill: Fill) -> None:
        asyncio.run(self._filled(fill))

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def ask(self, method: str, path: str) -> Answer:
        return asyncio.run(self._asked(method, path))

    async def _filled(self, fill: Fill) -> None:
        async with Redis.from_url(self.redis) as redis:
            await fill(redis, self.settings.names)

    async def _asked(self, method: str, path: str) -> Answer:
        # Without retries, as the console's own client is.
        async with Redis.from_url(self.redis, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)) as redis:
            app = application(Site(redis, self.settings.names, self.settings))
            async with TestClient(TestServer(app)) as client:
                answer = await client.request(method, path)
                return Answer(answer.status, await answer.text(), dict(answer.headers))


def start_console(site: ConsoleSite, *, log: Path) -> tuple[Process, str]:
    """``driftline console`` as a process, and its address, once it has printed it."""
    port = free_port()
    env = {
        "DRIFTLINE_REDIS": site.redis,
        "DRIFTLINE_ENVIRONMENT": site.environment,
        "DRIFTLINE_CONSOLE_PORT": str(port),
    }
    process = Process([sys.executable, "-m", "stream.command.main", "console"], log=log, env=env)
    process.wait_until(lambda: "console:" in process.last_lines(), timeout_s=30)
    return process, f"http://127.0.0.1:{port}"
