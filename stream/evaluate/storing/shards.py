"""Which models are evaluated together, and which worker should have how many of them.  Pure.

Models fall into 64 shards by a hash of their name; a shard is leased as a whole.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection

SHARDS = 64


def shard_of(model: str) -> int:
    """The shard of a model, the same in every process and release.

    >>> shard_of("flight-delay")
    55
    """
    return zlib.crc32(model.encode()) % SHARDS


def fair_share(workers: int) -> int:
    """The most shards one of so many workers holds.

    >>> [fair_share(workers) for workers in (1, 2, 3, 100)]
    [64, 32, 22, 1]
    """
    return math.ceil(SHARDS / max(1, workers))


def surplus(held: Collection[int], *, workers: int) -> list[int]:
    """What a worker that holds these shards gives back, the highest first."""
    return sorted(held, reverse=True)[: max(0, len(held) - fair_share(workers))]


def wanted(held: Collection[int], *, workers: int, worker: str) -> list[int]:
    """The shards to try for, in order, and no more than there is room for.

    Every worker begins elsewhere, so that they seldom ask for the same one.
    """
    first = zlib.crc32(worker.encode()) % SHARDS
    order = [(first + step) % SHARDS for step in range(SHARDS)]
    return [shard for shard in order if shard not in held] if len(held) < fair_share(workers) else []
