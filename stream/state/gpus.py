"""Samples of GPUs in Redis: of each GPU the newest one, and a history of one a minute for charts and rules.

A GPU's history is the newest sample of each minute, by event time and then by content, of its newest ``MINUTES``; the newest
sample of all is also a hash for people.  That is a function of the set of samples: whatever order they come in, and however
often, the same is stored.  So a sample may be written before the offset behind it is, and written again by a replay.

An index names the GPUs, by when they were last heard of.  It takes ``MOST`` and no more: a producer may make a name of anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from redis.asyncio import Redis

from schemas.gpus import METRICS, Sample
from schemas.names import Names
from stream.state.lua import called, script

MINUTE = 60_000
#: Minutes of a history.
MINUTES = 720
#: GPUs that are known at once.
MOST = 1024
#: By the wall clock, after the last write: what no index names any more is not kept for ever.
LIFE_MS = 30 * 86_400_000
#: Samples, or GPUs, in one round trip.
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Heard:
    """A GPU of the index: when it was last heard of (event time, ms), and its newest sample; None where that is gone."""

    name: str
    at_ms: int
    newest: Sample | None


class GpuStore:
    """Writes samples, and reads them back."""

    def __init__(self, redis: Redis, names: Names) -> None:
        self._redis, self._names = redis, names
        self._admit = script(redis, "state", "admit")
        self._sample = script(redis, "state", "sample")

    async def write(self, samples: Mapping[str, Sequence[Sample]]) -> set[str]:
        """Add samples, by the name of their GPU; the names that the index had no room for.  Safe to repeat."""
        names = list(samples)
        refused: set[str] = set()
        for first in range(0, len(names), AT_ONCE):
            some = names[first : first + AT_ONCE]
            newest = [max(sample.timestamp for sample in samples[name]) for name in some]
            pairs = [part for pair in zip(some, newest, strict=True) for part in pair]
            answer = await self._admit(keys=[self._names.gpus], args=[MOST, *pairs])
            refused |= {name for name, room in zip(some, answer, strict=True) if not room}
        for piece in _pieces({name: found for name, found in samples.items() if name not in refused}):
            await called(self._redis, self._sample, [self._arguments(*part) for part in piece])
        return refused

    def _arguments(self, name: str, samples: Sequence[Sample]) -> tuple[list[str], list[Any]]:
        written = [(sample.timestamp, sample.to_json(), sample) for sample in samples]
        _, newest, shown = max(written, key=lambda one: one[:2])
        fields = [part for pair in for_people(shown).items() for part in pair]
        documents = [part for at_ms, document, _ in written for part in (at_ms, document)]
        keys = [self._names.of_gpu(name, "history"), self._names.of_gpu(name, "sample")]
        return keys, [MINUTES, MINUTE, LIFE_MS, newest, len(fields), *fields, *documents]


def _pieces(samples: Mapping[str, Sequence[Sample]]) -> Iterator[list[tuple[str, Sequence[Sample]]]]:
    """What is written in one round trip, for packing it holds the event loop: a GPU with many samples is written in parts."""
    piece: list[tuple[str, Sequence[Sample]]] = []
    for name, found in samples.items():
        for first in range(0, len(found), AT_ONCE):
            part = found[first : first + AT_ONCE]
            if piece and sum(len(held) for _, held in piece) + len(part) > AT_ONCE:
                yield piece
                piece = []
            piece.append((name, part))
    if piece:
        yield piece


def for_people(sample: Sample) -> dict[str, str | int]:
    """The fields of the hash of a GPU's newest sample; a measure that was not taken has none.

    >>> for_people(Sample(timestamp=7, host="n7", gpu="0", metrics={"power_watts": 71.5, "memory_free_bytes": 85e9}))
    {'timestamp': 7, 'host': 'n7', 'gpu': '0', 'memory_free_bytes': '85000000000', 'power_watts': '71.5'}
    """
    said: dict[str, str | int | None] = {
        "timestamp": sample.timestamp, "host": sample.host, "gpu": sample.gpu, "uuid": sample.uuid,
    }  # fmt: skip
    found = {name: value for name, value in said.items() if value is not None}
    return found | {name: f"{sample.metrics[name]:.15g}" for name in METRICS if name in sample.metrics}


async def read_heard(redis: Redis, names: Names) -> list[Heard]:
    """Every GPU of the index by name, each with its newest sample."""
    index = cast("list[tuple[bytes, float]]", await redis.zrange(names.gpus, 0, -1, withscores=True))
    found: list[Heard] = []
    known = sorted((name.decode(errors="replace"), int(at_ms)) for name, at_ms in index)
    for first in range(0, len(known), AT_ONCE):
        some = known[first : first + AT_ONCE]
        pipe = redis.pipeline(transaction=False)
        for name, _ in some:
            pipe.zrange(names.of_gpu(name, "history"), -1, -1)
        answers = await pipe.execute()
        found += [Heard(name, at_ms, _first(stored)) for (name, at_ms), stored in zip(some, answers, strict=True)]
    return found


async def read_histories(
    redis: Redis, names: Names, gpus: Sequence[str], *, from_ms: int, to_ms: int
) -> list[list[Sample]]:
    """The samples of each of these GPUs in ``[from_ms, to_ms)`` and the one before, oldest first; damaged ones are left out."""
    pipe = redis.pipeline(transaction=False)
    for name in gpus:
        key = names.of_gpu(name, "history")
        pipe.zrevrangebyscore(key, f"({from_ms}", "-inf", start=0, num=1)
        pipe.zrangebyscore(key, from_ms, f"({to_ms}")
    answers = await pipe.execute()
    return [samples_of([*before, *within]) for before, within in zip(answers[::2], answers[1::2], strict=True)]


async def read_newest(redis: Redis, names: Names, gpus: Sequence[str], *, most: int) -> list[list[Sample]]:
    """The newest samples of each of these GPUs, oldest first; damaged ones are left out."""
    pipe = redis.pipeline(transaction=False)
    for name in gpus:
        pipe.zrange(names.of_gpu(name, "history"), -most, -1)
    return [samples_of(stored) for stored in await pipe.execute()]


async def read_earliest(redis: Redis, names: Names, gpus: Sequence[str]) -> int | None:
    """The time of the oldest sample that is kept of any of these; None without one."""
    pipe = redis.pipeline(transaction=False)
    for name in gpus:
        pipe.zrange(names.of_gpu(name, "history"), 0, 0, withscores=True)
    return min((int(at_ms) for found in await pipe.execute() for _, at_ms in found), default=None)


async def forget(redis: Redis, names: Names, gpus: Iterable[str]) -> None:
    """Forget GPUs: a sample that comes all the same makes one known again."""
    pipe = redis.pipeline(transaction=False)
    for name in gpus:
        pipe.zrem(names.gpus, name)
        pipe.delete(names.of_gpu(name, "history"))
        pipe.delete(names.of_gpu(name, "sample"))
    await pipe.execute()


def samples_of(stored: Iterable[bytes]) -> list[Sample]:
    """Stored samples; one that is damaged is left out."""
    found = []
    for document in stored:
        try:
            found.append(Sample.from_json(document))
        except msgspec.DecodeError:
            continue
    return found


def _first(stored: Sequence[bytes]) -> Sample | None:
    return next(iter(samples_of(stored)), None)
