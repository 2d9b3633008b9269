"""The incident owner's state in Redis: taken whole, written turn by turn by a fenced script.

All keys are in one slot (``names.incidents(...)``), so one script writes what a turn changed together with the offsets of
the inputs that changed it:

===================  ==========  ===========================================================================
key                  type        what
===================  ==========  ===========================================================================
``owner``            hash        clock, epoch, token, turn, who owns, ``next:<topic>`` and ``topic_id:<topic>`` of each input
``records``          hash        the working state of :mod:`alerting`, a field for each thing that changes by itself
``marks``            hash        event clock only: how far each model's stream is judged
``documents``        hash        incident -> its document (JSON), the ended ones too
``kept``             hash        incident -> what goes to Kafka with its document (:mod:`alerting.keeping`)
``ended``            sorted set  ended incidents by when they ended
``timeline:<id>``    stream      what happened to an incident, oldest first, capped
``silences``         hash        silence -> JSON
``outbox``           stream      incidents whose documents are to be sent to Kafka's compacted topic
``orders``           hash        model -> what was last ordered of its release (JSON), for evaluation
``answer:<nonce>``   string      what became of an action, for the command that waits for it; kept an hour
===================  ==========  ===========================================================================

Nothing here decides; it carries.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
from redis.asyncio import Redis

from alerting.policy import Clock
from schemas.names import Names
from stream.state.clock import other_clock, read_now
from stream.state.epochs import Epoch, Stored
from stream.state.lua import script

Outcome = Literal["stored", "fenced", "elsewhere"]
#: So many writes are put together on a thread: a few milliseconds of work.
MANY = 2_000
#: (name of the key within the owner's slot, command, arguments).
Write = tuple[str, str, tuple[str | bytes | int, ...]]


@dataclass(frozen=True, slots=True)
class Begun:
    """What a new owner finds: its epoch, the last turn stored, each input's offset, the records and the marks."""

    epoch: Epoch
    turn: int
    inputs: Mapping[str, Stored]
    records: Mapping[str, bytes]
    marks: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Turn:
    """Everything one turn changed; ``offsets`` are (start, next) by topic, for the inputs that it consumed."""

    epoch: Epoch
    number: int
    offsets: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    writes: Sequence[Write] = ()


class IncidentStore:
    """One Redis, one environment's incidents; ``clock`` is the one that they are decided by."""

    def __init__(self, redis: Redis, names: Names, *, clock: Clock = "live") -> None:
        self.redis, self.names, self._clock = redis, names, clock
        self._take = script(redis, "incidents", "take")
        self._place = script(redis, "incidents", "place")
        self._commit = script(redis, "incidents", "commit")

    async def take(self, *, topics: Iterable[str], owner: str) -> Begun:
        """A new epoch, and everything stored under it; ``topics`` are the inputs by their plain names.

        :raises ConfigError: what is stored goes by the other clock; nothing was changed.
        """
        token = secrets.token_hex(8)
        keys = [self.names.incidents(name) for name in ("owner", "records", "marks")]
        answer = await self._take(keys=keys, args=[token, owner, await self.now_ms(), self._clock])
        if not answer[0]:
            raise other_clock(self.names, answer[1].decode(), asked=self._clock)
        held, records, marks = (_pairs(flat) for flat in answer[1:])
        return Begun(
            Epoch(answer[0].decode(), token),
            int(held.get("turn", b"0")),
            {topic: _stored(held, topic) for topic in topics},
            records,
            {name: int(value) for name, value in marks.items()},
        )

    async def place(self, epoch: Epoch, *, offsets: Mapping[str, int], topic_ids: Mapping[str, str | None]) -> bool:
        """Record where each input is read from; False where the epoch is not the newest any more."""
        fields: list[str | int] = []
        for topic, offset in offsets.items():
            fields += [f"next:{topic}", offset]
        for topic, known in topic_ids.items():
            fields += [f"topic_id:{topic}", known] if known else []
        return bool(await self._place(keys=[self.names.incidents("owner")], args=[epoch.number, epoch.token, *fields]))

    async def commit(self, turn: Turn) -> Outcome:
        """Store a turn whole or not at all; safe to repeat."""
        many = len(turn.writes) > MANY
        keys, args = await asyncio.to_thread(_arguments, turn) if many else _arguments(turn)
        answer = await self._commit(keys=[self.names.incidents(*key.split(":", 1)) for key in keys], args=args)
        return _outcome(answer[0])

    async def holds(self, epoch: Epoch) -> bool:
        """Whether the epoch is still the newest: asked right before each request to a vendor."""
        return held_by(epoch, await self.redis.hmget(self.names.incidents("owner"), "epoch", "token"))

    async def now_ms(self) -> int:
        """Redis' clock, the one clock of all owners."""
        return await read_now(self.redis, self.names)

    async def outlived(self, *, most: int, older_than_ms: int) -> list[str]:
        """Ended incidents beyond the newest ``most``, and those that ended before a time."""
        key = self.names.incidents("ended")
        beyond = await self.redis.zrange(key, 0, -most - 1)
        old = await self.redis.zrangebyscore(key, "-inf", f"({older_than_ms}")
        return sorted({one.decode() for one in (*beyond, *old)})


def held_by(epoch: Epoch, stored: Sequence[bytes | str | None]) -> bool:
    """Whether the epoch and token that are stored are these."""
    return list(stored) == [epoch.number.encode(), epoch.token.encode()]


def _arguments(turn: Turn) -> tuple[list[str], list[Any]]:
    places = {"owner": 1}
    args: list[Any] = [turn.epoch.number, turn.epoch.token, turn.number, len(turn.offsets)]
    for topic, (start, end) in turn.offsets.items():
        args += [f"next:{topic}", start, end]
    commands: list[tuple[int, str, list[int]]] = []
    said: list[bytes] = []
    for key, command, arguments in turn.writes:
        texts = [one if isinstance(one, bytes) else str(one).encode() for one in arguments]
        commands.append((places.setdefault(key, len(places) + 1), command, [len(text) for text in texts]))
        said += texts
    return list(places), [*args, msgspec.msgpack.encode(commands), b"".join(said)]


def _stored(held: Mapping[str, bytes], topic: str) -> Stored:
    offset, known = held.get(f"next:{topic}"), held.get(f"topic_id:{topic}")
    return Stored(None if offset is None else int(offset), None, None, known.decode() if known else None, 0)


def _pairs(flat: Sequence[bytes]) -> dict[str, bytes]:
    return {name.decode(): value for name, value in zip(flat[::2], flat[1::2], strict=True)}


def _outcome(answer: bytes) -> Outcome:
    match answer:
        case b"stored" | b"again":
            return "stored"
        case b"fenced":
            return "fenced"
        case _:
            return "elsewhere"
