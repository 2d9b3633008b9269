"""The tests of many features side by side, so that a window of all of them is judged in a few passes of numpy.

Folded bins lie behind one another, components are rows padded with zeros.  What a window is judged by does not depend on what is
stacked with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from detectors.calibration.calibrate import Calibration
from detectors.calibration.effects import Effects
from detectors.segments import spread, totals

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Variances:
    """What makes the variances of (tests, components) for windows of any rows; of a component that is padding all is 0."""

    size: Floats
    in_window: Floats
    in_reference: Floats
    there: Floats

    def of(self, rows: Floats, scale: Scales) -> Floats:
        """(tests, components) variances for windows of (tests,) rows.

        Right where more traffic only adds rows to the same panes, and where rows are correlated one with the next: the greater.
        """
        by_row = self.size / rows[:, None]
        by_pane = 1.0 / rows[:, None] + (self.size - 1.0) / scale.window_rows[:, None]
        of_window = self.in_window * np.maximum(by_row, by_pane)
        found: Floats = self.there * (of_window + self.size * self.in_reference / scale.rows[:, None])
        return found


@dataclass(frozen=True, eq=False, slots=True)
class Scales:
    """Of each test: rows of the reference, rows of a window as the reference had them, and degrees of freedom.

    ``freedom_of_scale`` is m, ``freedom_of_shape`` the most that the sum may have, ``freedom_of_shift`` Student's t's.
    """

    rows: Floats
    window_rows: Floats
    freedom_of_scale: Floats
    freedom_of_shape: Floats
    freedom_of_shift: Floats


@dataclass(frozen=True, eq=False, slots=True)
class Stacked:
    """``cell_of``: the folded bin of each bin of all tests; ``starts``: where a test's folded bins begin.

    ``share``: of the folded bins, as the statistic divides by; ``expected``: as it is compared with; ``score``: 0 without an
    order; ``ordered``: which tests have one.
    """

    cell_of: Ints
    starts: Ints
    share: Floats
    expected: Floats
    score: Floats
    ordered: NDArray[np.bool_]
    omnibus: Variances
    location: Variances
    scales: Scales

    def folded(self, counts: ArrayLike) -> Floats:
        """(folded bins,) counts of a window from its (bins,) of all tests."""
        weights = np.asarray(counts, dtype=np.float64)
        found: Floats = np.bincount(self.cell_of, weights=weights, minlength=len(self.share)).astype(np.float64)
        return found

    def away(self, window: Floats, rows: Floats) -> Floats:
        """(folded bins,) shares less the reference's; of a test without rows, 0."""
        found: Floats = window / spread(np.maximum(rows, 1.0), self.starts, len(window)) - self.expected
        return found

    def rows(self, window: Floats) -> Floats:
        """(tests,) rows of a window."""
        return totals(window, self.starts)

    @property
    def bins(self) -> Floats:
        """(tests,) folded bins."""
        found: Floats = np.diff(self.starts, append=len(self.share)).astype(np.float64)
        return found


def stacked(calibrations: Sequence[Calibration]) -> Stacked:
    """At least one calibration, in their order."""
    sizes = [len(one.shares) for one in calibrations]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    return Stacked(
        cell_of=np.concatenate([one.groups + start for one, start in zip(calibrations, starts, strict=True)]),
        starts=starts,
        share=np.concatenate([one.shares for one in calibrations]),
        expected=np.concatenate([one.counts / one.scale.rows for one in calibrations]),
        score=np.concatenate([np.zeros(len(o.shares)) if o.scores is None else o.scores for o in calibrations]),
        ordered=np.array([one.scores is not None for one in calibrations]),
        omnibus=_variances([one.omnibus.effects for one in calibrations]),
        location=_variances([one.location for one in calibrations]),
        scales=_scales(calibrations),
    )


def _variances(effects: Sequence[Effects | None]) -> Variances:
    return Variances(
        size=_padded(() if one is None else one.size for one in effects),
        in_window=_padded(() if one is None else one.in_window for one in effects),
        in_reference=_padded(() if one is None else one.in_reference for one in effects),
        there=_padded(() if one is None else np.ones_like(one.size) for one in effects),
    )


def _padded(rows: Iterable[ArrayLike]) -> Floats:
    arrays = [np.asarray(row, dtype=np.float64) for row in rows]
    table = np.zeros((len(arrays), max(1, *(len(one) for one in arrays), 1)))
    for at, one in enumerate(arrays):
        table[at, : len(one)] = one
    return table


def _scales(calibrations: Sequence[Calibration]) -> Scales:
    return Scales(
        rows=np.array([one.scale.rows for one in calibrations]),
        window_rows=np.array([one.scale.block_rows * max(one.scale.window_blocks, 1.0) for one in calibrations]),
        freedom_of_scale=np.array([one.omnibus.scale_freedom for one in calibrations]),
        freedom_of_shape=np.array([one.omnibus.shape_freedom for one in calibrations]),
        freedom_of_shift=np.array(
            [1.0 if one.location is None else max(1.0, float(one.location.freedom[0])) for one in calibrations]
        ),
    )
