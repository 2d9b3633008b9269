"""A health window: what both versions answered in some whole panes, as plain numbers.  Pure.

The router learns of a share some time after it was decided; what it sent before says nothing of the share.  So a window is counted
twice: whole, for harm is harm whoever was asked, and the part of it that is *settled*, in which the router could know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import msgspec
import numpy as np

from detectors.experiments.overlap import effect


class Sums(msgspec.Struct, frozen=True, array_like=True):
    """A measured quantity: how many values, their sum and their sum of squares."""

    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.n + other.n, self.total + other.total, self.squares + other.squares)

    @property
    def mean(self) -> float | None:
        """None of no value."""
        return self.total / self.n if self.n else None

    @classmethod
    def of_hits(cls, n: int, hits: int) -> Self:
        """Of 0 and 1.

        >>> Sums.of_hits(10, 9)
        Sums(n=10, total=9.0, squares=9.0)
        """
        return cls(n, float(hits), float(hits))


#: Of no value.
NOTHING = Sums()


@dataclass(frozen=True, slots=True)
class Arm:
    """What one version answered: ``slow`` of ``latencies`` took longer than the limit; ``scores`` counts score bins.

    ``ids`` is the sketch of the ids of ``with_id`` requests: two arms' inner product estimates which they share.
    """

    requests: int = 0
    errors: int = 0
    latencies: int = 0
    slow: int = 0
    p95_s: float | None = None
    latency: Sums = NOTHING
    rating: Sums = NOTHING
    scores: tuple[int, ...] = ()
    ids: tuple[int, ...] = ()
    with_id: int = 0

    @property
    def success(self) -> Sums:
        """Requests that were answered, as 0 and 1."""
        return Sums.of_hits(self.requests, self.requests - self.errors)

    @property
    def repeats(self) -> float:
        """How many of its requests count as one, because their ids come again."""
        return effect(np.array(self.ids), self.with_id) if self.ids else 1.0

    def repeats_among(self, n: int) -> float:
        """The same of ``n`` values: one of each request with an id, of fewer by chance, or of some without an id besides.

        >>> of = Arm(ids=(5, -5), with_id=10)
        >>> of.repeats_among(10), of.repeats_among(5), of.repeats_among(20), of.repeats_among(0)
        (5.0, 3.0, 3.0, 1.0)
        """
        if not n or not self.with_id:
            return 1.0
        return 1.0 + (self.repeats - 1.0) * min(n / self.with_id, self.with_id / n)


@dataclass(frozen=True, slots=True)
class Arms:
    """Both versions over the same panes."""

    champion: Arm = Arm()
    challenger: Arm = Arm()

    @property
    def requests(self) -> int:
        return self.champion.requests + self.challenger.requests

    @property
    def share(self) -> float | None:
        """Of the requests that either answered, those that the challenger did; None of none."""
        return self.challenger.requests / self.requests if self.requests else None

    @property
    def repeats(self) -> float:
        """How many requests count as one draw of the router, because it goes by ids and they come again."""
        one, other = self.champion, self.challenger
        if not one.ids or not other.ids:
            return 1.0
        return effect(np.array(one.ids) + np.array(other.ids), one.with_id + other.with_id)


@dataclass(frozen=True, slots=True)
class HealthWindow:
    """``[start_ms, end_ms)``; ``settled`` holds the panes from ``settled_ms`` on."""

    start_ms: int
    end_ms: int
    settled_ms: int
    whole: Arms
    settled: Arms
