"""The rate at which a vendor is asked, shared by all workers: a token bucket an address, kept in Redis.

PagerDuty takes 120 events a minute and key over any minute: a bucket of 24 that gains 96 a minute never gives more.  Slack
takes a post a second and channel, and a few at once.  The last fifth of a bucket is given to P0 only, so a storm of others
never makes it wait.  All in integers: ``UNIT`` parts are one token, and a millisecond gains as many parts as a minute tokens.

The vendors count real time, so this does too (Redis' clock), in a replay as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from redis.asyncio import Redis

from alerting.deliveries import Call
from schemas.findings import Severity
from schemas.names import Names
from stream.state.lua import script

UNIT = 60_000
#: A bucket last changed further ahead than this was changed by a clock that was wrong.
SKEW_MS = 60_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many tokens a minute, at most ``burst`` at once, ``reserved`` of these for P0."""

    a_minute: int
    burst: int
    reserved: float

    @property
    def full(self) -> int:
        """Parts in a full bucket."""
        return self.burst * UNIT

    def needed(self, severity: Severity) -> int:
        """Parts that must be there for one token to be given."""
        return UNIT if severity == "P0" else UNIT + int(self.reserved * UNIT)


RATES: dict[str, Rate] = {
    "pagerduty": Rate(96, 24, 4.8),
    "slack": Rate(60, 5, 1.0),
    "alertmanager": Rate(1200, 120, 12.0),
}


@dataclass(frozen=True, slots=True)
class Bucket:
    """Parts that were left at a time (epoch ms)."""

    parts: int
    at: int


def taken(bucket: Bucket | None, rate: Rate, *, severity: Severity, now: int) -> tuple[Bucket, int]:
    """(the bucket after it was asked for a token, milliseconds to wait: 0 where one was given).  None is a full bucket.

    >>> taken(None, Rate(60, 2, 1.0), severity="P1", now=0)
    (Bucket(parts=60000, at=0), 0)
    >>> taken(Bucket(60_000, 0), Rate(60, 2, 1.0), severity="P1", now=400)
    (Bucket(parts=84000, at=400), 600)
    """
    held = bucket or Bucket(rate.full, now)
    at = now if held.at > now + SKEW_MS else max(held.at, now)
    parts = min(rate.full, held.parts + max(0, at - held.at) * rate.a_minute)
    needed = rate.needed(severity)
    if parts >= needed:
        return Bucket(parts - UNIT, at), 0
    return Bucket(parts, at), -(-(needed - parts) // rate.a_minute) + at - now


class RedisBudget:
    """The same arithmetic in one script, so that two workers never take one token twice."""

    def __init__(self, redis: Redis, names: Names) -> None:
        self._names = names
        self._script = script(redis, "incidents", "budget")

    async def seconds_until(self, call: Call) -> float:
        """0 where the call may be made now, and is counted; else how long to wait before asking again."""
        return await self.take(call.address, call.severity)

    async def take(self, address: str, severity: Severity, now: int | None = None) -> float:
        """Ask for a token; ``now`` (epoch ms) is Redis' own time unless it is given."""
        rate = RATES[address.partition(":")[0]]
        key = self._names.incidents("budget", address)
        stamp = "" if now is None else now
        args = [rate.full, rate.a_minute, rate.needed(severity), UNIT, SKEW_MS, stamp]
        return int(await self._script(keys=[key], args=args)) / 1000
