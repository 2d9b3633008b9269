"""The periodic tasks of a worker, and what ends it: each part adds its own to the list, Faust runs them all.

A bug in a task ends the process (70) rather than leave a worker that looks alive and has stopped doing one of its jobs.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import faust
from mode import ServiceT, Worker

log = logging.getLogger(__name__)

EXIT_BUG = 70
#: It does not do its work any more, and why is not known: only a restart helps.
EXIT_STUCK = 71
#: Told to stop, a process ends sooner than this and a supervisor's shortest patience, five seconds.
LEAVE_WITHIN_S = 4.3


@dataclass(frozen=True, slots=True)
class Periodic:
    """``work`` is begun every ``interval_s``, or as soon as it has ended where it took longer; 0: again at once."""

    name: str
    interval_s: float
    work: Callable[[], Awaitable[object]]


def add_periodic(app: faust.App, tasks: Iterable[Periodic]) -> None:
    """Have the application run these until it stops."""
    for periodic in tasks:
        app.task(_named(app, periodic))


def _named(app: faust.App, periodic: Periodic) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        await every(app, periodic)

    run.__name__ = run.__qualname__ = periodic.name
    return run


async def every(service: ServiceT, periodic: Periodic) -> None:
    """Do it again and again until the service is to stop."""
    while not service.should_stop:
        started = time.monotonic()
        await surviving(periodic.work())
        await asyncio.sleep(max(0.0, periodic.interval_s - (time.monotonic() - started)))


async def surviving(work: Awaitable[object]) -> None:
    """Await ``work``; anything it raises is a bug, and ends the process so that another one takes over."""
    try:
        await work
    except Exception:
        log.critical("a bug; this worker ends and its partitions go to another", exc_info=True)
        logging.shutdown()
        os._exit(EXIT_BUG)


def ended(worker: Worker) -> int:
    """Run a worker of mode or Faust until it is told to stop; the exit code."""
    try:
        worker.execute_from_commandline()
    except SystemExit as leaving:
        told = leaving.code if isinstance(leaving.code, int) else 0
        return told if told > 1 else _status(worker) or told


async def before_leaving(work: Awaitable[object], *, within_s: float) -> bool:
    """Whether ``work`` was done in time; a worker that is told to stop waits no longer for it."""
    try:
        await asyncio.wait_for(work, timeout=within_s)
    except TimeoutError:
        return False
    return True


class LeavesInTime(Worker):
    """From the moment it is told to stop it has so long, whoever does not answer.

    What is stored by then is; saying good-bye to a broker that is gone could take half a minute.
    """

    async def on_stop(self) -> None:
        """Before any of its services is stopped."""
        timer = threading.Timer(LEAVE_WITHIN_S, self._leave)
        timer.daemon = True
        timer.start()
        await super().on_stop()

    def _leave(self) -> None:
        log.warning("leaving without a good-bye: Kafka or Redis did not answer within %g s", LEAVE_WITHIN_S)
        logging.shutdown()
        os._exit(_status(self))


def _status(worker: Worker) -> int:
    """What a crash ends with, however far it went: mode says 1 of one that had time to leave."""
    if not worker.crashed:
        return 0
    log.critical("%r; this worker ends, start it again: nothing is lost", worker.crash_reason)
    logging.shutdown()
    return EXIT_STUCK
