"""What the doctor says of caps: what is in force and what is stored, against the most that is told apart of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from redis.asyncio import Redis

from schemas.names import Names
from schemas.settings import Settings
from stream.command.checks import Found, judged
from stream.command.connect import ask_redis
from stream.ingest.capped import of_generation
from stream.ingest.unregistered import MOST
from stream.state.generations import read, read_references
from stream.state.gpus import MOST as MOST_GPUS


class CapChecks:
    """Checks of one environment; what events were beyond is in workers' metrics alone (``driftline_capped_total``)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def caps(self) -> Iterator[Found]:
        found = ask_redis(self._settings, _beyond)
        said = ", ".join(f"{count} {what}" for what, count in found.items() if count) or "none reached"
        do = "they are counted among the others; docs/runbooks/DriftlineCapped.md says of each what to do"
        yield judged("caps", said, look=any(found.values()), do=do)


async def _beyond(redis: Redis, names: Names) -> dict[str, int]:
    generation = await read(redis, names)
    if generation is None:
        return {}
    configured = of_generation(generation, await read_references(redis, names, generation))
    pipe = redis.pipeline(transaction=False)
    for model in generation.models:
        pipe.hlen(names.unregistered(model))
    pipe.zcard(names.gpus)
    *listed, gpus = cast("list[int]", await pipe.execute())
    return {
        "features of more names than their top": configured["categories"],
        "features without series": configured["series"],
        f"models with {MOST} undeclared features": sum(size >= MOST for size in listed),
        "GPUs, of which no more are known at once": int(gpus) if int(gpus) >= MOST_GPUS else 0,
    }
