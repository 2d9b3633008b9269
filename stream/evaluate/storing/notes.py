"""Notes that checkpoints leave for evaluation: panes that it may not have seen as they are now.

A partition's note of a pane is made when the pane is first stored there, and again at each change after it was sealed.  It is
removed when what it speaks of is merged and stored, and only if nothing was noted since: so no event is ever left out.

Nor is it removed from another Redis than it was read from: a replica that takes over may have lost what was stored meanwhile,
and would count the events of the note again into a pane that nobody merges any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from typing import cast

import msgspec
from redis.asyncio import Redis

from schemas.names import Names
from stream.evaluate.storing.breath import Asking
from stream.evaluate.storing.lanes import in_lanes
from stream.state.lua import script
from stream.state.store import NOTE_SEPARATOR

#: Fields that are read or removed in one call.
AT_ONCE = 500
_DECODER = msgspec.msgpack.Decoder(list[str])


class Note(msgspec.Struct, frozen=True):
    """One pane of one partition: ``pane`` is its field in the block's hash, ``count`` how often it was noted."""

    partition: int
    model: str
    layout: str
    pane: str
    count: str

    @property
    def start_ms(self) -> int:
        """Start of the pane, whichever incarnation of its topic it is of."""
        return _start_of(self.pane)

    @property
    def field(self) -> str:
        return NOTE_SEPARATOR.join((self.model, self.layout, self.pane))


class Notes:
    """Reads and removes the notes of a stream."""

    def __init__(self, redis: Redis, names: Names, *, asking: Asking) -> None:
        self._redis, self._names, self._asking = redis, names, asking
        self._read, self._forget = script(redis, "evaluate", "notes"), script(redis, "evaluate", "forget")
        #: By key: the history of writes of the Redis that the notes were read from.
        self._histories: dict[str, bytes] = {}

    async def read(self, stream: str, partitions: Iterable[int]) -> dict[str, list[Note]]:
        """All notes of these partitions by model."""
        by_partition: dict[int, list[Note]] = {}

        async def read(partition: int) -> None:
            by_partition[partition] = [note async for note in self._of(stream, partition)]

        await in_lanes(partitions, read, breath=self._asking.breath)
        found: dict[str, list[Note]] = defaultdict(list)
        for partition in sorted(by_partition):
            for note in by_partition[partition]:
                found[note.model].append(note)
        return found

    async def forget(self, stream: str, notes: Iterable[Note]) -> bool:
        """Remove these, unless they were noted again since they were read; False: Redis is another than then."""
        by_partition: dict[int, list[Note]] = defaultdict(list)
        for note in notes:
            by_partition[note.partition].append(note)
        for partition, held in by_partition.items():
            for first in range(0, len(held), AT_ONCE):
                if not await self._forget_some(self._names.revised(stream, partition), held[first : first + AT_ONCE]):
                    return False
        return True

    async def _of(self, stream: str, partition: int) -> AsyncIterator[Note]:
        key, cursor = self._names.revised(stream, partition), "0"
        seen: set[str] = set()
        self._histories.pop(key, None)
        while True:
            asked = partial(self._read, keys=[key], args=[cursor, AT_ONCE])
            found, packed, history = cast("tuple[bytes, bytes, bytes]", await self._asking(asked))
            self._histories.setdefault(key, history)
            for field, count in _pairs(_DECODER.decode(packed)):
                if field not in seen:
                    seen.add(field)
                    yield _note(partition, field, count)
            await self._asking.breath()
            cursor = found.decode()
            if cursor == "0":
                return

    async def _forget_some(self, key: str, notes: Sequence[Note]) -> bool:
        packed = msgspec.msgpack.encode([part for note in notes for part in (note.field, note.count)])
        history = self._histories.get(key, b"")
        done = await self._asking(lambda: self._forget(keys=[key], args=[packed, history]))
        await self._asking.breath()
        return bool(done)


def panes_due(notes: Iterable[Note], *, last: int, pane_ms: int, watermark: int) -> int:
    """How many panes that begin at ``last`` or later are complete: of these some partition noted something.

    >>> notes = [Note(0, "m", "l", "60", "1"), Note(1, "m", "l", "60", "1"), Note(0, "m", "l", "120", "1")]
    >>> [panes_due(notes, last=60, pane_ms=60, watermark=now) for now in (119, 120, 180)]
    [0, 1, 2]
    """
    return len({note.start_ms for note in notes if last <= note.start_ms <= watermark - pane_ms})


@lru_cache(maxsize=10_000)
def _start_of(pane: str) -> int:
    """Asked many times of each note, and alike for all models."""
    return int(pane.partition(".")[0])


def _note(partition: int, field: str, count: str) -> Note:
    model, layout, pane = field.rsplit(NOTE_SEPARATOR, 2)
    return Note(partition, model, layout, pane, count)


def _pairs(parts: Sequence[str]) -> Iterator[tuple[str, str]]:
    return zip(parts[0::2], parts[1::2], strict=True)
