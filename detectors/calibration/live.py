"""A test calibrated from live panes, for a reference whose own panes cannot tell how honest windows wander.

A training file without time order still says what the shares are; how far a window of the stream may lie from them is asked of a
stretch of the stream itself.  What wanders is held against the stretch's own mean, so a stretch that lies off the reference by the
same amount throughout hides nothing.  A change *within* it would: it would pass for wandering.  So a stretch is `quiet` where its
halves agree.

Nobody knows how the reference's rows were drawn.  They are taken for as alike as the stream's: a file of one month wanders as the
stream does, and of rows drawn from years this asks for a little more than it must (decision 0022).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detectors.calibration.blocks import block_length, sums
from detectors.calibration.calibrate import (
    Calibration,
    Window,
    calibrate_named,
    calibrate_ordered,
    is_comparable,
    scale_of,
    shares_of,
)
from detectors.calibration.folding import folded, named_groups, ordered_groups
from detectors.calibration.judge import judge
from detectors.calibration.location import location_of, normal_scores
from detectors.calibration.omnibus import omnibus_of

Floats = NDArray[np.float64]

#: Halves of a stretch differ at a level of so much: one quiet stretch in a hundred is passed over for nothing.
LEVEL = 0.01


def calibrate_live(reference: ArrayLike, panes: ArrayLike, window: Window, *, ordered: bool) -> Calibration | None:
    """The test of a feature from the reference's (bins,) counts and the (panes, bins) counts of a stretch of the stream.

    None where nothing is left to compare: see `calibrate_ordered`.
    """
    whole = np.asarray(reference, dtype=np.float64)
    groups = (ordered_groups if ordered else named_groups)(shares_of(whole), window.rows)
    total, counts = folded(whole, groups), folded(panes, groups)
    scale, length = scale_of(counts, window)
    if not is_comparable(total, scale):
        return None
    shares = shares_of(total)
    around, scores = _around(counts, shares), normal_scores(shares) if ordered else None
    return Calibration(
        groups=groups,
        counts=total,
        shares=shares,
        scale=replace(scale, rows=float(total.sum())),
        omnibus=omnibus_of(around, shares, length=length, scale=scale),
        scores=scores,
        location=None if scores is None else location_of(around, scores, length=length, scale=scale),
    )


def is_quiet(panes: ArrayLike, window: Window, *, ordered: bool) -> bool:
    """Whether the halves of a stretch agree, as far as the blocks of its first half can tell."""
    counts = np.asarray(panes, dtype=np.float64)
    blocks = sums(counts, length := block_length(len(counts), window.panes, day=window.day), step=length)
    first, second = blocks[: len(blocks) // 2], blocks[len(blocks) // 2 :]
    calibrate = calibrate_ordered if ordered else calibrate_named
    return all(
        _agree(calibrate(one, Window(len(other), float(other.sum()))), other)
        for one, other in ((first, second), (second, first))
    )


def _agree(test: Calibration | None, other: Floats) -> bool:
    verdict = None if test is None else judge(test, other.sum(axis=0))
    return verdict is None or verdict.p >= LEVEL


def _around(counts: Floats, shares: Floats) -> Floats:
    """The panes moved so that their mean is the reference's shares, each by as much."""
    rows = counts.sum(axis=1, keepdims=True)
    moved: Floats = counts + rows * (shares - counts.sum(axis=0) / rows.sum())
    return moved
