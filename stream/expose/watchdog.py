"""Ends a worker that no longer does its work, from a thread of its own: an event loop that hangs cannot end itself.

A restart is the remedy, so there is an exit code of its own (71): one line says why, and what every thread was doing follows.
``liveness`` decides; here the event loop is asked what it sees, and Kafka where its logs end.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from faust.types import TP
from mode import Service

from stream.expose.liveness import TICK_S, Sight, Watch, asks, seen, silent, told, verdict
from stream.tasks import EXIT_STUCK

log = logging.getLogger(__name__)

Look = Callable[[], Sight]
#: The end of each log; those that Kafka does not tell now are missing.
Ends = Callable[[Iterable[TP]], Mapping[TP, int]]


class Watchdog(Service):
    """A service of the worker's; ``look`` is called on the event loop at each tick, ``ends`` on the thread, seldom."""

    def __init__(self, look: Look, ends: Ends, *, patience_s: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._look, self._ends, self._patience_s = look, ends, patience_s
        self._sight = Sight()
        self._answered, self._over = threading.Event(), threading.Event()

    async def on_start(self) -> None:
        """Watch from now on."""
        self._answer()
        threading.Thread(target=self._run, args=(asyncio.get_running_loop(),), name="watchdog", daemon=True).start()

    async def on_stop(self) -> None:
        """The worker is told to stop: what ends under it now is to end."""
        self._over.set()

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        watch = Watch()
        while not self._over.wait(TICK_S) and not loop.is_closed():
            watch = self._after(watch, loop)
            why = verdict(watch, self._sight, patience_s=self._patience_s)
            if why and not self._over.is_set():
                end(why)

    def _after(self, watch: Watch, loop: asyncio.AbstractEventLoop) -> Watch:
        if not self._answered.is_set():
            return silent(watch)
        sight = self._sight
        self._answered.clear()
        loop.call_soon_threadsafe(self._answer)
        watch = seen(watch, sight)
        return told(watch, sight, self._ends(sight.places)) if asks(watch) else watch

    def _answer(self) -> None:
        self._sight = self._look()
        self._answered.set()


def end(why: str) -> None:
    """End the process with a line, and what each of its threads was doing."""
    log.critical("%s; this worker ends, start it again: nothing is lost", why)
    faulthandler.dump_traceback(all_threads=True)
    logging.shutdown()
    os._exit(EXIT_STUCK)
