"""What evaluation stored of a model, read back: merged closed panes, how far it judged, and its cumulative sums."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

import redis
from redis.asyncio import Redis

from stream.evaluate.panes.tiers import tiers_of
from stream.state.columns import layouts_of
from stream.state.generations import read, read_reference
from stream.state.layout import Layout
from stream.state.packing import Partial, unpack
from tests.support.worker import Deployment

Answer = TypeVar("Answer")
Packed = dict[bytes, bytes]


def closed_panes(deployment: Deployment, model: str) -> tuple[Layout, dict[int, Partial]]:
    """The layout in force of a model's predictions, and its merged closed panes by their start."""

    async def ask(client: Redis) -> tuple[Layout, dict[int, Partial]]:
        layout = await _layout(client, deployment, model)
        found: dict[int, Partial] = {}
        tier = tiers_of(layout.pane_ms)[0].name
        pattern = deployment.names.of_model(model, "closed", "predictions", layout.hash, tier, "*")
        async for key in client.scan_iter(match=pattern, count=10_000):
            stored = cast(Packed, await client.hgetall(key))
            found |= {int(start): unpack(packed, layout.cells) for start, packed in stored.items()}
        return layout, found

    return _asked(deployment, ask)


def judged_to(deployment: Deployment, model: str) -> int:
    """The end of the last closed pane; 0 before the first."""
    with redis.Redis.from_url(deployment.redis_url) as client:
        return int(client.hget(deployment.names.evaluation(model, "predictions"), "last") or 0)


def unsent(deployment: Deployment, model: str) -> int:
    """How many messages wait for the relay."""
    with redis.Redis.from_url(deployment.redis_url) as client:
        return int(client.xlen(deployment.names.outbox(model)))


def totals(deployment: Deployment, model: str) -> dict[str, int]:
    """The model's cumulative sums of predictions, without the name of the stream."""
    with redis.Redis.from_url(deployment.redis_url) as client:
        found = cast(Packed, client.hgetall(deployment.names.totals(model)))
    fields = {name.decode(): int(value) for name, value in found.items()}
    return {
        name.removeprefix("predictions:"): value for name, value in fields.items() if name.startswith("predictions:")
    }


async def _layout(client: Redis, deployment: Deployment, model: str) -> Layout:
    generation = await read(client, deployment.names)
    assert generation is not None
    force = generation.models[model]
    reference = await read_reference(client, deployment.names, force.reference)
    return layouts_of(model, force.monitor, reference, digest=force.reference)["predictions"]


def _asked(deployment: Deployment, ask: Callable[[Redis], Awaitable[Answer]]) -> Answer:
    async def asked() -> Answer:
        async with Redis.from_url(deployment.redis_url) as client:
            return await ask(client)

    return asyncio.run(asked())
