"""Which versions of a model are seen in its events: what ``model_version_info`` shows.

One that serves one request in a hundred is seen within minutes (:mod:`stream.ingest.sightings`).  Kept in the model's totals as
``version:<version>``, when it was last seen (ms, the record's Kafka timestamp).
"""

from __future__ import annotations

from collections.abc import Iterable

from redis.asyncio import Redis

from schemas.names import Names
from stream.ingest.sightings import Sightings

#: Versions of one model that are told between two stores.
MOST = 20
PREFIX = "version:"


async def store_versions(redis: Redis, names: Names, sources: Iterable[Sightings]) -> None:
    """Add what the sources have seen to the models' totals."""
    pipe = redis.pipeline(transaction=False)
    for source in sources:
        for model, versions in source.drained().items():
            pipe.hset(names.totals(model), mapping={f"{PREFIX}{version}": at for version, at in versions.items()})
    if len(pipe):
        await pipe.execute()
