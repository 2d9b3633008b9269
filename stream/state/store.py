"""The panes and offsets in Redis, written by fenced scripts: the arbiter of who counts what, and how far.

Three calls: ``take`` a partition (a new epoch), ``load`` partials before they are touched, ``checkpoint`` what changed
with the offset that goes with it.  Nothing here decides; it carries.
"""

from __future__ import annotations

import secrets
import struct
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, Literal, NamedTuple

from redis.asyncio import Redis

from schemas.errors import ConfigError, Problem
from schemas.names import Names, panes_of_block
from stream.state.epochs import Epoch, Stored
from stream.state.layout import Layout
from stream.state.lua import called, script
from stream.state.packing import Partial, empty, unpack
from stream.state.watermarks import PartitionClock, clock_of

PANES_A_BLOCK = 24
NOTE_SEPARATOR = "\x1f"
#: As ``checkpoint.lua`` reads them: length of a pane and of what a note begins with; how many.
_BLOCK, _COUNT = struct.Struct("<QH"), struct.Struct("<I")
_ONE = _COUNT.pack(1)

Outcome = Literal["stored", "fenced", "elsewhere"]


class PaneKey(NamedTuple):
    """A partial's place: partition (with the incarnation of its topic), layout and start of the pane.

    A tuple: one is made of every pane in every checkpoint, and a frozen dataclass takes three times as long.
    """

    stream: str
    partition: int
    incarnation: int
    layout: Layout
    start_ms: int

    @property
    def named(self) -> _Named:
        """How it is told of to the script."""
        layout = self.layout
        return _named((layout.model, layout.hash, layout.pane_ms, self.start_ms, self.incarnation))

    @property
    def field(self) -> str:
        """Field in the block's hash: panes of a re-created topic stand beside those of the one before."""
        return _field(self.start_ms, self.incarnation)


class _Named(NamedTuple):
    """What the key of a pane's block ends with; its block, and its field in that hash, as the script reads them."""

    end: str
    block: bytes
    field: bytes


@dataclass(frozen=True, slots=True)
class Idle:
    """A partition of which nothing was left to read at ``at_ms`` (epoch ms, Redis' clock)."""

    stream: str
    partition: int
    epoch: Epoch
    at_ms: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything a partition changed between two offsets, packed."""

    stream: str
    partition: int
    epoch: Epoch
    start: int
    next_offset: int
    fields: Mapping[str, str | int]
    rejected: Mapping[str, int]
    panes: Sequence[tuple[PaneKey, bytes]]


class PaneStore:
    """One Redis, one environment's names, one life span of stored panes."""

    def __init__(self, redis: Redis, names: Names, *, keep_ms: int) -> None:
        self.redis, self.names, self.keep_ms = redis, names, keep_ms
        self._take = script(redis, "state", "take")
        self._resume = script(redis, "state", "resume")
        self._checkpoint = script(redis, "state", "checkpoint")

    async def take(
        self, stream: str, partition: int, *, group: str, take_over: bool, now_ms: int
    ) -> tuple[Epoch, Stored]:
        """A new epoch for a partition, and what is stored of it.

        :raises ConfigError: another consumer group counts into these keys.
        """
        token = secrets.token_hex(8)
        key = self.names.offset(stream, partition)
        answer = await self._take(keys=[key], args=[token, group, "1" if take_over else "0", now_ms])
        found = [None if part is None else part.decode() for part in answer]
        if found[0] == "group":
            raise _other_group(key, str(found[1]), group=group)
        numbers = [int(part) if part else None for part in (*found[2:5], found[6])]
        stored = Stored(numbers[0], numbers[1], numbers[2], found[5], numbers[3] or 0)
        return Epoch(str(found[1]), token), stored

    async def resume(self, stream: str, partition: int, *, epoch: Epoch, fields: Mapping[str, str | int]) -> bool:
        """Record where the partition is read from; False where the epoch is not the newest any more."""
        pairs = [part for pair in fields.items() for part in pair]
        key = self.names.offset(stream, partition)
        return bool(await self._resume(keys=[key], args=[epoch.number, epoch.token, *pairs]))

    async def vouch(self, idle: Iterable[Idle]) -> None:
        """Mark partitions idle, in one round trip; where an epoch is not the newest any more nothing is."""
        calls = [
            (
                [self.names.offset(one.stream, one.partition)],
                [one.epoch.number, one.epoch.token, "idle", 1, "idle_ms", one.at_ms],
            )
            for one in idle
        ]
        await called(self.redis, self._resume, calls)

    async def note_owner(self, stream: str, partition: int, *, owner: str) -> None:
        """Tell operators who reads a partition; also how readers learn which partitions there are."""
        await self.redis.hset(self.names.partitions(stream), str(partition), owner)

    async def clocks(self, stream: str, partitions: Iterable[int]) -> dict[int, PartitionClock]:
        """How far each partition is counted, whoever counts it."""
        numbers = list(partitions)
        pipe = self.redis.pipeline(transaction=False)
        for number in numbers:
            pipe.hgetall(self.names.offset(stream, number))
        return {number: clock_of(found) for number, found in zip(numbers, await pipe.execute(), strict=True)}

    async def load(self, keys: Sequence[PaneKey]) -> list[Partial]:
        """The stored partials, in order; one that was never stored is empty."""
        pipe = self.redis.pipeline(transaction=False)
        grouped: dict[str, list[int]] = defaultdict(list)
        for at, key in enumerate(keys):
            grouped[self._block_key(key)].append(at)
        for block, members in grouped.items():
            pipe.hmget(block, [keys[at].field for at in members])
        found: dict[int, bytes | None] = {}
        for members, values in zip(grouped.values(), await pipe.execute(), strict=True):
            found.update(zip(members, values, strict=True))
        return [_partial(found[at], key.layout) for at, key in enumerate(keys)]

    async def checkpoint(self, checkpoints: Sequence[Checkpoint]) -> list[Outcome]:
        """Store each partition's checkpoint whole or not at all; one round trip for all."""
        calls = map(self._arguments, checkpoints)
        return [_outcome(answer) for answer in await called(self.redis, self._checkpoint, calls)]

    def _arguments(self, checkpoint: Checkpoint) -> tuple[list[str], list[Any]]:
        place, epoch = (checkpoint.stream, checkpoint.partition), checkpoint.epoch
        blocks = _by_block(self.names.all_panes(*place), checkpoint.panes)
        args: list[Any] = [epoch.number, epoch.token, checkpoint.start, checkpoint.next_offset, self.keep_ms]
        for pairs in (checkpoint.fields, checkpoint.rejected):
            args += [len(pairs), *(part for pair in pairs.items() for part in pair)]
        args.append(b"".join(chain.from_iterable(blocks.values())))
        return [self.names.offset(*place), self.names.revised(*place), *blocks], args

    def _block_key(self, key: PaneKey) -> str:
        return self.names.all_panes(key.stream, key.partition) + key.named.end


