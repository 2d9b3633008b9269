"""How a client of Redis is made: the one place that reads its address."""

from __future__ import annotations

from typing import Any, cast

import redis
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from schemas.settings import Settings
from stream.files_named import certificates_of, password_of
from stream.redis_cluster import blocking_cluster, cluster
from stream.redis_connection import LeanConnection
from stream.redis_url import checked, is_cluster, unusable

_FILES = {"ca": "ssl_ca_certs", "cert": "ssl_certfile", "key": "ssl_keyfile"}


def worker_client(settings: Settings, *, answers_within_s: float) -> Redis:
    """A client for a worker's questions; over TLS and of a cluster it is redis-py's connection as it comes.

    :raises ConfigError: the address or a file that settings name cannot be read.
    """
    return client_of(settings, answers_within_s=answers_within_s, connection_class=LeanConnection)


def client_of(
    settings: Settings, *, answers_within_s: float, connect_within_s: float | None = None, **single: Any
) -> Redis:
    """A client that asks once: the client's own retries would only delay the news of an outage.

    A cluster answers the same questions; ``single`` is what only a single server's connections are told.

    :raises ConfigError: the address or a file that settings name cannot be read.
    """
    how = _how(settings, answers_within_s, connect_within_s or answers_within_s)
    try:
        if is_cluster(settings.redis):
            return cast(Redis, cluster(settings.redis, **how))
        return Redis.from_url(checked(settings.redis), retry=Retry(NoBackoff(), 0), **how, **single)
    except ValueError:  # its own words may hold a part of the password
        raise unusable() from None


def blocking_client(settings: Settings, *, answers_within_s: float) -> redis.Redis:
    """A client without an event loop; of a cluster it is connected already.

    :raises ConfigError: the address or a file that settings name cannot be read.
    :raises RedisError: no node of a cluster answers.
    """
    how = _how(settings, answers_within_s, answers_within_s)
    try:
        if is_cluster(settings.redis):
            return cast(redis.Redis, blocking_cluster(settings.redis, **how))
        return redis.Redis.from_url(checked(settings.redis), **how)
    except ValueError:  # its own words may hold a part of the password
        raise unusable() from None


def _how(settings: Settings, answers_within_s: float, connect_within_s: float) -> dict[str, Any]:
    files = {_FILES[part]: path for part, path in certificates_of(settings, "redis").items()}
    password = password_of(settings, "redis")
    waits = {"socket_timeout": answers_within_s, "socket_connect_timeout": connect_within_s}
    return {**waits, **files, **({"password": password} if password else {})}
