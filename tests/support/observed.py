"""What a deployment under test has done, as anybody outside sees it: stored counts, offset hashes, dead letters, pages, logs."""

from __future__ import annotations

import asyncio
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import redis
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from redis.asyncio import Redis

from schemas.monitors import load_monitors
from schemas.names import Stream
from stream.redis_client import client_of
from stream.state.applying import apply_monitors, load_references
from stream.state.reading import read_counts
from tests.support.generated import PANE_MS, START_MS
from tests.support.process import Process
from tests.support.worker import PARTITIONS, Deployment

WHOLE = (START_MS - 100 * PANE_MS, START_MS + 400 * PANE_MS)


def apply(deployment: Deployment, file: Any) -> int:
    """Put a monitors file into force, as `driftline apply` does; the generation's number."""
    monitors = load_monitors(file)
    references = load_references(monitors)

    async def publish() -> int:
        async with _redis(deployment) as client:
            now_ms = int(time.time() * 1000)
            found = await apply_monitors(client, deployment.names, monitors, references=references, now_ms=now_ms)
            return found.number

    return asyncio.run(publish())


def counts(deployment: Deployment, model: str, *, stream: Stream = "predictions", **more: Any) -> dict[str, Any]:
    """Everything stored of a model's stream, summed; ``from_ms``, ``to_ms`` and ``layout_hash`` narrow it."""
    question = {"from_ms": WHOLE[0], "to_ms": WHOLE[1]} | more

    async def ask() -> dict[str, Any]:
        async with _redis(deployment) as client:
            return await read_counts(client, deployment.names, model=model, stream=stream, **question)

    return asyncio.run(ask())


def _redis(deployment: Deployment) -> Redis:
    return client_of(deployment.settings, answers_within_s=10.0)


def offset_hash(deployment: Deployment, stream: Stream = "predictions", partition: int = 0) -> dict[str, str]:
    """The fields of a partition's offset hash."""
    with redis.Redis.from_url(deployment.redis_url, decode_responses=True) as client:
        return dict(client.hgetall(deployment.names.offset(stream, partition)))


def epochs(deployment: Deployment) -> dict[int, str]:
    """How often each partition was taken."""
    return {number: offset_hash(deployment, "predictions", number)["epoch"] for number in range(PARTITIONS)}


def rejected(deployment: Deployment, stream: Stream = "predictions", *, partitions: int = 4) -> dict[str, int]:
    """Refused events by reason, summed over the partitions."""
    found: dict[str, int] = {}
    for partition in range(partitions):
        for name, count in offset_hash(deployment, stream, partition).items():
            if name.startswith("rejected:"):
                reason = name.removeprefix("rejected:")
                found[reason] = found.get(reason, 0) + int(count)
    return found


def dead_letters(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """Every dead letter by its key."""
    topic = deployment.names.topic("dead-letters")
    admin = AdminClient({"bootstrap.servers": deployment.kafka})
    described = admin.list_topics(topic, timeout=10).topics[topic]
    consumer = Consumer({"bootstrap.servers": deployment.kafka, "group.id": "reader", "enable.auto.commit": False})
    try:
        places = [TopicPartition(topic, number, 0) for number in described.partitions]
        ends = sum(consumer.get_watermark_offsets(place, timeout=10)[1] for place in places)
        consumer.assign(places)
        messages = consumer.consume(ends, timeout=20) if ends else []
    finally:
        consumer.close()
    assert len(messages) == ends
    return {(message.key() or b"").decode(): json.loads(message.value() or b"") for message in messages}


def page(worker: Process, path: str) -> tuple[int, str]:
    """Status and body of one of the worker's pages; its address is what it printed."""
    address = re.findall(r"^worker: (http://\S+)$", worker.log.read_text(errors="replace"), re.MULTILINE)[-1]
    try:
        with urllib.request.urlopen(f"{address}/{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def printed(worker: Process, text: str) -> int:
    """How many lines of the worker's output hold the text."""
    return sum(text in line for line in worker.log.read_text(errors="replace").splitlines())


def wait_for(reached: Callable[[], bool], deployment: Deployment, *, timeout_s: float = 30.0) -> None:
    """Wait for a condition; a time-out shows how the workers' logs end."""
    deployment.wait_until(reached, timeout_s=timeout_s)
