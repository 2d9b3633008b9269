"""Placing the partitions of an assignment where their stored state ends, for as long as Redis takes to say where that is.

Faust gives it ``request_timeout``.  A seek that takes longer it cuts short, and takes that for the end of the worker: it would
never read again, nor hear of a later assignment.  So Faust is not kept waiting: what takes long goes on alone, its partitions are
paused meanwhile, and read once they are placed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from faust.types import TP

log = logging.getLogger(__name__)


class Placed(Protocol):
    """What is asked of a consumer."""

    held: set[TP]

    def assignment(self) -> set[TP]: ...
    def displace(self, tp: TP) -> None: ...
    async def place(self, tp: TP, offset: int) -> None: ...
    def placement(self, tp: TP) -> int: ...
    def pause_partitions(self, tps: set[TP]) -> None: ...
    def resume_partitions(self, tps: set[TP]) -> None: ...


class Placing:
    """``begin`` with each assignment; what was under way for the one before ends."""

    def __init__(self, consumer: Placed, take: Callable[[set[TP]], Awaitable[Mapping[TP, int]]]) -> None:
        self._consumer, self._take = consumer, take
        self._task: asyncio.Task[None] | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether partitions wait to be placed."""
        return self._task is not None and not self._task.done()

    async def begin(self, *, within_s: float) -> None:
        """Place every assigned partition; returns after ``within_s`` though it goes on."""
        if self._task is not None:
            self._task.cancel()
        assigned = self._consumer.assignment()
        for tp in assigned:
            self._consumer.displace(tp)
        self._task = task = asyncio.create_task(self._place(assigned))
        try:
            done, _ = await asyncio.wait({task}, timeout=within_s)
        except asyncio.CancelledError:  # another assignment has come
            task.cancel()
            raise
        if done:
            task.result()
            return
        log.warning("%d partitions are not placed yet, for Redis is slow; they are read once they are", len(assigned))
        self._consumer.pause_partitions(assigned)
        task.add_done_callback(_told)

    async def _place(self, assigned: set[TP]) -> None:
        consumer = self._consumer
        numbers = {tp: consumer.placement(tp) for tp in assigned}
        placed = await self._take(assigned)
        # What was revoked, or placed by somebody else meanwhile, is not this assignment's any more.
        current = {tp for tp in consumer.assignment() if tp in numbers and consumer.placement(tp) == numbers[tp]}
        for tp in current & placed.keys():
            await consumer.place(tp, placed[tp])
        consumer.held &= consumer.assignment()
        consumer.resume_partitions(current - consumer.held)
        if consumer.held:
            consumer.pause_partitions(consumer.held)  # Faust resumes them all at an assignment


def _told(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("partitions are left to the next assignment: %r", error)
