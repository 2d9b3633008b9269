"""A service as a child process: started on free ports, stopped together with everything it started.

No child outlives the tests: each is the leader of its own process group, is killed at exit, and (where
``setpriv`` exists) dies with us even when we are killed ourselves.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

#: Below the range that systems hand out for outgoing connections, so that a port stays ours over a restart.
PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A port of the loopback interface on which nothing listens now."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def listening(port: int) -> bool:
    """Whether something accepts connections on the loopback ``port``."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """One running child and its log; ``stop`` asks, ``kill`` does not. Both may be called twice."""

    def __init__(self, command: Sequence[str], *, log: Path, env: dict[str, str] | None = None) -> None:
        self.log = log
        with log.open("ab") as sink:
            self._child = subprocess.Popen(
                [*_dies_with_us(), *command],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, **(env or {})},
            )
        atexit.register(self.kill)

    @property
    def pid(self) -> int:
        """The child's process id, which is its process group's too."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether the child runs."""
        return self._child.poll() is None

    def stop(self, *, timeout_s: float = 20.0) -> int:
        """Ask the child to end (SIGTERM), kill what is left of its group after that; the exit status."""
        if self.alive:
            self._child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(timeout_s)
        return self.kill()

    def kill(self) -> int:
        """End the whole process group at once (SIGKILL); the exit status of the child."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        atexit.unregister(self.kill)
        return self._child.wait()

    def wait_until(self, ready: Callable[[], bool], *, timeout_s: float) -> None:
        """Return once ``ready()``; RuntimeError with the log's end when the child died or time ran out."""
        deadline = time.monotonic() + timeout_s
        while not ready():
            if not self.alive or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"{self.log.name}: not ready\n{self.last_lines()}")
            time.sleep(0.05)

    def last_lines(self, count: int = 30) -> str:
        """The end of what the child printed."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])


def _dies_with_us() -> list[str]:
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL"] if setpriv else []
