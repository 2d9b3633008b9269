"""How far each partition is counted, by whom, and what was refused: the offset hashes as people ask for them.

It only reads what the fenced scripts wrote, and may be a checkpoint old.  Which partitions there are is said by their
owners (``PaneStore.note_owner``) and also found by looking, so that one whose owner could not say so is not forgotten.
Clients answer in bytes (no ``decode_responses``), here as everywhere in this room.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from redis.asyncio import Redis

from schemas.names import TOPICS_IN, Names, Stream
from stream.state.behind import behind_of

#: Partitions that are looked for at once; the search ends with the first such stretch in which none was ever taken.
STRETCH = 32


@dataclass(frozen=True, slots=True)
class PartitionProgress:
    """One partition: everything below ``next_offset`` is stored; times are epoch ms, None where nothing was said.

    ``clock_ms`` is the greatest event time counted, ``closed_ms`` what a control record declared complete.  ``lost``
    records were deleted from the log unread, by all that was noticed; ``happened`` is why a resume was not a plain one.
    ``warming``: counts are missing; of what an emptied Redis had counted ``to_read_again`` records are still to come.
    ``behind``: models over their quota, for which it waits behind others.
    """

    stream: Stream
    partition: int
    next_offset: int | None
    clock_ms: int | None
    closed_ms: int | None
    updated_ms: int | None
    owner: str | None
    rejected: Mapping[str, int]
    lost: int
    happened: str | None
    warming: bool = False
    to_read_again: int = 0
    behind: tuple[str, ...] = ()


async def known_partitions(redis: Redis, names: Names, stream: Stream) -> tuple[int, ...]:
    """Every partition of a stream that was ever taken, ascending."""
    return tuple(sorted({*await _owners(redis, names, stream), *await _taken(redis, names, stream)}))


async def read_progress(redis: Redis, names: Names) -> list[PartitionProgress]:
    """All partitions of all incoming streams, in the order of ``TOPICS_IN`` and of their numbers."""
    return [progress for stream in TOPICS_IN for progress in await _stream_progress(redis, names, stream)]


def greatest_clock(progress: Iterable[PartitionProgress]) -> int | None:
    """The greatest event time that any partition has counted; None where nothing was counted yet."""
    return max((one.clock_ms for one in progress if one.clock_ms is not None), default=None)


async def _stream_progress(redis: Redis, names: Names, stream: Stream) -> list[PartitionProgress]:
    owners = await _owners(redis, names, stream)
    partitions = sorted({*owners, *await _taken(redis, names, stream)})
    pipe = redis.pipeline(transaction=False)
    for partition in partitions:
        pipe.hgetall(names.offset(stream, partition))
    answers = zip(partitions, await pipe.execute(), strict=True)
    return [_progress(stream, at, found, owner=owners.get(at)) for at, found in answers]


def _progress(stream: Stream, partition: int, found: Mapping[bytes, bytes], *, owner: str | None) -> PartitionProgress:
    fields = {name.decode(): value.decode() for name, value in found.items()}
    # A topic that was made anew starts without clocks: they are stored as empty texts then.
    next_offset, clock, closed, updated = (
        int(fields[name]) if fields.get(name) else None for name in ("next", "clock", "closed", "updated_ms")
    )
    return PartitionProgress(
        stream, partition, next_offset, clock, closed, updated, owner,
        rejected=_counts(fields, "rejected:"), lost=sum(_counts(fields, "lost:").values()), happened=fields.get("happened"),
        warming=fields.get("state") == "warming",
        behind=_behind(found),
        to_read_again=max(0, int(fields.get("rebuild_to") or 0) - (next_offset or 0)) if "rebuild_to" in fields else 0,
    )  # fmt: skip


def _behind(found: Mapping[bytes, bytes]) -> tuple[str, ...]:
    said = behind_of(found.get(b"behind"))
    return tuple(sorted(said.models)) if said else ()


def _counts(fields: Mapping[str, str], prefix: str) -> dict[str, int]:
    return {name.removeprefix(prefix): int(fields[name]) for name in sorted(fields) if name.startswith(prefix)}


async def _owners(redis: Redis, names: Names, stream: Stream) -> dict[int, str]:
    found = await redis.hgetall(names.partitions(stream))
    return {int(partition): _text(owner) for partition, owner in found.items()}


def _text(stored: bytes | str) -> str:
    return stored.decode(errors="replace") if isinstance(stored, bytes) else stored


async def _taken(redis: Redis, names: Names, stream: Stream) -> set[int]:
    found: set[int] = set()
    first = 0
    while True:
        pipe = redis.pipeline(transaction=False)
        for partition in range(first, first + STRETCH):
            pipe.exists(names.offset(stream, partition))
        here = {first + at for at, there in enumerate(await pipe.execute()) if there}
        if not here:
            return found
        found |= here
        first += STRETCH
