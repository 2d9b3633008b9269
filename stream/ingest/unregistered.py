"""Names of features that events hold and nobody declared, by model and when they were last seen: the state ``not_registered``.

Counting them is the panes' business; here are the names, for people.  They are told where an event brings one that the decoder
does not know yet, and then sampled, one event a run of records, so they cost nothing an event.  Kept in a hash of the model, at
most `MOST` names: a producer may make a name of anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis

from schemas.names import Names

#: Names of one model that are kept, and the characters of one.
MOST, LONGEST = 100, 80

#: model -> name -> when it was last seen (ms, the record's Kafka timestamp).
Seen = Mapping[str, Mapping[str, int]]


@dataclass(eq=False, slots=True)
class Unregistered:
    """What was seen since the last ``drained``."""

    _seen: dict[str, dict[str, int]] = field(default_factory=dict)

    def note(self, model: str, features: Iterable[str], *, at_ms: int) -> None:
        """An event held these."""
        known = self._seen.setdefault(model, {})
        for name in features:
            text = name[:LONGEST].encode(errors="replace").decode()  # half a surrogate pair cannot be stored
            if text in known or len(known) < MOST:
                known[text] = at_ms

    def drained(self) -> Seen:
        """What was seen; it is forgotten here."""
        seen, self._seen = self._seen, {}
        return {model: names for model, names in seen.items() if names}


async def store_unregistered(redis: Redis, names: Names, sources: Iterable[Unregistered]) -> None:
    """Add what the sources have seen; what does not fit any more is left out."""
    for source in sources:
        for model, seen in source.drained().items():
            key = names.unregistered(model)
            stored: Any = await redis.hkeys(key)
            known = {name.decode(errors="replace") for name in stored}
            new = [name for name in seen if name not in known][: max(0, MOST - len(known))]
            kept: Any = {name: at for name, at in seen.items() if name in known or name in new}
            if kept:
                await redis.hset(key, mapping=kept)


async def read_unregistered(redis: Redis, names: Names, model: str) -> dict[str, int]:
    """Name to when it was last seen (ms), by name."""
    stored: Any = await redis.hgetall(names.unregistered(model))
    return {name.decode(errors="replace"): int(at) for name, at in sorted(stored.items())}
