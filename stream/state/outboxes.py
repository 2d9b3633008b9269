"""What waits to leave Redis: messages that evaluation and the incident owner have for Kafka, and deliveries to receivers.

An outbox is emptied within seconds; what stays longer waits for Kafka, for a vendor, or for a worker that does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from schemas.gpus import FLEET
from schemas.incidents import IncidentView
from schemas.names import Names
from stream.state.clock import read_clock, read_now, read_replayed
from stream.state.generations import read
from stream.state.incidents import read_incidents

INCIDENTS = "incidents"


@dataclass(frozen=True, slots=True)
class Outbox:
    """Messages for Kafka: of a model, of ``gpus``, or of ``incidents``."""

    of: str
    waiting: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What one receiver's address is still to be told, and what it takes no more; ``oldest_s`` since it was to be told."""

    receiver: str
    address: str
    waiting: int
    failed: int
    oldest_s: float | None
    why: str | None


async def read_outboxes(redis: Redis, names: Names) -> list[Outbox]:
    """The outboxes that hold something, the oldest message first.

    :raises StoreError: the configuration in force cannot be read.
    """
    generation = await read(redis, names)
    keys = {model: names.outbox(model) for model in (*(generation.models if generation else ()), FLEET)}
    keys[INCIDENTS] = names.incidents("outbox")
    pipe = redis.pipeline(transaction=False)
    for key in keys.values():
        pipe.xlen(key)
        pipe.xrange(key, count=1)
    now_ms = await read_now(redis, names)
    answers = iter(await pipe.execute())
    found = [_outbox(of, next(answers), next(answers), now_ms=now_ms) for of in keys]
    return sorted((one for one in found if one is not None), key=lambda one: -one.oldest_s)


async def read_deliveries(redis: Redis, names: Names) -> list[Deliveries]:
    """By receiver and address, those that wait or failed; the longest wait first.

    :raises StoreError: a document is damaged, or of a newer program.
    """
    now_ms = await read_now(redis, names)
    if await read_clock(redis, names) == "event":
        now_ms = await read_replayed(redis, names) or now_ms
    return deliveries_of(await read_incidents(redis, names), now_ms=now_ms)


def deliveries_of(incidents: Iterable[IncidentView], *, now_ms: int) -> list[Deliveries]:
    """The same of these incidents' documents; ``now_ms`` by the owner's clock."""
    waiting: dict[tuple[str, str], list[int]] = {}
    failed: dict[tuple[str, str], list[str]] = {}
    for incident in incidents:
        for delivery in incident.deliveries:
            place = (delivery.receiver, delivery.address)
            if delivery.failed is not None:
                failed.setdefault(place, []).append(delivery.failed)
            elif not delivery.confirmed:
                since = incident.updated if delivery.since is None else delivery.since
                waiting.setdefault(place, []).append(since)
    found = [
        _deliveries(place, waiting.get(place, ()), failed.get(place, ()), now_ms=now_ms)
        for place in sorted({*waiting, *failed})
    ]
    return sorted(found, key=lambda one: -(one.oldest_s or 0.0))


def _deliveries(place: tuple[str, str], since: Sequence[int], failed: Sequence[str], *, now_ms: int) -> Deliveries:
    oldest = max(0.0, (now_ms - min(since)) / 1000) if since else None
    return Deliveries(*place, len(since), len(failed), oldest, failed[-1] if failed else None)


def _outbox(of: str, length: int, first: Sequence[Any], *, now_ms: int) -> Outbox | None:
    if not first:
        return None
    began = int(bytes(first[0][0]).partition(b"-")[0])
    return Outbox(of, length, max(0.0, (now_ms - began) / 1000))
