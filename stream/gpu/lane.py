"""One thread for calls that may never return: each has a deadline, and while one is out no other is begun.

So a driver that hangs costs one thread a GPU, however long it hangs, and the lane is free again by itself when the call returns.
The thread is a daemon: it holds no process up that is told to end.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

from stream.gpu.library import NvmlTrouble

Answer = TypeVar("Answer")
Job = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class Lane:
    """``ask`` runs a call; ``busy`` while one has not returned."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self.busy = False

    async def ask(self, call: Callable[[], Answer], *, within_s: float) -> Answer:
        """What ``call`` returned or raised.

        :raises NvmlTrouble: ``hanging``, where it did not return in time, or where an earlier one still has not.
        """
        if self.busy:
            raise NvmlTrouble("hanging", "an earlier call has not returned")
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.busy = True
        self._start()
        self._jobs.put((call, answer))
        try:
            async with asyncio.timeout(
                within_s
            ):  # wait_for of Python 3.11 swallows a cancellation that meets the answer
                return await answer
        except TimeoutError:
            raise NvmlTrouble("hanging", f"a call has not returned within {within_s:g} s") from None

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            call, answer = self._jobs.get()
            outcome = _outcome(call)
            self.busy = False  # before the answer is told, so that who hears it may ask again
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                answer.get_loop().call_soon_threadsafe(_tell, answer, outcome)


def _outcome(call: Callable[[], Any]) -> tuple[Any, Exception | None]:
    try:
        return call(), None
    except Exception as error:  # told to who asked, in its own thread
        return None, error


def _tell(answer: asyncio.Future[Any], outcome: tuple[Any, Exception | None]) -> None:
    if answer.done():
        return  # too late: nobody waits for it any more
    found, error = outcome
    if error is None:
        answer.set_result(found)
    else:
        answer.set_exception(error)