def _by_block(begin: str, panes: Iterable[tuple[PaneKey, bytes]]) -> dict[str, list[bytes]]:
    """By key what the script is told of a block: what it is, how many panes it has, then three parts a pane.

    In one piece for all panes of a checkpoint: to make Redis' form of each argument took longer than all else.
    """
    blocks: dict[str, list[bytes]] = {}
    for key, packed in panes:
        named = key.named
        parts = blocks.get(begin + named.end)
        if parts is None:
            blocks[begin + named.end] = [named.block, _ONE, named.field, _COUNT.pack(len(packed)), packed]
        else:
            parts += named.field, _COUNT.pack(len(packed)), packed
            parts[1] = _COUNT.pack(len(parts) // 3)
    return blocks


@lru_cache(maxsize=1 << 14)
def _named(pane: tuple[str, str, int, int, int]) -> _Named:
    """The same of a model's pane in all partitions, and in every checkpoint."""
    model, layout, pane_ms, start_ms, incarnation = pane
    block, note = start_ms - start_ms % (PANES_A_BLOCK * pane_ms), note_of(model, layout).encode()
    field = _field(start_ms, incarnation).encode()
    return _Named(
        panes_of_block(model, layout=layout, block=block),
        _BLOCK.pack(pane_ms, len(note)) + note,
        bytes([len(field)]) + field,
    )


def _field(start_ms: int, incarnation: int) -> str:
    return f"{start_ms}.{incarnation}" if incarnation else str(start_ms)


def fields_of(pairs: Iterable[tuple[str, str | int | None]]) -> dict[str, str | int]:
    """Hash fields, without those that have no value."""
    return {name: value for name, value in pairs if value is not None}


def note_of(model: str, layout: str, field: str = "") -> str:
    """Field of the hash ``names.revised``: one pane (without ``field``: the beginning of all notes of a layout).

    >>> note_of("trees", "1f0c", "1357034400000")
    'trees\\x1f1f0c\\x1f1357034400000'
    """
    return NOTE_SEPARATOR.join((model, layout, field))


def _partial(stored: bytes | None, layout: Layout) -> Partial:
    if stored is None:
        return empty(layout.cells, len(layout.numeric))
    return unpack(stored, layout.cells)


def _outcome(answer: Sequence[bytes]) -> Outcome:
    match answer[0]:
        case b"stored" | b"again":
            return "stored"
        case b"fenced":
            return "fenced"
        case _:
            return "elsewhere"


def _other_group(key: str, other: str, *, group: str) -> ConfigError:
    message = (
        f"{key} is counted by the consumer group {other!r}, and this worker is in {group!r}: two groups on one prefix "
        "would count twice. Give this one its own DRIFTLINE_ENVIRONMENT, or set DRIFTLINE_TAKE_OVER_GROUP=true "
        "once the other group has stopped for good"
    )
    return ConfigError([Problem("DRIFTLINE_ENVIRONMENT", 0, "", message)])
