"""Names of features that events hold and nobody declared, by model and when they were last seen: the state ``not_registered``.

Counting them is the panes' business; here are the names, for people.  They are told where an event brings one that the decoder
does not know yet, and then sampled (:mod:`stream.ingest.sightings`).  Kept in a hash of the model, at most `MOST` names.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from redis.asyncio import Redis

from schemas.names import Names
from stream.ingest.sightings import Sightings

#: Names of one model that are kept.
MOST = 100


async def store_unregistered(redis: Redis, names: Names, sources: Iterable[Sightings]) -> None:
    """Add what the sources have seen; what does not fit any more is left out, and counted as beyond."""
    for source in sources:
        for model, seen in source.drained().items():
            key = names.unregistered(model)
            stored: Any = await redis.hkeys(key)
            known = {name.decode(errors="replace") for name in stored}
            new = [name for name in seen if name not in known][: max(0, MOST - len(known))]
            kept: Any = {name: at for name, at in seen.items() if name in known or name in new}
            source.beyond += len(seen) - len(kept)
            if kept:
                await redis.hset(key, mapping=kept)


async def read_unregistered(redis: Redis, names: Names, model: str) -> dict[str, int]:
    """Name to when it was last seen (ms), by name."""
    stored: Any = await redis.hgetall(names.unregistered(model))
    return {name.decode(errors="replace"): int(at) for name, at in sorted(stored.items())}
