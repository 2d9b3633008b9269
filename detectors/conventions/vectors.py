"""Columns of vectors on both sides, embeddings or many numeric columns as one: their MMD, and what it takes to say it.

A row with an entry that is no finite number is missing.  Each entry is standardised by the reference, so that none has a say
by its unit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.distances import mmd
from detectors.edges import Floats

#: Rows on each side from which on the p-value is as rare as it says; simulated for 1 to 384 entries a row.
LEAST_ROWS = 20
#: Farther than this many sd is as far: the kernel is 0 long before, and an angle must stay finite.
FARTHEST = 1e3


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """A column of vectors: (rows, entries), NaN throughout where a row has none."""

    rows: Floats

    @property
    def width(self) -> int:
        """Entries of a row; 0 where no row has a value."""
        return int(self.rows.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class VectorsPair:
    """rows: the rows of reference and current whose entries are all finite; missing: how many are not."""

    rows: tuple[Floats, Floats]
    missing: tuple[int, int]

    @property
    def n_reference(self) -> int:
        return len(self.rows[0])

    @property
    def n_current(self) -> int:
        return len(self.rows[1])

    @property
    def has_rows(self) -> bool:
        return True

    @property
    def without_value(self) -> tuple[int, int]:
        """Rows of each side without a finite vector."""
        return self.missing


def vectors_pair(reference: Vectors, current: Vectors) -> VectorsPair:
    """Both sides without their missing rows.

    >>> pair = vectors_pair(Vectors(np.array([[1.0, 2.0], [np.nan, np.nan]])), Vectors(np.array([[3.0, np.inf]])))
    >>> pair.n_reference, pair.n_current, pair.missing
    (1, 0, (1, 1))
    """
    sides = reference.rows, current.rows
    then, now = (side[np.isfinite(side).all(axis=1)] if side.shape[1] else side[:0] for side in sides)
    return VectorsPair((then, now), (len(sides[0]) - len(then), len(sides[1]) - len(now)))


def squared_mmd(pair: VectorsPair) -> tuple[float | None, float | None]:
    """MMD² by random Fourier features, without bias, and its p-value with rows independent; None below two rows on a side."""
    if min(map(len, pair.rows)) < 2:
        return None, None
    then, now = _standardised(pair)
    samples = mmd.sample(then), mmd.sample(now)
    return mmd.squared(*samples), mmd.p_value(*samples, rows=np.vstack([mmd.some(then), mmd.some(now)]))


def _standardised(pair: VectorsPair) -> tuple[Floats, Floats]:
    """By the reference's mean and sd; an entry that never varies there is held in its own unit."""
    # A power of two costs no digit and keeps the squares of values near either end of the floats what they are.
    _, exponent = np.frexp(np.abs(pair.rows[0]).max(axis=0))
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        then, now = (np.ldexp(side, -exponent) for side in pair.rows)
        center, scale = then.mean(axis=0), then.std(axis=0)
        scale = np.where(scale > 0.0, scale, np.ldexp(1.0, -exponent))
        sides = [np.clip((side - center) / scale, -FARTHEST, FARTHEST) for side in (then, now)]
    return np.nan_to_num(sides[0]), np.nan_to_num(sides[1])
