"""Two workers that were there before their topics: each closes the panes of its models, whichever partitions it reads."""

from __future__ import annotations

import asyncio
import json
from typing import cast

from redis.asyncio import Redis

from stream.evaluate.storing.shards import shard_of
from tests.support.generated import PANE_MS, START_MS, generate, reference_of, write_monitors
from tests.support.observed import apply
from tests.support.worker import PARTITIONS, Deployment

MODELS = [f"model-{number}" for number in range(8)]
REFERENCES = {model: reference_of(generate(model, 500, seed=1, features=1)) for model in MODELS}
END_MS = START_MS + 12 * PANE_MS


def test_each_of_two_workers_closes_the_panes_of_the_models_it_holds(deployment: Deployment) -> None:
    apply(deployment, write_monitors(deployment.folder, REFERENCES))
    for _ in range(2):
        deployment.start_worker()
    deployment.wait_until(lambda: len(set(asyncio.run(_holders(deployment)).values())) == 2)

    for model in MODELS:
        deployment.send(generate(model, 100, seed=2, features=1, span_ms=12 * PANE_MS).records())
    deployment.send([_control(END_MS)] * PARTITIONS)
    deployment.wait_until(lambda: asyncio.run(_closed(deployment)) == dict.fromkeys(MODELS, END_MS))
    assert len(set(asyncio.run(_holders(deployment)).values())) == 2


def _control(watermark: int) -> bytes:
    return json.dumps({"control": "watermark", "timestamp": watermark}).encode()


async def _holders(deployment: Deployment) -> dict[str, bytes]:
    """Who holds each model's lease, once all are held."""
    async with Redis.from_url(deployment.redis_url) as redis:
        found = {model: await redis.get(deployment.names.lease(shard_of(model))) for model in MODELS}
    held = {model: cast(bytes, holder) for model, holder in found.items() if holder}
    return held if len(held) == len(MODELS) else {}


async def _closed(deployment: Deployment) -> dict[str, int]:
    """How far each model is closed."""
    async with Redis.from_url(deployment.redis_url) as redis:
        hashes = {model: deployment.names.evaluation(model, "predictions") for model in MODELS}
        return {model: int(await redis.hget(key, "last") or 0) for model, key in hashes.items()}
