"""Follows the configuration in force: when a new generation appears in Redis, counting switches to its plans.

Plans are built off the event loop (a second at 10 000 models).  A generation that this release cannot read leaves the old
one in force.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from schemas.config import Generation
from schemas.errors import StoreError
from schemas.reference import Reference
from stream.ingest.counter import Counter
from stream.ingest.plan import plans

log = logging.getLogger(__name__)

#: The generation in force if it is newer than the number given, with the references it names.
Newer = Callable[[int], Awaitable[tuple[Generation, Mapping[str, Reference]] | None]]


class Follower:
    """``number`` is the generation that counting follows now; 0: none yet, every model is unknown."""

    def __init__(self, counter: Counter, newer: Newer) -> None:
        self.number = 0
        self.refused = 0
        self._counter, self._newer = counter, newer

    async def refresh(self) -> bool:
        """Switch to the newest generation; whether there was one to switch to."""
        try:
            found = await self._newer(self.number)
        except StoreError as error:
            log.error("the configuration stays at generation %d: %s", self.number, error)
            self.refused += 1
            return False
        if found is None:
            return False
        generation, references = found
        await self._counter.switch(await asyncio.to_thread(plans, generation, references))
        self.number = generation.number
        log.info("following generation %d: %d models", generation.number, len(generation.models))
        return True
