"""Which clock an environment goes by: written once, by the first worker that starts in it, and the same from then on.

What a replay leaves open (incidents, requests, findings on their way) was decided by the time of its events, in front of
receivers that only record.  A live worker that went on with it would send it to real ones; so it does not start.
"""

from __future__ import annotations

from typing import Any, cast

from redis import Redis as BlockingRedis
from redis.asyncio import Redis
from redis.asyncio.cluster import RedisCluster

from alerting.policy import Clock
from alerting.records import stored_now
from schemas.errors import ConfigError, Problem
from schemas.names import Names

#: Of the incident owner's hash.
FIELD = "clock"


def claim(redis: BlockingRedis, names: Names, clock: Clock) -> None:
    """Have the environment go by this clock, if it goes by none yet.

    :raises ConfigError: it goes by the other one.
    """
    key = names.incidents("owner")
    redis.hsetnx(key, FIELD, clock)
    stored = cast("bytes | None", redis.hget(key, FIELD)) or b""
    if stored != clock.encode():
        raise other_clock(names, stored.decode(errors="replace"), asked=clock)


def other_clock(names: Names, stored: str, *, asked: Clock) -> ConfigError:
    """To be raised by a worker that is set to another clock than its environment's."""
    environment = f"the environment {names.environment!r}" if names.environment else "the environment without a name"
    message = (
        f"is {asked!r}, and {environment} goes by the clock {stored!r}: what is stored there would be decided and sent by the "
        f"wrong time. Use another DRIFTLINE_ENVIRONMENT, or DRIFTLINE_CLOCK={stored}; how to empty an environment is in "
        "docs/operations.md, Replays"
    )
    return ConfigError([Problem("environment", 0, "DRIFTLINE_CLOCK", message)])


async def read_clock(redis: Redis, names: Names) -> Clock | None:
    """The environment's clock; None before its first worker."""
    stored: Any = await redis.hget(names.incidents("owner"), FIELD)
    return None if stored is None else "event" if stored == b"event" else "live"


async def read_now(redis: Redis, names: Names) -> int:
    """The time by Redis' clock, epoch ms; of a cluster by the clock of the one node that has the incident owner."""
    asked: Any = redis
    if isinstance(asked, RedisCluster):
        await asked.initialize()
        seconds, micros = await asked.time(target_nodes=asked.get_node_from_key(names.incidents("owner")))
    else:
        seconds, micros = await redis.time()
    return int(seconds) * 1000 + int(micros) // 1000


async def read_replayed(redis: Redis, names: Names) -> int | None:
    """The time that the incident owner has got to by its own clock (epoch ms); None before its first turn."""
    stored: Any = await redis.hget(names.incidents("records"), "meta")
    return None if stored is None else stored_now(stored)
