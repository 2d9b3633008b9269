"""What the pages are made of, asked of Redis: reports, their history, incidents, and how far everything has come.

It only reads.  One document that is damaged, or of a newer program, costs its own row and is named on the page
(``unreadable``); only a Redis that does not answer ends a page.  Clients answer in bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from redis.asyncio import Redis

from alerting.policy import Clock
from schemas import incidents, reports
from schemas.config import Generation
from schemas.incidents import IncidentView
from schemas.names import Names
from schemas.reports import Report
from stream.state.clock import read_clock, read_now, read_replayed
from stream.state.generations import read as read_generation
from stream.state.progress import PartitionProgress, read_progress

#: Judgements that a chart shows at most, the newest.
LONGEST_HISTORY = 400
#: A worker that has said nothing for so long is not counted.
WORKER_SPEAKS_WITHIN_MS = 15_000

Place = tuple[str, str]


@dataclass(slots=True)
class Found:
    """What was read of many documents, and which of them could not be."""

    reports: dict[Place, Report] = field(default_factory=dict)
    incidents: list[IncidentView] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Standing:
    """The deployment: what is in force, by whose clock it is now, who works, how far the partitions are counted."""

    generation: Generation | None
    now_ms: int
    evaluating: int
    partitions: Sequence[PartitionProgress]
    clock: Clock | None = None


async def read_standing(redis: Redis, names: Names) -> Standing:
    """:raises StoreError: the stored configuration cannot be followed."""
    now_ms = await read_now(redis, names)
    evaluating = await redis.zcount(names.workers, now_ms - WORKER_SPEAKS_WITHIN_MS, "+inf")
    partitions, clock = tuple(await read_progress(redis, names)), await read_clock(redis, names)
    return Standing(await read_generation(redis, names), now_ms, int(evaluating), partitions, clock)


async def read_owner_now(redis: Redis, names: Names) -> int:
    """The time by the incident owner's clock, which is that of silences: in a replay, the time that it has got to."""
    replayed = await read_replayed(redis, names) if await read_clock(redis, names) == "event" else None
    return await read_now(redis, names) if replayed is None else replayed


async def read_reports(redis: Redis, names: Names, places: Iterable[Place], *, found: Found) -> None:
    """Add the newest report of each (model, window) that has one."""
    asked = list(places)
    pipe = redis.pipeline(transaction=False)
    for model, window in asked:
        pipe.hget(names.report(model, window), "document")
    for place, stored in zip(asked, await pipe.execute(), strict=True):
        report = _report(stored, f"the newest report of {place[0]}, {place[1]}", found=found) if stored else None
        if report is not None:
            found.reports[place] = report


async def read_history(
    redis: Redis, names: Names, place: Place, *, most: int = LONGEST_HISTORY, found: Found
) -> list[Report]:
    """The newest judgements of a window, oldest first; of a window that was judged again, the last one."""
    read = (
        _report(fields[b"document"], f"an old report of {place[0]}, {place[1]}", found=found)
        for fields in reversed(await _newest(redis, names.history(*place), most=most))
        if b"document" in fields
    )
    by_end = {report.end: report for report in read if report is not None}
    return [by_end[end] for end in sorted(by_end)]


async def read_incidents(redis: Redis, names: Names, *, found: Found) -> None:
    """Add every incident that Redis still holds."""
    stored: Any = await redis.hgetall(names.incidents("documents"))
    for ident, document in stored.items():
        view = _incident(document, ident, found=found)
        if view is not None:
            found.incidents.append(view)


async def read_incident(redis: Redis, names: Names, ident: str, *, found: Found) -> IncidentView | None:
    """One incident; None where there is none of that id, or it cannot be read."""
    stored: Any = await redis.hget(names.incidents("documents"), ident)
    return None if stored is None else _incident(stored, ident.encode(), found=found)


async def read_totals(redis: Redis, names: Names, model: str) -> dict[str, int]:
    """The cumulative sums of a model, by field."""
    stored: Any = await redis.hgetall(names.totals(model))
    return {field.decode(errors="replace"): int(value) for field, value in stored.items()}


async def _newest(redis: Redis, key: str, *, most: int) -> list[Mapping[bytes, bytes]]:
    """The newest entries of a stream, newest first."""
    entries: Any = await redis.xrevrange(key, count=most)
    return [fields for _, fields in entries]


def _report(stored: bytes, what: str, *, found: Found) -> Report | None:
    try:
        return reports.decode(stored)
    except msgspec.DecodeError as error:
        found.unreadable.append(f"{what}: {error}")
        return None


def _incident(stored: bytes, ident: bytes, *, found: Found) -> IncidentView | None:
    try:
        return incidents.decode(stored)
    except msgspec.DecodeError as error:
        found.unreadable.append(f"incident {ident.decode(errors='replace')}: {error}")
        return None
