"""How a client of Redis is made: the one place that reads its address."""

from __future__ import annotations

from typing import Any

import redis
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from schemas.settings import Settings
from stream.redis_connection import LeanConnection
from stream.redis_url import checked, unusable


def worker_client(settings: Settings, *, answers_within_s: float) -> Redis:
    """A client for a worker's questions; over TLS it is redis-py's connection as it comes.

    :raises ConfigError: the address cannot be read.
    """
    return client_of(settings, answers_within_s=answers_within_s, connection_class=LeanConnection)


def client_of(
    settings: Settings, *, answers_within_s: float, connect_within_s: float | None = None, **more: Any
) -> Redis:
    """A client that asks once: the client's own retries would only delay the news of an outage.

    :raises ConfigError: the address cannot be read.
    """
    waits: dict[str, Any] = {
        "socket_timeout": answers_within_s,
        "socket_connect_timeout": connect_within_s or answers_within_s,
    }
    try:
        return Redis.from_url(checked(settings.redis), retry=Retry(NoBackoff(), 0), **waits, **more)
    except ValueError:  # its own words may hold a part of the password
        raise unusable() from None


def blocking_client(settings: Settings, *, answers_within_s: float) -> redis.Redis:
    """A client without an event loop.

    :raises ConfigError: the address cannot be read.
    """
    waits = {"socket_timeout": answers_within_s, "socket_connect_timeout": answers_within_s}
    try:
        return redis.Redis.from_url(checked(settings.redis), **waits)
    except ValueError:  # its own words may hold a part of the password
        raise unusable() from None
