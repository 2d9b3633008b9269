"""Signed buckets of ids that stick to an arm, or leak: what a hash without a pattern makes of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

BUCKETS = 1_024


def sketched(rng: np.random.Generator, rows: Ints, *, buckets: int = BUCKETS) -> Ints:
    """An arm's vector of ids of its own, from each id's rows."""
    return _vector(rows, _cells(rng, len(rows), buckets), buckets=buckets)


def leaking_arms(
    rng: np.random.Generator, *, share: float, leak: float, ids: int = 4_000, buckets: int = BUCKETS
) -> tuple[tuple[Ints, Ints], tuple[int, int]]:
    """Both arms' vectors and rows: an id comes five times on average; a part of them is routed by a coin at each row."""
    rows = rng.poisson(5.0, ids)
    other = np.where(rng.random(ids) < leak, rng.binomial(rows, share), rows * (rng.random(ids) < share))
    cells = _cells(rng, ids, buckets)
    u, v = (_vector(of_arm, cells, buckets=buckets) for of_arm in (rows - other, other))
    return (u, v), (int((rows - other).sum()), int(other.sum()))


def _cells(rng: np.random.Generator, ids: int, buckets: int) -> tuple[Ints, Ints]:
    return rng.integers(0, buckets, ids), rng.choice([-1, 1], ids)


def _vector(rows: Ints, cells: tuple[Ints, Ints], *, buckets: int) -> Ints:
    bucket, sign = cells
    return np.rint(np.bincount(bucket, weights=sign * rows, minlength=buckets)).astype(np.int64)
