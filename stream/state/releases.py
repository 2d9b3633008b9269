"""Releases as Redis shows them: where each stands, its last health window, and what was decided.  It only reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from redis.asyncio import Redis

from schemas import releases
from schemas.config import Generation
from schemas.names import Names
from schemas.releases import Decision, Evidence

#: Decisions that are shown at most, the newest.
LATEST = 50


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """``state`` is a release's phase, ``waiting`` before its streams are closed for the first time, or ``unreadable``.

    ``share``, ``since`` and ``judged_to`` are None then; ``window`` is the last one judged, None before the first.
    """

    model: str
    state: str
    champion: str
    challenger: str
    share: float | None = None
    since: int | None = None
    judged_to: int | None = None
    release: str = ""
    why: str = ""
    holds: tuple[str, ...] = ()
    window: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """Decisions on the releases of a model, oldest first; ``damage`` says of those that cannot be read what the last one is."""

    decisions: list[Decision]
    damage: str


async def read_releases(redis: Redis, names: Names, generation: Generation | None) -> list[ReleaseView]:
    """Of all models in force that have a release, by name; one that is damaged costs itself alone (``unreadable``)."""
    models = sorted(generation.models) if generation is not None else []
    pipe = redis.pipeline(transaction=False)
    for model in models:
        pipe.hgetall(names.release(model))
    stored: Iterable[Any] = await pipe.execute() if models else []
    found = (_view(model, fields, generation) for model, fields in zip(models, stored, strict=True))
    return [view for view in found if view is not None]


async def read_decisions(redis: Redis, names: Names, model: str, *, most: int = LATEST) -> Decided:
    """The newest decisions on a model's releases."""
    entries: Any = await redis.xrevrange(names.decisions(model), count=most)
    found, damage = list[Decision](), ""
    for _, fields in reversed(entries):
        try:
            found.append(releases.decode(fields[b"document"]))
        except (KeyError, ValueError) as error:
            damage = f"a decision on a release of {model!r} cannot be read: {error!r}"
    return Decided(found, damage)


def _view(model: str, stored: Mapping[bytes, bytes], generation: Generation | None) -> ReleaseView | None:
    fields = {name.decode(): value.decode(errors="replace") for name, value in stored.items()}
    if not fields or fields.get("state") == "none":
        named = generation.models[model].monitor.release if generation is not None else None
        return None if named is None else ReleaseView(model, "waiting", named.champion, named.challenger)
    try:
        return ReleaseView(
            model, fields["state"], fields["champion"], fields["challenger"], float(fields["share"]),
            int(fields["since"]), int(fields["judged_to"]), fields["release"], fields["why"],
            tuple(filter(None, fields["holds"].split(","))),
            _WINDOW.decode(fields["window"]) if "window" in fields else None,
        )  # fmt: skip
    except (KeyError, ValueError) as error:
        return ReleaseView(
            model, "unreadable", fields.get("champion", "?"), fields.get("challenger", "?"), why=repr(error)
        )


_WINDOW = msgspec.json.Decoder(Evidence)
