"""Incidents, timelines and silences as readers find them in Redis; nothing here writes."""

from __future__ import annotations

from typing import Any

import msgspec
from redis.asyncio import Redis

from schemas.errors import ConfigError, Problem, StoreError
from schemas.incidents import IncidentView, SilenceView, decode, decode_silence
from schemas.names import Names


class Happened(msgspec.Struct, frozen=True):
    """A line of a timeline; ``at`` by the owner's clock."""

    at: int
    text: str


async def read_incidents(redis: Redis, names: Names) -> list[IncidentView]:
    """Every incident that is kept, ended ones too.

    :raises StoreError: a document is damaged, or of a newer program.
    """
    found: Any = await redis.hgetall(names.incidents("documents"))
    return [_document(name.decode(), value) for name, value in found.items()]


async def read_incident(redis: Redis, names: Names, beginning: str) -> IncidentView:
    """The incident whose id begins so.

    :raises StoreError: there is none; or its document is damaged.
    :raises ConfigError: there are several.
    """
    key = names.incidents("documents")
    whole: Any = await redis.hget(key, beginning)
    if whole is not None:
        return _document(beginning, whole)
    kept: Any = await redis.hkeys(key)
    found = sorted(name.decode() for name in kept)
    matching = [name for name in found if beginning and name.startswith(beginning)]
    if not matching:
        raise StoreError(f"there is no incident {beginning!r}; `driftline incident ls --all` lists them")
    if len(matching) > 1:
        raise ConfigError([Problem("", 0, "", f"{beginning!r} begins several incidents: {', '.join(matching[:10])}")])
    document: Any = await redis.hget(key, matching[0])
    return _document(matching[0], document or b"")


async def read_timeline(redis: Redis, names: Names, incident: str) -> list[Happened]:
    """What happened to an incident, oldest first."""
    lines: Any = await redis.xrange(names.incidents("timeline", incident))
    return [Happened(int(fields[b"at"]), fields[b"text"].decode()) for _, fields in lines]


async def read_silences(redis: Redis, names: Names) -> list[SilenceView]:
    """Every silence that is kept, the one that ends first first.

    :raises StoreError: one is damaged, or of a newer program.
    """
    found: Any = await redis.hgetall(names.incidents("silences"))
    try:
        return sorted((decode_silence(value) for value in found.values()), key=lambda silence: silence.ends)
    except msgspec.DecodeError as error:
        raise StoreError(f"a stored silence cannot be read: {error}") from None


def _document(name: str, value: bytes) -> IncidentView:
    try:
        return decode(value)
    except msgspec.DecodeError as error:
        raise StoreError(f"the stored incident {name} cannot be read: {error}") from None
