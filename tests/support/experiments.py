"""Simulated experiments, thousands at once: what two arms count day by day, and who would have been promoted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Draw = Callable[[np.random.Generator, int], Floats]

DAYS = 30
#: Days of a canary's stages: six each.
STAGES = np.repeat([0.05, 0.1, 0.25, 0.5, 0.5], DAYS // 5)

#: A measured quantity by name: how many values of it are drawn.
QUANTITIES: dict[str, Draw] = {
    "normal": lambda rng, n: rng.normal(1.0, 1.0, n),
    "rating 1 to 5": lambda rng, n: rng.choice([1.0, 2.0, 3.0, 4.0, 5.0], p=[0.05, 0.05, 0.1, 0.3, 0.5], size=n),
    "latency, log-normal σ .5": lambda rng, n: rng.lognormal(0.0, 0.5, n),
    "latency, log-normal σ 1": lambda rng, n: rng.lognormal(0.0, 1.0, n),
    "latency, log-normal σ 1.5": lambda rng, n: rng.lognormal(0.0, 1.5, n),
    "0 or 1, .001": lambda rng, n: (rng.random(n) < 0.001).astype(np.float64),
}


@dataclass(frozen=True, eq=False)
class Arms:
    """(experiments, looks) arrays of both arms, cumulative; a quantity has squares, a rate none."""

    champion: tuple[Floats, ...]
    challenger: tuple[Floats, ...]

    @property
    def differences(self) -> Floats:
        """Challenger's mean minus champion's at each look."""
        (n1, h1, *_), (n2, h2, *_) = self.champion, self.challenger
        return h2 / np.maximum(n2, 1.0) - h1 / np.maximum(n1, 1.0)


def daily_rows(rng: np.random.Generator, experiments: int, *, share: float | Floats, rows: float) -> tuple[Ints, Ints]:
    """(champion, challenger) rows of each day: days differ by a factor of some e^.5, and each row is routed by a coin."""
    day = np.maximum(1, rng.poisson(rows * rng.lognormal(0.0, 0.5, (experiments, DAYS))))
    challenger = rng.binomial(day, share)
    return day - challenger, challenger


def rates(rng: np.random.Generator, rows: tuple[Ints, Ints], *, chances: tuple[float | Floats, float | Floats]) -> Arms:
    """Both arms' (n, hits) up to each day."""
    one, other = ((n, rng.binomial(n, p)) for n, p in zip(rows, chances, strict=True))
    return Arms(tuple(map(_cumulated, one)), tuple(map(_cumulated, other)))


def quantities(rng: np.random.Generator, experiments: int, *, draw: Draw, share: float, rows: int = 1_000) -> Arms:
    """Both arms' (n, total, squares) up to each day.

    Days are sums of groups of ten values out of 40 000 groups, drawn anew: as independent as matters, and a hundred times as fast.
    """
    groups = draw(rng, 400_000).reshape(-1, 10)
    sums, squares = groups.sum(axis=1), np.square(groups).sum(axis=1)

    def arm(number: int) -> tuple[Floats, Floats, Floats]:
        n, total, square = np.zeros((3, experiments, DAYS))
        for day in range(DAYS):
            chosen = rng.integers(0, len(sums), (experiments, number))
            n[:, day], total[:, day], square[:, day] = (
                10 * number,
                sums[chosen].sum(axis=1),
                squares[chosen].sum(axis=1),
            )
        return _cumulated(n), _cumulated(total), _cumulated(square)

    return Arms(arm(round(rows * (1.0 - share) / 10)), arm(max(1, round(rows * share / 10))))


@dataclass(frozen=True, eq=False)
class Sticky:
    """``arms`` of ids that stay in their arm and come again, and (experiments, looks) rows that count as one in each."""

    arms: Arms
    effects: tuple[Floats, Floats]


def sticky(rng: np.random.Generator, experiments: int, *, ids: tuple[int, int], rate: float, alike: float) -> Sticky:
    """Ids that come ten times a month on average; ``alike``: correlation of two rows of one id."""
    one, other = (_sticky_arm(rng, experiments, ids=number, rate=rate, alike=alike) for number in ids)
    return Sticky(Arms(one[:2], other[:2]), (one[2], other[2]))


def _sticky_arm(
    rng: np.random.Generator, experiments: int, *, ids: int, rate: float, alike: float
) -> tuple[Floats, Floats, Floats]:
    n, hits, effect = np.zeros((3, experiments, DAYS))
    worth = (1.0 - alike) / alike
    for at in range(experiments):
        rows = rng.poisson(10.0 / DAYS, (ids, DAYS))
        chance = rng.beta(worth * rate, worth * (1.0 - rate), (ids, 1))
        total = rows.cumsum(axis=1)
        n[at], hits[at] = total.sum(axis=0), rng.binomial(rows, chance).cumsum(axis=1).sum(axis=0)
        effect[at] = np.square(total).sum(axis=0) / np.maximum(n[at], 1.0)
    return n, hits, np.maximum(effect, 1.0)


def _cumulated(daily: NDArray[np.generic]) -> Floats:
    return np.cumsum(daily, axis=-1, dtype=np.float64)
