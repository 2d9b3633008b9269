"""From the pane counts of a reference, in time order, to a test of windows of a given length: how far do honest windows wander?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detectors.calibration.blocks import LEAST_BLOCKS, block_length, sums
from detectors.calibration.effects import Effects, Scale
from detectors.calibration.folding import folded, named_groups, ordered_groups
from detectors.calibration.location import location_of, normal_scores
from detectors.calibration.omnibus import Omnibus, omnibus_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """What windows are tested: so many panes, of at least so many rows; ``day``: panes in a day, where a day shows."""

    panes: int
    rows: float
    day: int | None = None


@dataclass(frozen=True, slots=True)
class Calibration:
    """The test of one feature for windows of one length.

    :param groups: the folded bin of each bin; ``shares`` and ``counts`` are of the folded bins.
    :param scores: of the folded bins of an ordered feature, with the effect on their mean; None without an order.
    """

    groups: Ints
    counts: Floats
    shares: Floats
    scale: Scale
    omnibus: Omnibus
    scores: Floats | None
    location: Effects | None

    @property
    def enough(self) -> bool:
        """Whether the reference has the twenty blocks without which the test may not decide."""
        return self.scale.blocks >= LEAST_BLOCKS


def calibrate_ordered(counts: ArrayLike, window: Window) -> Calibration | None:
    """The test of a numeric or ordinal feature from (panes, bins) counts; None where nothing is left to compare.

    That is: no row, one bin after folding, or fewer than two blocks with rows.
    """
    table = np.asarray(counts, dtype=np.float64)
    groups = ordered_groups(shares_of(table.sum(axis=0)), window.rows)
    return _calibrated(table, groups, window, order=True)


def calibrate_named(counts: ArrayLike, window: Window) -> Calibration | None:
    """The test of a categorical feature, whose bins have no order: the sum of squares alone."""
    table = np.asarray(counts, dtype=np.float64)
    groups = named_groups(shares_of(table.sum(axis=0)), window.rows)
    return _calibrated(table, groups, window, order=False)


def calibrate_flattened(blocks: ArrayLike, rows: float, *, order: bool) -> Calibration | None:
    """The test of windows as long as a block, from (blocks, bins) that are folded already and need not be whole rows."""
    table = np.asarray(blocks, dtype=np.float64)
    return _calibrated(table, np.arange(table.shape[1]), Window(1, rows), order=order)


@dataclass(frozen=True, slots=True)
class Blocked:
    """A reference in blocks: (panes, folded bins) counts, their sums and shares, and panes in a block."""

    groups: Ints
    counts: Floats
    total: Floats
    shares: Floats
    scale: Scale
    length: int


def blocked_ordered(counts: ArrayLike, window: Window) -> Blocked | None:
    """An ordered feature's reference in the blocks of a calibration, whose making costs most; None where it has none."""
    table = np.asarray(counts, dtype=np.float64)
    return _blocked(table, ordered_groups(shares_of(table.sum(axis=0)), window.rows), window)


def _blocked(table: Floats, groups: Ints, window: Window) -> Blocked | None:
    counts = folded(table, groups)
    total = counts.sum(axis=0)
    scale, length = scale_of(counts, window)
    if not is_comparable(total, scale):
        return None
    return Blocked(groups, counts, total, shares_of(total), scale, length)


def scale_of(counts: Floats, window: Window) -> tuple[Scale, int]:
    """(panes, bins) counts in blocks for such windows, and panes in a block."""
    length = block_length(len(counts), window.panes, day=window.day)
    rows, blocks = float(counts.sum()), int(np.count_nonzero(sums(counts, length, step=length).sum(axis=1)))
    return Scale(rows, rows * length / max(len(counts), 1), blocks, window.panes / length), length


def is_comparable(total: Floats, scale: Scale) -> bool:
    """Whether something is left to compare: two bins with rows, and two blocks to see them wander."""
    return bool(np.count_nonzero(total) > 1) and scale.blocks >= 2


def _calibrated(table: Floats, groups: Ints, window: Window, *, order: bool) -> Calibration | None:
    known = _blocked(table, groups, window)
    if known is None:
        return None
    scores = normal_scores(known.shares) if order else None
    return Calibration(
        groups=groups,
        counts=known.total,
        shares=known.shares,
        scale=known.scale,
        omnibus=omnibus_of(known.counts, known.shares, length=known.length, scale=known.scale),
        scores=scores,
        location=None if scores is None else location_of(known.counts, scores, length=known.length, scale=known.scale),
    )


def shares_of(total: Floats) -> Floats:
    """Shares with half a row added to each bin: none is 0."""
    found: Floats = (total + 0.5) / (total.sum() + 0.5 * len(total))
    return found
