"""Which versions of a model are seen in its events: what ``model_version_info`` shows.

Sampled, one event a run of records, so it costs nothing an event; a version that serves one request in a hundred is seen within
minutes.  Kept in the model's totals as ``version:<version>``, when it was last seen (ms, the record's Kafka timestamp).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from redis.asyncio import Redis

from schemas.names import Names

#: Versions of one model that are told between two stores, and the characters of one: a producer may write anything.
MOST, LONGEST = 20, 80
PREFIX = "version:"

#: model -> version -> when it was last seen.
Seen = Mapping[str, Mapping[str, int]]


@dataclass(eq=False, slots=True)
class Versions:
    """What was seen since the last ``drained``."""

    _seen: dict[str, dict[str, int]] = field(default_factory=dict)

    def note(self, model: str, version: object, *, at_ms: int) -> None:
        """An event of this version came; a version may be written as a number."""
        if version is None:
            return
        known = self._seen.setdefault(model, {})
        text = str(version)[:LONGEST].encode(errors="replace").decode()  # half a surrogate pair cannot be stored
        if text in known or len(known) < MOST:
            known[text] = at_ms

    def drained(self) -> Seen:
        """What was seen; it is forgotten here."""
        seen, self._seen = self._seen, {}
        return seen


async def store_versions(redis: Redis, names: Names, sources: Iterable[Versions]) -> None:
    """Add what the sources have seen to the models' totals."""
    pipe = redis.pipeline(transaction=False)
    for source in sources:
        for model, versions in source.drained().items():
            pipe.hset(names.totals(model), mapping={f"{PREFIX}{version}": at for version, at in versions.items()})
    if len(pipe):
        await pipe.execute()
