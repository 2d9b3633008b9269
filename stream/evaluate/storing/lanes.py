"""Works on many things at once, a few at a time: beside a busy worker each answer of Redis waits for a block of counting.

One after the other, forty models with three questions each would wait for a hundred and twenty blocks, and a page with them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from stream.evaluate.storing.breath import Breath

T = TypeVar("T")
LANES = 16


async def in_lanes(things: Iterable[T], work: Callable[[T], Awaitable[None]], *, breath: Breath) -> None:
    """Do ``work`` for each thing, in order, at most ``LANES`` of them at a time; what one raises ends the others."""
    some = list(things)
    if not some:
        return
    waiting = iter(some)

    async def lane() -> None:
        for thing in waiting:
            await breath.turn()
            breath.begin()
            try:
                await work(thing)
            finally:
                breath.end()

    breath.end()
    tasks = [asyncio.create_task(lane()) for _ in range(min(LANES, len(some)))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        breath.begin()
