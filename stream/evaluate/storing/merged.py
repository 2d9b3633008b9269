"""Reads what is to be merged: partials of source partitions, and rows of closed panes that were merged before."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import cast

from redis.asyncio import Redis

from schemas.names import Names
from stream.evaluate.panes.tiers import Tier
from stream.evaluate.storing.breath import Asking, Breath
from stream.evaluate.storing.notes import Note
from stream.evaluate.storing.post import Post
from stream.state.bulk import FEW, Added, added_singly, portions
from stream.state.layout import Layout
from stream.state.packing import Partial, unpack
from stream.state.store import PANES_A_BLOCK

#: Hashes that are asked for in one round trip.
AT_ONCE = 64
#: (partition, start of the block) -> fields of the block's hash.
Wanted = Mapping[tuple[int, int], Sequence[str]]


class Merged:
    """Sums over partitions are made here, in slices."""

    def __init__(self, redis: Redis, names: Names, *, asking: Asking, post: Post) -> None:
        self._redis, self._names, self._asking, self._post = redis, names, asking, post

    @property
    def breath(self) -> Breath:
        """Between two pieces of work on what was read."""
        return self._asking.breath

    @property
    def asking(self) -> Asking:
        """Asks Redis, and has long work done on a thread."""
        return self._asking

    async def noted(self, layout: Layout, notes: Iterable[Note]) -> dict[int, Partial]:
        """The panes that these notes name, each summed over the partitions that noted it, by start."""
        wanted: dict[tuple[int, int], list[str]] = defaultdict(list)
        for note in notes:
            wanted[note.partition, _block(layout, note.start_ms)].append(note.pane)
        return await self._summed(layout, wanted)

    async def whole(self, layout: Layout, starts: Iterable[int], *, incarnations: Sequence[int]) -> dict[int, Partial]:
        """These panes summed over all partitions and incarnations; ``incarnations`` is the newest of each partition."""
        wanted: dict[tuple[int, int], list[str]] = defaultdict(list)
        for start in starts:
            for partition, newest in enumerate(incarnations):
                fields = [str(start), *(f"{start}.{number}" for number in range(1, newest + 1))]
                wanted[partition, _block(layout, start)] += fields
        return await self._summed(layout, wanted)

    async def row(self, layout: Layout, tier: Tier, start_ms: int) -> Partial | None:
        """One row of a tier."""
        key = self.closed_key(layout, tier, start_ms)
        packed = await self._asking(lambda: self._redis.hget(key, str(start_ms)))
        return None if packed is None else unpack(cast(bytes, packed), layout.cells)

    async def rows(self, layout: Layout, tier: Tier, *, span: tuple[int, int]) -> dict[int, Partial]:
        """The rows of a tier that begin in the span, by start."""
        found: dict[int, Partial] = {}
        if span[0] >= span[1]:
            return found
        for block in range(tier.block_of(span[0]), span[1], PANES_A_BLOCK * tier.length_ms):
            key = self.closed_key(layout, tier, block)
            stored = cast("dict[bytes, bytes]", await self._asking(partial(self._redis.hgetall, key)))
            for start, packed in stored.items():
                if span[0] <= int(start) < span[1]:
                    found[int(start)] = unpack(packed, layout.cells)
                    await self._asking.breath()
        return dict(sorted(found.items()))

    async def layouts(self, model: str, stream: str) -> list[Layout]:
        """Every layout in which panes of a model's stream were ever stored."""
        stored = cast("dict[bytes, bytes]", await self._asking(lambda: self._redis.hgetall(self._names.layouts(model))))
        own = [text for field, text in sorted(stored.items()) if field.startswith(f"{stream}:".encode())]
        return await self._asking.beside(lambda: [Layout.from_json(text) for text in own])

    def closed_key(self, layout: Layout, tier: Tier, start_ms: int) -> str:
        """The hash that a tier's row is stored in."""
        block = tier.block_of(start_ms)
        return self._names.closed(layout.model, layout.stream, layout=layout.hash, tier=tier.name, block=block)

    async def _summed(self, layout: Layout, wanted: Wanted) -> dict[int, Partial]:
        places = list(wanted)
        starts = {field: int(field.partition(".")[0]) for fields in wanted.values() for field in fields}
        cells, columns = layout.cells, len(layout.numeric)
        if sum(map(len, wanted.values())) <= FEW:
            answers = await self._asking(partial(self._ask, layout, wanted, places))
            return added_singly(_stored(wanted, places, answers, starts=starts), cells=cells, columns=columns)
        found = Added(sorted(set(starts.values())), cells=cells, columns=columns)
        for first in range(0, len(places), AT_ONCE):
            some = places[first : first + AT_ONCE]
            answers = await self._asking(partial(self._ask, layout, wanted, some))
            for portion in portions(_stored(wanted, some, answers, starts=starts)):
                found.add(portion)
                await self._asking.breath()
        return found.partials()

    async def _ask(self, layout: Layout, wanted: Wanted, places: Sequence[tuple[int, int]]) -> list[list[bytes | None]]:
        asked = []
        for partition, block in places:
            key = self._names.panes(layout.stream, partition, model=layout.model, layout=layout.hash, block=block)
            asked.append(self._post.ask("HMGET", key, *wanted[partition, block]))
        return list(await asyncio.gather(*asked))


def _block(layout: Layout, start_ms: int) -> int:
    span = PANES_A_BLOCK * layout.pane_ms
    return start_ms - start_ms % span


def _stored(
    wanted: Wanted,
    places: Sequence[tuple[int, int]],
    answers: Sequence[Sequence[bytes | None]],
    *,
    starts: Mapping[str, int],
) -> Iterator[tuple[int, bytes]]:
    """What was found of the fields asked for, with the start of its pane."""
    for place, values in zip(places, answers, strict=True):
        for field, packed in zip(wanted[place], values, strict=True):
            if packed is not None:
                yield starts[field], packed
