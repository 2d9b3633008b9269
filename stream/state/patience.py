"""Waiting for Redis: what was asked is asked again, with back-off, for as long as Redis does not answer."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.exceptions import RedisError
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
LONGEST_PAUSE_S = 5.0


async def patiently(ask: Callable[[], Awaitable[Answer]], *, on_retry: Callable[[], None] = lambda: None) -> Answer:
    """The answer, however long it takes; ``ask`` must be safe to repeat."""

    def note(state: RetryCallState) -> None:
        on_retry()
        error = state.outcome.exception() if state.outcome else None
        log.error("Redis does not answer (try %d): %r", state.attempt_number, error)

    retrying = AsyncRetrying(
        retry=retry_if_exception_type((RedisError, OSError)),
        wait=wait_random_exponential(multiplier=0.1, max=LONGEST_PAUSE_S),
        before_sleep=note,
        reraise=True,
    )
    async def asked() -> Answer:
        return await ask()  # tenacity awaits only what is a coroutine function

    answer: Answer = await retrying(asked)
    return answer
