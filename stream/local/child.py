"""A process of ours beside this one: its output in a log, and no life of its own after us.

It ends with the block that started it, on an error in the block too, and on Linux even when this process is
killed outright: the kernel is asked to end it with its parent.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import DriftlineError
from stream.tied import tied

_PATIENCE_S = 5.0


class ChildDied(DriftlineError):
    """A process that should run has ended, or did not get ready; the message ends with its last words."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running process and where its output goes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """:raises ChildDied: it does not run any more."""
        status = self.process.poll()
        if status is not None:
            raise ChildDied(f"{self.name} ended with status {status}\n{self.last_lines()}")

    def last_lines(self, count: int = 30) -> str:
        """The end of what it printed."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])

    def wait_until(self, ready: Callable[[], bool], *, timeout_s: float) -> None:
        """Return once ``ready()``.

        :raises ChildDied: it ended before that, or the time ran out.
        """
        deadline = time.monotonic() + timeout_s
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise ChildDied(f"{self.name} was not ready after {timeout_s:g} s\n{self.last_lines()}")
            time.sleep(0.02)


@contextlib.contextmanager
def running(
    name: str, command: Sequence[str], *, folder: Path, env: Mapping[str, str] | None = None
) -> Iterator[Child]:
    """The command as a child, its output in ``folder/NAME.log``; stopped when the block ends or fails.

    ``env``: all of its environment; None: ours.
    """
    log = folder / f"{name}.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            tied(command),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=dict(os.environ if env is None else env),
            start_new_session=True,  # Ctrl-C is for us; we end our children in order
        )
    try:
        yield Child(name, process, log)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask, wait, and then not ask."""
    process.terminate()
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
