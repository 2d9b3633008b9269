"""How each GPU is now, for people: its newest samples and what the rules say of them, those that need somebody first.

Read from Redis alone.  Now is Redis' clock, or in a replay the greatest event time of ``serving``: so what is said here may be
half a minute ahead of the findings, which wait for late samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from redis.asyncio import Redis

from alerting.titles import GPU_WORDS
from schemas.gpus import Sample
from schemas.monitored import GpuMonitor
from schemas.names import Names
from stream.evaluate.gpus.rules import gpu_verdicts
from stream.evaluate.verdicts.verdict import Verdict
from stream.state.clock import read_clock, read_now
from stream.state.generations import read
from stream.state.gpus import read_heard, read_newest
from stream.state.progress import greatest_clock, read_progress

#: An hour of a sample a minute.
SAMPLES = 60
GPUS_AT_ONCE = 5

State = Literal["lost", "firing", "silent", "ok"]
STATES: tuple[State, ...] = ("lost", "firing", "silent", "ok")


@dataclass(frozen=True, slots=True)
class GpuRow:
    """One GPU: ``samples`` are its newest, oldest first (one at least), ``says`` what is wrong in words."""

    name: str
    state: State
    says: tuple[str, ...]
    samples: Sequence[Sample]

    @property
    def newest(self) -> Sample:
        """Its newest sample."""
        return self.samples[-1]


@dataclass(frozen=True, slots=True)
class Gpus:
    """All that are known, as of ``now_ms``; ``limits`` are those in force."""

    now_ms: int
    limits: GpuMonitor
    rows: Sequence[GpuRow]


async def read_gpus(redis: Redis, names: Names) -> Gpus:
    """:raises StoreError: the stored configuration cannot be followed."""
    generation = await read(redis, names)
    limits = generation.gpus if generation is not None else GpuMonitor()
    heard, now_ms = await read_heard(redis, names), await _now(redis, names)
    known, rows = [one.name for one in heard], list[GpuRow]()
    for first in range(0, len(known), GPUS_AT_ONCE):
        some = known[first : first + GPUS_AT_ONCE]
        found = await read_newest(redis, names, some, most=SAMPLES)
        rows += [
            row_of(name, samples, limits, now_ms=now_ms) for name, samples in zip(some, found, strict=True) if samples
        ]
    return Gpus(now_ms, limits, sorted(rows, key=_order))


def row_of(name: str, samples: Sequence[Sample], limits: GpuMonitor, *, now_ms: int) -> GpuRow:
    """A GPU as it is at ``now_ms``."""
    newest = samples[-1]
    if now_ms - newest.timestamp > limits.silent_after_ms:
        return GpuRow(name, "silent", (), samples)
    firing = [one for one in gpu_verdicts(samples, limits, at_ms=now_ms) if isinstance(one, Verdict)]
    says = tuple(_words(one) for one in sorted(firing, key=lambda one: one.severity) if one.rule != "gpu_lost")
    if newest.metrics.get("available") == 0:
        return GpuRow(name, "lost", says, samples)
    return GpuRow(name, "firing" if firing else "ok", says, samples)


def _words(verdict: Verdict) -> str:
    cause = verdict.evidence.get("cause")
    return cause if isinstance(cause, str) else GPU_WORDS[verdict.rule]


def _order(row: GpuRow) -> tuple[int, str, int, str]:
    """What needs somebody first, then by host and place; GPU 10 behind GPU 9."""
    return STATES.index(row.state), row.newest.host, len(row.newest.gpu), row.newest.gpu


async def _now(redis: Redis, names: Names) -> int:
    if await read_clock(redis, names) == "event":
        serving = [one for one in await read_progress(redis, names) if one.stream == "serving"]
        return greatest_clock(serving) or 0
    return await read_now(redis, names)
