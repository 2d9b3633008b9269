"""Keeps evaluation from holding the event loop: between two pieces of work, whoever held it long enough lets others in.

Work is cut into pieces of at most a millisecond or two (a pane, a window, a few partials); ``await breath()`` between them
costs nothing until ``HOLD_S`` is over.  Redis is asked through ``Asking``, so that waiting for it is not counted as work.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from redis.exceptions import (
    MasterDownError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from schemas.errors import StoreError
from stream.state.patience import Patience

Answer = TypeVar("Answer")
HOLD_S = 0.004
#: Refusals that pass by themselves, by their type or, where the client has none, by the word that Redis begins them with.
_PASSING = (OutOfMemoryError, ReadOnlyError, NoScriptError, MasterDownError, TryAgainError)
_PASSING_WORDS = (
    "OOM",
    "READONLY",
    "MISCONF",
    "NOREPLICAS",
    "MASTERDOWN",
    "BUSY",
    "LOADING",
    "CLUSTERDOWN",
    "NOSCRIPT",
)


def is_refusal(error: Exception) -> bool:
    """Whether Redis answered, and would answer so again: a damaged key, an error in a script.

    >>> is_refusal(ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"))
    True
    >>> is_refusal(ResponseError("MISCONF Redis is configured to save RDB snapshots")), is_refusal(OSError())
    (False, False)
    """
    if not isinstance(error, ResponseError) or isinstance(error, _PASSING):
        return False
    return not any(word in str(error) for word in _PASSING_WORDS)


class Breath:
    """``longest_s`` is the longest that the loop was held between two breaths, ``busy_s`` all of it together.

    Both are this thread's CPU time: what other processes take from it is not evaluation's.  Several lanes of work share one
    breath: each waits for its ``turn``, so that in one round of the loop they do not hold it one after the other for longer
    than a single one may.
    """

    def __init__(self, clock: Callable[[], float] = time.thread_time) -> None:
        self.longest_s = 0.0
        self.busy_s = 0.0
        self._clock = clock
        self._since = clock()
        self._spent_s = 0.0
        self._counting = False

    def begin(self) -> None:
        """Work begins now: what passed before, waiting for Redis, was not ours."""
        self._since = self._clock()

    def end(self) -> None:
        """Work pauses now: count how long it held the loop."""
        held = self._clock() - self._since
        self.busy_s += held
        self.longest_s = max(self.longest_s, held)
        self._since = self._clock()
        self._spent_s += held
        if not self._counting:
            self._counting = True
            asyncio.get_running_loop().call_soon(self._next_round)

    async def turn(self) -> None:
        """Wait until this round of the loop has room for more of our work."""
        while self._spent_s >= HOLD_S:
            await asyncio.sleep(0)

    async def __call__(self) -> None:
        """Let others run if the loop was held long enough."""
        if self._clock() - self._since >= HOLD_S:
            self.end()
            await asyncio.sleep(0)
            await self.turn()
            self.begin()

    def _next_round(self) -> None:
        self._spent_s, self._counting = 0.0, False


class Asking:
    """Asks Redis patiently, and takes breath meanwhile.

    A question that Redis refuses is not asked again: :class:`StoreError`, which stops the model that it was asked for alone.
    """

    def __init__(self, patience: Patience, breath: Breath) -> None:
        self.breath = breath
        self._patiently = patience
        self._beside = asyncio.Lock()

    async def __call__(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer, however long it takes; ``ask`` must be safe to repeat."""
        self.breath.end()
        try:
            return await ask()  # an answer at once is the rule, and patience costs more than the question
        except (RedisError, OSError) as error:
            if is_refusal(error):
                raise StoreError(f"Redis refuses: {error}") from None
            return await self._patiently(partial(_asked, ask))
        finally:
            await self.breath.turn()
            self.breath.begin()

    async def beside(self, work: Callable[[], Answer]) -> Answer:
        """The result of work that is too long for the event loop, done on a thread; one piece of it at a time.

        Each thread keeps the interpreter for 5 ms: six of them kept the loop waiting for up to 200 ms, and were not done earlier.
        """
        self.breath.end()
        try:
            async with self._beside:
                return await asyncio.to_thread(work)
        finally:
            await self.breath.turn()
            self.breath.begin()


async def _asked(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """What patience asks again: a refusal is no outage."""
    try:
        return await ask()
    except ResponseError as error:
        if is_refusal(error):
            raise StoreError(f"Redis refuses: {error}") from None
        raise
