"""Which Kafka and which Redis the tests run on: a given address, a container, or a child process.

In that order; the header of a test run says which. Nothing is ever skipped for want of a service: the error
names the one command that provides it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from tests.support.kafka import LocalKafka
from tests.support.redis import LocalRedis

KAFKA_VARIABLE = "DRIFTLINE_TEST_KAFKA"
REDIS_VARIABLE = "DRIFTLINE_TEST_REDIS"
KAFKA_IMAGE = "confluentinc/cp-kafka:8.1.0"  # Kafka 4.1
REDIS_IMAGE = "redis:7.4"

Origin = Literal["given", "container", "process"]


@dataclass(frozen=True, slots=True)
class Backend:
    """A running service: its address, and how to end it (a no-op for one that was given)."""

    address: str
    stop: Callable[[], None]


def origin(variable: str) -> Origin:
    """Where the service named by an environment variable comes from on this machine."""
    if os.environ.get(variable):
        return "given"
    return "container" if docker_answers() else "process"


def start_kafka(folder: Path) -> Backend:
    """The Kafka of this test run; KafkaMissing when none can be had."""
    match origin(KAFKA_VARIABLE):
        case "given":
            return Backend(os.environ[KAFKA_VARIABLE], _leave)
        case "container":
            return _kafka_container()
        case "process":
            kafka = LocalKafka(folder)
            kafka.start()
            return Backend(kafka.bootstrap, kafka.stop)


def start_redis(folder: Path) -> Backend:
    """The Redis of this test run; RedisMissing when none can be had."""
    match origin(REDIS_VARIABLE):
        case "given":
            return Backend(os.environ[REDIS_VARIABLE], _leave)
        case "container":
            return _redis_container()
        case "process":
            redis = LocalRedis(folder)
            redis.start()
            return Backend(redis.url, redis.stop)


def header() -> str:
    """One line: which Kafka and which Redis."""
    return f"kafka: {_describe(KAFKA_VARIABLE, KAFKA_IMAGE)}; redis: {_describe(REDIS_VARIABLE, REDIS_IMAGE)}"


@cache
def docker_answers() -> bool:
    """Whether a Docker daemon replies to a ping."""
    if not os.environ.get("DOCKER_HOST") and not Path("/var/run/docker.sock").exists():
        return False
    import docker

    try:
        client = docker.from_env(timeout=2)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except (docker.errors.DockerException, OSError):
        return False


def _describe(variable: str, image: str) -> str:
    match origin(variable):
        case "given":
            return f"given by {variable}"
        case "container":
            return f"container {image}"
        case "process":
            return "a process of this run"


def _kafka_container() -> Backend:
    from testcontainers.community.kafka import KafkaContainer

    container = KafkaContainer(KAFKA_IMAGE).with_kraft().with_env("KAFKA_NUM_PARTITIONS", "4")
    container.with_env("KAFKA_MESSAGE_MAX_BYTES", "8388608").start(timeout=120)
    return Backend(container.get_bootstrap_server(), container.stop)


def _redis_container() -> Backend:
    from testcontainers.community.redis import RedisContainer

    container = RedisContainer(REDIS_IMAGE).start()
    address = f"redis://{container.get_container_host_ip()}:{container.get_exposed_port(6379)}/0"
    return Backend(address, container.stop)


def _leave() -> None:
    """What was given is not ours to stop."""
