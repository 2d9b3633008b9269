"""The transport's consumer without Faust around it: only what placing, delivering and storing touch is there."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from types import SimpleNamespace
from typing import Any

from faust.types import TP

from stream.transport import RunConsumer


def bare_consumer(*, queue: asyncio.Event) -> Any:
    """A consumer of an application whose agent takes nothing before ``queue`` is set."""
    made: Any = object.__new__(RunConsumer)
    made._read_offset, made._committed_offset = defaultdict(lambda: None), {}
    made._placements, made._stored, made._later, made.held = {}, {}, set(), set()
    made._seeking = 0
    made.app, made.suspend_flow = SimpleNamespace(consumer_generation_id=1), SimpleNamespace(wait=asyncio.Event().wait)

    async def callback(message: Any) -> None:
        await queue.wait()

    async def first(delivered: Any, suspended: Any) -> None:
        suspended.close()
        await delivered

    async def seek(tp: TP, offset: int) -> None:
        """The broker's side is of no interest."""

    made.callback, made.wait_first, made._seek_to = callback, first, seek
    return made
