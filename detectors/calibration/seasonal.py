"""The test of a window shorter than a week against the reference's rows of the same hours of the week.

A Sunday is no sample of the month but of its Sundays.  Held against the whole reference its rhythm is wander that an honest window
shows too, and hides whatever is less.  Here what a window is expected to hold are the reference's shares in its own hours of
the week, and what wanders is what is left when those are taken away.

The trick that leaves the rest of the calibration as it is: counts W of n rows in hours that are expected to hold the shares e
become n·p + (W - n·e)·√(p/max(e, p)), p the shares of the whole reference.  Such *flattened* counts lie about p with at most the
variance that independent rows have, whatever the hours.  The expectation rests on as many rows as the reference has in those
hours, not on all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detectors.calibration.blocks import LEAST_BLOCKS, sums
from detectors.calibration.calibrate import Calibration, Window, calibrate_flattened, shares_of
from detectors.calibration.folding import folded, named_groups, ordered_groups
from detectors.calibration.stacked import stacked
from detectors.seasonal import HOURS_A_WEEK

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Weeks that the reference holds at least.
LEAST_WEEKS = 4.0
#: The rhythm is worth its rows where windows wander so much less without it.
_WORTH = 0.8


@dataclass(frozen=True, eq=False, slots=True)
class Rhythm:
    """By the hour of the week in which a window begins: (168, folded bins) ``expected`` shares, and the ``weight`` of what is off.

    :param shares: (folded bins,) of the whole reference.
    """

    shares: Floats
    expected: Floats
    weight: Floats

    @property
    def distance(self) -> Floats:
        """(168,) squared distance of the expected shares from the whole reference's: what a PSI against it shows of the rhythm."""
        found: Floats = ((self.expected - self.shares) ** 2 / self.shares).sum(axis=1)
        return found

    def flattened(self, counts: Floats, begins: Ints) -> Floats:
        """(windows, folded bins) counts, each begun in an hour of the week, as if they were of the whole reference."""
        rows = counts.sum(axis=1, keepdims=True)
        found = rows * self.shares + (counts - rows * self.expected[begins]) * self.weight[begins]
        whole: Floats = found + (rows - found.sum(axis=1, keepdims=True)) * self.shares
        return whole


@dataclass(frozen=True, eq=False, slots=True)
class Seasonal:
    """The test of flattened counts, and the rhythm that flattens."""

    calibration: Calibration
    rhythm: Rhythm


def calibrate_seasonal(
    counts: ArrayLike, hours: Ints, window: Window, *, pane_hours: float, ordered: bool
) -> Seasonal | None:
    """The test from the reference's (panes, bins) counts; ``hours``: of the week, in which each pane begins.

    None where the window is a week or longer, the reference shorter than four weeks, or nothing is left to compare.
    """
    table = np.asarray(counts, dtype=np.float64)
    weeks, length = len(table) * pane_hours / HOURS_A_WEEK, round(window.panes * pane_hours)
    if weeks < LEAST_WEEKS or not 0 < length < HOURS_A_WEEK or len(table) // window.panes < LEAST_BLOCKS:
        return None
    groups = (ordered_groups if ordered else named_groups)(shares_of(table.sum(axis=0)), window.rows)
    panes = folded(table, groups)
    if panes.shape[1] < 2 or np.count_nonzero(panes.sum(axis=0)) < 2:
        return None
    rhythm = _rhythm(panes, hours, length=length)
    blocks = sums(panes, window.panes, step=window.panes)
    begins = hours[: len(blocks) * window.panes : window.panes]
    # The expectation of a block has the block itself in it.
    flat = _apart(rhythm.flattened(blocks, begins), rhythm.shares, by=np.sqrt(weeks / (weeks - 1.0)))
    made = calibrate_flattened(flat, window.rows, order=ordered)
    if made is None:
        return None
    share = length / HOURS_A_WEEK
    known = replace(made.scale, rows=made.scale.rows * share)
    return Seasonal(replace(made, groups=groups, counts=made.counts * share, scale=known), rhythm)


def is_worth_it(seasonal: Seasonal, plain: Calibration, rows: float) -> bool:
    """Whether windows of so many rows wander clearly less about their own hours than about the whole reference."""
    return _spread(seasonal.calibration, rows) < _WORTH * _spread(plain, rows)


def _spread(test: Calibration, rows: float) -> float:
    tests = stacked([test])
    return float(tests.omnibus.of(np.array([max(rows, 1.0)]), tests.scales).sum())


def _rhythm(panes: Floats, hours: Ints, *, length: int) -> Rhythm:
    weekly = np.zeros((HOURS_A_WEEK, panes.shape[1]))
    np.add.at(weekly, hours, panes)
    upto = np.concatenate([np.zeros((1, panes.shape[1])), np.cumsum(np.concatenate([weekly, weekly]), axis=0)])
    held, shares = upto[length : HOURS_A_WEEK + length] - upto[:HOURS_A_WEEK], shares_of(panes.sum(axis=0))
    prior = 0.5 * len(shares)
    expected = (held + prior * shares) / (held.sum(axis=1, keepdims=True) + prior)
    return Rhythm(shares, expected, np.sqrt(shares / np.maximum(expected, shares)))


def _apart(flat: Floats, shares: Floats, *, by: float) -> Floats:
    middle = flat.sum(axis=1, keepdims=True) * shares
    found: Floats = middle + (flat - middle) * by
    return found
