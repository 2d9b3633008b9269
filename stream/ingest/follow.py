"""Follows the configuration in force: when a new generation appears in Redis, counting switches to its plans.

Plans are built off the event loop (a second at 10 000 models).  A generation that this release cannot read, or cannot build
plans for, leaves the old one in force: whatever is stored, the worker goes on counting.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

from schemas.config import Generation
from schemas.errors import StoreError
from schemas.reference import Reference
from stream.ingest.capped import Cap, of_generation
from stream.ingest.counter import Counter as Counting
from stream.ingest.plan import plans
from stream.state.generations import Stamp

log = logging.getLogger(__name__)

#: The generation in force if it is another than the one given, with the references it names.
Newer = Callable[[Stamp | None], Awaitable[tuple[Generation, Mapping[str, Reference]] | None]]


class Follower:
    """``number`` is the generation that counting follows now, ``models`` are its models, ``quotas`` theirs; 0: none yet.

    ``followed`` is set once there is one.  ``refusing`` says why the one that is stored is not followed, while it is not.
    """

    def __init__(self, counter: Counting, newer: Newer) -> None:
        self.number = 0
        self.models: tuple[str, ...] = ()
        self.quotas: Mapping[str, float] = {}
        self.refused = 0
        #: What was beyond a cap in a generation and not in the one before.  Of the first nothing is: a restart is no news.
        self.capped: Counter[Cap] = Counter()
        self._beyond: Counter[Cap] | None = None
        self.refusing = ""
        self.followed = asyncio.Event()
        self._counter, self._newer = counter, newer
        #: The generation read last, and why it cannot be followed.
        self._held: Stamp | None = None
        self._unfit = ""
        self._said = ""
        self._said_of_learning = ""
        self._lock = asyncio.Lock()

    async def refresh(self) -> None:
        """Switch to the newest generation, if it is another than the one followed."""
        async with self._lock:
            await self._look()
            # Under the same lock: decoders that learned names of the old generation must not bring its plans back.
            await self._learn()

    async def _look(self) -> None:
        try:
            found = await self._newer(self._held)
        except StoreError as error:
            self._refuse(str(error))
            return
        if found is not None:
            await self._follow(*found)
        elif self._unfit:
            self._refuse(self._unfit)
        else:
            self._said = self.refusing = ""

    async def _follow(self, generation: Generation, references: Mapping[str, Reference]) -> None:
        stamp = (generation.number, generation.applied_ms)
        try:
            built = await asyncio.to_thread(plans, generation, references)
            beyond = await asyncio.to_thread(of_generation, generation, references)
        except Exception as error:
            # Held all the same: built again every second, it would fail every second.
            self._held, self._unfit = stamp, f"generation {generation.number} cannot be counted: {error!r}"
            self._refuse(self._unfit)
            return
        await self._counter.switch(built)
        self.capped += beyond - (beyond if self._beyond is None else self._beyond)
        self._beyond = beyond
        self._held, self._unfit, self._said, self.refusing = stamp, "", "", ""
        self.number, self.models = generation.number, tuple(generation.models)
        self.quotas = quotas_of(generation)
        self.followed.set()
        log.info("following generation %d: %d models", generation.number, len(generation.models))

    async def _learn(self) -> None:
        """Without the learned names events cost more; they are counted all the same."""
        try:
            await self._counter.learn()
        except Exception as error:
            if repr(error) != self._said_of_learning:
                self._said_of_learning = repr(error)
                log.exception("undeclared names are not learned")

    def _refuse(self, why: str) -> None:
        """Count it each time, say it once."""
        self.refused += 1
        self.refusing = f"the configuration stays at generation {self.number}: {why}"
        if why != self._said:
            log.error("%s", self.refusing)
            self._said = why


def quotas_of(generation: Generation) -> Mapping[str, float]:
    """Events a second, of the models that have a quota."""
    return {model: of.monitor.quota for model, of in generation.models.items() if of.monitor.quota is not None}


async def follow_or_restore(follower: Follower, restore: Callable[[], Awaitable[object]]) -> None:
    """Follow what is in force; only where Redis holds nothing, what Kafka kept is waited for.

    Of a thousand models that takes half a minute (seen), and partitions that were just taken would be read no sooner.
    """
    await follower.refresh()
    if not follower.number:
        await restore()
        await follower.refresh()
