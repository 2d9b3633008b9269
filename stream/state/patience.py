"""Waiting for Redis: what was asked is asked again, with back-off, for as long as Redis does not answer.

One ``Patience`` is shared by everything in a worker that asks Redis, so that all of it knows of an outage at once: reading
pauses, ``/health`` says so, and the log has two lines an outage instead of one an attempt.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.exceptions import AuthenticationError, NoPermissionError, RedisError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
LONGEST_PAUSE_S = 2.0
#: The first failure may be an old connection, of which a pool keeps several after a restart of Redis.
OUTAGE_FROM_TRY = 2
#: Somebody took rights or the password away: no other worker would be let in either, so this one waits until they are back.
REFUSALS = AuthenticationError, NoPermissionError


class Patience:
    """Call it with what to ask; ``answers`` is unset while Redis does not answer, ``retries`` counts what was asked again."""

    def __init__(self) -> None:
        self.answers = asyncio.Event()
        self.answers.set()
        self.retries = 0
        self._silent_since = 0.0
        self._unanswered: set[object] = set()

    async def __call__(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer, however long it takes; ``ask`` must be safe to repeat.

        An answer at once is the rule.  Tenacity is called where there is none: it leaves a hundred objects in cycles a call.
        """
        try:
            return await ask()
        except (RedisError, OSError) as error:
            return await self._again(ask, [error])

    async def _again(self, ask: Callable[[], Awaitable[Answer]], failed: list[RedisError | OSError]) -> Answer:
        question = object()

        async def asked() -> Answer:  # tenacity awaits only what is a coroutine function
            if failed:
                raise failed.pop()
            return await ask()

        def note(state: RetryCallState) -> None:
            self._note_silence(question, state)

        retrying = AsyncRetrying(
            retry=retry_if_exception_type((RedisError, OSError)),
            wait=wait_random_exponential(multiplier=0.1, max=LONGEST_PAUSE_S),
            before_sleep=note,
            reraise=True,
        )
        try:
            answer: Answer = await retrying(asked)
        finally:
            self._note_end(question)
        return answer

    def _note_silence(self, question: object, state: RetryCallState) -> None:
        self.retries += 1
        if state.attempt_number < OUTAGE_FROM_TRY:
            return
        self._unanswered.add(question)
        if self.answers.is_set():
            self.answers.clear()
            self._silent_since = time.monotonic()
            error = state.outcome.exception() if state.outcome else None
            if isinstance(error, REFUSALS):
                log.error("Redis refuses this user; reading pauses until it does not: %s", error)
            else:
                log.error("Redis does not answer; reading pauses until it does: %r", error)

    def _note_end(self, question: object) -> None:
        """Redis answers again once nobody waits: one that is full still answers those who only read."""
        self._unanswered.discard(question)
        if not self._unanswered and not self.answers.is_set():
            self.answers.set()
            log.warning("Redis answers again, after %.1f s", time.monotonic() - self._silent_since)
