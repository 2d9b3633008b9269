"""Kafka and Redis for a command: asked once, not for long, and one clear line when nobody answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from confluent_kafka import KafkaException
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from schemas.errors import DriftlineError, Unavailable
from schemas.names import Names
from schemas.settings import Settings, masked
from stream.kafka_client import kafka_options
from stream.kafka_client import refusal as kafka_refusal
from stream.redis_client import client_of
from stream.redis_refusal import refusal

Answer = TypeVar("Answer")
ANSWER_WITHIN_S = 5.0
REFUSE_WITHIN_S = 1.0


class KafkaClient(Protocol):
    """Any client of confluent-kafka."""

    def list_topics(self, topic: str = ..., timeout: float = ...) -> Any: ...


def ask_redis(settings: Settings, work: Callable[[Redis, Names], Awaitable[Answer]]) -> Answer:
    """The answer of ``work``, given a client and this environment's names.

    :raises Unavailable: Redis does not answer, or refuses.
    :raises ConfigError: it refuses until somebody corrects a setting.
    """
    return asyncio.run(_asked(settings, work))


async def _asked(settings: Settings, work: Callable[[Redis, Names], Awaitable[Answer]]) -> Answer:
    try:
        async with client_of(
            settings, connect_within_s=ANSWER_WITHIN_S, answers_within_s=settings.request_timeout_s
        ) as redis:
            return await work(redis, settings.names)
    except (RedisError, OSError) as error:
        refused = refusal(error, where=masked(settings.redis))
        if refused is not None:
            raise refused from None
        said = "refuses" if isinstance(error, ResponseError) else "does not answer"
        message = f"Redis at {masked(settings.redis)} {said} ({error}); start it, or set DRIFTLINE_REDIS to where it is"
        raise Unavailable(message) from None


def command_options(settings: Settings, **more: Any) -> dict[str, Any]:
    """What a command's client of Kafka is made with."""
    return kafka_options(settings, **{"client.id": "driftline-command", **more})


def partitions_in(client: KafkaClient, settings: Settings) -> dict[str, int]:
    """Every topic of the cluster and the number of its partitions; asking does not make a topic appear.

    :raises Unavailable: Kafka does not answer.
    """
    try:
        found = client.list_topics(timeout=ANSWER_WITHIN_S).topics
    except KafkaException as error:
        raise kafka_unavailable(settings, error) from None
    return {name: len(topic.partitions) for name, topic in found.items()}


def kafka_unavailable(settings: Settings, error: KafkaException) -> DriftlineError:
    """To be raised where Kafka did not do what it was asked."""
    refused = kafka_refusal(settings, within_s=REFUSE_WITHIN_S)
    if refused is not None:
        return refused
    said = error.args[0].str() if error.args else error
    return Unavailable(
        f"Kafka at {masked(settings.kafka)} does not answer ({said}); start it, or set DRIFTLINE_KAFKA to where it is"
    )
