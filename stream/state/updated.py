"""When each feature of a model got its newest value, in Redis: by stream and feature the greatest event time that was counted.

A maximum over events: whoever writes it, in whatever order and however often, the same is stored.  So no epoch has to fence it,
it may be written before the offset behind it is, and written again by a replay.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from schemas.names import Names

log = logging.getLogger(__name__)

#: By model, then by member: epoch ms.
Updated = Mapping[str, Mapping[str, int]]


def member_of(stream: str, feature: str) -> str:
    """A feature in the model's sorted set.

    >>> member_of("features", "temp")
    'features:temp'
    """
    return f"{stream}:{feature}"


async def write_updated(redis: Redis, names: Names, updated: Updated) -> None:
    """Keep the greater of what is stored and of this; one round trip.

    A key that is something else is no outage: no event of a model waits until it is removed.
    """
    pipe = redis.pipeline(transaction=False)
    for model, times in updated.items():
        pairs = chain.from_iterable(zip(times.values(), times.keys(), strict=True))
        pipe.execute_command("ZADD", names.updated(model), "GT", *pairs)
    for model, answer in zip(updated, await pipe.execute(raise_on_error=False), strict=True):
        if isinstance(answer, ResponseError) and "WRONGTYPE" in str(answer):
            log.error("when features of %s were updated is given up: %s", model, answer)
        elif isinstance(answer, Exception):
            raise answer


def updated_of(stored: Iterable[Any]) -> dict[str, int]:
    """By member: epoch ms, from the pairs of the sorted set."""
    return {member.decode(errors="replace"): int(at_ms) for member, at_ms in stored}
