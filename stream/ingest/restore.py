"""Keeps Redis and Kafka's topic ``config`` the same: what is in force survives the loss of either.

A Redis without a generation, or with one that is older in number and time (it failed over to an old copy), takes what the
topic holds; otherwise the topic takes what Redis holds.  A Redis that is newer was mostly just told by ``driftline apply``,
which writes the topic itself, so it is given a while for that; not where the topic holds nothing at all, for then a Redis
that is emptied meanwhile would take what is in force with it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

from confluent_kafka import KafkaException
from redis.asyncio import Redis

from schemas.config import Generation
from schemas.errors import StoreError
from schemas.names import Names
from schemas.reference import Reference
from stream.state.config_topic import ConfigTopic, Kept, packed, spoken
from stream.state.generations import Stamp, digests_of, put_back, read, read_references, read_stamp
from stream.state.patience import Patience

log = logging.getLogger(__name__)

#: So long ``driftline apply`` has to write the topic itself.
GRACE_S = 5.0
#: Where Kafka does not answer, or nothing is anywhere, it is looked at again after so long.
AGAIN_S = 10.0


def newer(redis: Stamp | None, topic: Stamp | None) -> Literal["redis", "topic", "neither"]:
    """Which of the two holds what is in force; numbers and times are looked at both, for an emptied Redis may count from 1.

    >>> newer(None, (7, 100)), newer((6, 90), (7, 100)), newer((8, 90), (7, 100)), newer((1, 200), (7, 100))
    ('topic', 'topic', 'redis', 'redis')
    """
    if redis == topic:
        return "neither"
    if topic is None:
        return "redis"
    if redis is None or (redis[0] <= topic[0] and redis[1] <= topic[1]):
        return "topic"
    return "redis"


class Restorer:
    """``run_once`` is called again and again; it asks Kafka only where Redis holds something else than when both agreed."""

    def __init__(
        self, redis: Redis, names: Names, topic: ConfigTopic, *, patience: Patience,
        grace_s: float = GRACE_S, monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._redis, self._names, self._topic, self._patience = redis, names, topic, patience
        self._grace_s, self._monotonic = grace_s, monotonic
        self._lock = asyncio.Lock()
        #: What Redis held at the last look, and until when another look at the same is not worth it.
        self._looked: tuple[Stamp | None, float] = (None, 0.0)
        #: Since when Redis is newer than the topic.
        self._since: float | None = None
        self._said = ""

    async def run_once(self) -> None:
        """Look once; what cannot be done now is said once and tried again later."""
        async with self._lock:
            try:
                await self._look()
            except (KafkaException, StoreError) as error:
                self._wait(self._looked[0], AGAIN_S)
                self._say(f"Redis and the topic {self._topic.topic} are not compared: {spoken(error)}")

    async def _look(self) -> None:
        stamp = await self._patience(lambda: read_stamp(self._redis, self._names))
        if stamp == self._looked[0] and self._monotonic() < self._looked[1]:
            return
        self._wait(stamp, AGAIN_S)
        kept = await asyncio.to_thread(self._topic.read)
        if kept is None:  # an environment of before this topic, whose next worker makes it
            return
        held = kept.generation
        which = newer(stamp, None if held is None else (held.number, held.applied_ms))
        if which == "topic" and held is not None:
            await self._bring_back(held, stamp)
        elif stamp is not None and (which == "redis" or (held is not None and not digests_of(held) <= kept.digests)):
            await self._bring_out(kept, stamp)
        elif stamp is not None:
            self._agree(stamp)

    async def _bring_back(self, generation: Generation, stamp: Stamp | None) -> None:
        wanted = digests_of(generation)
        references = await asyncio.to_thread(self._topic.references, wanted)
        if missing := sorted(wanted - references.keys()):
            raise StoreError(
                f"generation {generation.number} cannot be put back: reference {missing[0][:16]} is not on the topic; "
                "run `driftline apply` on the monitors file again"
            )
        back = partial(put_back, self._redis, self._names, generation, references=references, held=stamp)
        self._wait(stamp, 0.0)
        if await self._patience(back):
            was = "nothing" if stamp is None else f"generation {stamp[0]}"
            log.warning(
                "Redis held %s; generation %d is in force again, from the topic %s",
                was, generation.number, self._topic.topic,
            )  # fmt: skip
            self._agree((generation.number, generation.applied_ms))

    async def _bring_out(self, kept: Kept, stamp: Stamp) -> None:
        now = self._monotonic()
        self._since = now if self._since is None else self._since
        if kept.numbers and now < self._since + self._grace_s:
            self._wait(stamp, self._since + self._grace_s - now)
            return
        found = await self._patience(lambda: read(self._redis, self._names))
        if found is None:
            return
        references = await self._patience(partial(read_references, self._redis, self._names, found))
        if found.number < kept.number:  # Redis was emptied and filled again while Kafka was away
            found = found.model_copy(update={"number": kept.number + 1})
            back = partial(put_back, self._redis, self._names, found, references=references, held=stamp)
            if not await self._patience(back):
                return
        await asyncio.to_thread(_written, self._topic, found, references, known=kept)
        log.info("generation %d is on the topic %s", found.number, self._topic.topic)
        # Looked at once more: somebody else may have written between.
        self._wait(stamp, 0.0)

    def _agree(self, stamp: Stamp) -> None:
        self._since, self._said = None, ""
        self._looked = (stamp, float("inf"))

    def _wait(self, stamp: Stamp | None, for_s: float) -> None:
        self._looked = (stamp, self._monotonic() + for_s)

    def _say(self, why: str) -> None:
        if why != self._said:
            self._said = why
            log.error("%s", why)


def _written(
    topic: ConfigTopic, generation: Generation, references: Mapping[str, Reference], *, known: Kept
) -> None:  # fmt: skip
    topic.write(generation, packed(references), known=known)
