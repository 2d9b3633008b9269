"""Before a worker starts: wait until Kafka and Redis answer, as long as it was told to; what refuses is not waited for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from redis import Redis
from redis.cluster import RedisCluster
from redis.exceptions import NoPermissionError, RedisError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from schemas.errors import ConfigError, Problem, Unavailable
from schemas.settings import Settings, masked
from stream.kafka_client import kafka_options
from stream.kafka_client import refusal as kafka_refusal
from stream.redis_client import blocking_client
from stream.redis_refusal import refusal as redis_refusal

log = logging.getLogger(__name__)

LONGEST_PAUSE_S = 5.0
ANSWER_WITHIN_S = 3.0
REFUSE_WITHIN_S = 2.0


def wait_for_services(settings: Settings, *, check: Callable[[Redis], None]) -> None:
    """Return once both answer; ``check`` is what else must hold of Redis.

    :raises Unavailable: one did not within ``start_timeout_s``; names it, its address and the variable to change.
    :raises ConfigError: Redis may evict keys, an address cannot be read, one refuses this client, or ``check`` says so.
    """
    _wait("Redis", "DRIFTLINE_REDIS", settings.redis, settings=settings, ask=lambda: _ask_redis(settings, check))
    _wait("Kafka", "DRIFTLINE_KAFKA", settings.kafka, settings=settings, ask=lambda: _ask_kafka(settings))


def _wait(what: str, variable: str, where: str, *, settings: Settings, ask: Callable[[], None]) -> None:
    way_out = f"start it, or set {variable} to where it is"

    def note(state: RetryCallState) -> None:
        log.warning("%s at %s does not answer yet (try %d); %s", what, masked(where), state.attempt_number, way_out)

    retrying = Retrying(
        retry=retry_if_exception_type((RedisError, OSError, KafkaException)),
        wait=wait_exponential(multiplier=0.2, max=LONGEST_PAUSE_S),
        stop=stop_after_delay(settings.start_timeout_s),
        before_sleep=note,
        reraise=True,
    )
    try:
        retrying(ask)
    except (RedisError, OSError, KafkaException) as error:
        raise Unavailable(
            f"{what} at {masked(where)} did not answer within {settings.start_timeout_s:g} s ({error}); {way_out}"
        ) from None


def _ask_redis(settings: Settings, check: Callable[[Redis], None]) -> None:
    try:
        with blocking_client(settings, answers_within_s=ANSWER_WITHIN_S) as redis:
            _refuse_eviction(redis, settings.redis)
            check(redis)
    except (RedisError, OSError) as error:
        refused = redis_refusal(error, where=masked(settings.redis))
        if refused is not None:
            raise refused from None
        raise


def _refuse_eviction(redis: Redis, url: str) -> None:
    try:
        evicting = {policy for policy in _policies(redis) if policy != "noeviction"}
    except NoPermissionError as refused:
        log.warning("Redis does not say its maxmemory-policy, which must be noeviction: %s", refused)
        return
    if evicting:
        message = (
            f"Redis at {masked(url)} has maxmemory-policy {min(evicting)!r}: it would silently delete panes. "
            "Set maxmemory-policy noeviction there"
        )
        raise ConfigError([Problem("DRIFTLINE_REDIS", 0, "", message)])


def _policies(redis: Redis) -> list[str]:
    """Of each node; asked by INFO, since a managed Redis forbids CONFIG."""
    asked: Any = redis  # its type is that of a single server
    several = isinstance(asked, RedisCluster) and asked.get_primaries()  # type: ignore[no-untyped-call]
    nodes = [asked.info("memory", target_nodes=node) for node in several] if several else [redis.info("memory")]
    return [node.get("maxmemory_policy", "noeviction") for node in nodes]


def _ask_kafka(settings: Settings) -> None:
    try:
        AdminClient(kafka_options(settings)).list_topics(timeout=ANSWER_WITHIN_S)
    except KafkaException:
        refused = kafka_refusal(settings, within_s=REFUSE_WITHIN_S)
        if refused is not None:
            raise refused from None
        raise
