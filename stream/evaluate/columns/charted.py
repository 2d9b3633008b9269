"""Which columns have charts, and how a pane's counts become their values.

A chart's value is the pane's mean score (:mod:`detectors.charts.baseline`): how far the middle of a column moved, in long-run sd.
There is one where the reference has 20 panes in time order that make up the live ones; worked out once, so that a pane costs a
few passes of numpy over all columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.calibration.blocks import LEAST_BLOCKS
from detectors.charts.baseline import Baseline, baseline_of, deviation
from detectors.pane_table import pane_table
from schemas.reference import NumericProfile, Reference
from stream.evaluate.columns.yardstick import NOT_HELD, Place, Yardstick
from stream.state.layout import Layout

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: The rule of the chart of each slack; the second is for small shifts.
RULES = ("cusum", "cusum_small")
#: A value counts as at most so many sd, so that one broken pane cannot hold a chart up for days.
CUT = 10.0


@dataclass(frozen=True, eq=False, slots=True)
class Charted:
    """The charted columns, in the order of their places.

    numbers: of their places; ``index``: which of them a column is.
    cells: of all their values, behind one another; ``starts``: where each column begins; ``scores``: of each cell.
    middle, variance, thinness: of their baselines.
    """

    numbers: Ints
    index: Mapping[tuple[str, str], int]
    cells: Ints
    starts: Ints
    scores: Floats
    middle: Floats
    variance: Floats
    thinness: Floats
    baselines: tuple[Baseline, ...]

    def __len__(self) -> int:
        return len(self.numbers)

    def of(self, place: Place) -> int | None:
        """Which chart is the column's; None where it has none."""
        return self.index.get((place.room, place.name))

    def values(self, cells: Ints) -> tuple[Floats, Ints]:
        """Of (panes, cells): each pane's value of each column, cut (0 where it has none), and the rows that each rests on."""
        counts, shape = cells[:, self.cells], (len(cells), len(self))
        if not len(self):
            return np.zeros(shape), np.zeros(shape, np.int64)
        # Behind one another: the sums of scores are then made as those of one pane are.
        begins = (np.arange(0, counts.size, counts.shape[1])[:, None] + self.starts).ravel()
        rows = np.add.reduceat(counts.ravel(), begins).reshape(shape)
        score = np.add.reduceat((counts * self.scores).ravel(), begins).reshape(shape)
        found = deviation(score, rows, middle=self.middle, variance=self.variance, thinness=self.thinness)
        return np.minimum(np.maximum(found, -CUT), CUT), rows


def charted_of(yardstick: Yardstick, layout: Layout, reference: Reference) -> Charted:
    """What is charted of a layout, by the reference that it was made from."""
    found = list(_charted(yardstick, layout, reference))
    places = [yardstick.places[number] for number, _ in found]
    sizes = [place.bins for place in places]
    made = [made for _, made in found]
    return Charted(
        numbers=_ints(number for number, _ in found),
        index={(place.room, place.name): at for at, place in enumerate(places)},
        cells=np.concatenate([_ints(()), *(np.arange(place.first, place.first + place.bins) for place in places)]),
        starts=np.cumsum([0, *sizes[:-1]]) if sizes else _ints(()),
        scores=np.concatenate([np.zeros(0), *(each.scores for each in made)]),
        middle=np.array([each.middle for each in made]),
        variance=np.array([each.variance for each in made]),
        thinness=np.array([each.thinness for each in made]),
        baselines=tuple(made),
    )


def _charted(yardstick: Yardstick, layout: Layout, reference: Reference) -> Iterator[tuple[int, Baseline]]:
    """(number of the place, baseline) of each column that has a chart."""
    if layout.stream != "predictions" or not reference.pane_ms or layout.pane_ms % reference.pane_ms:
        return
    live_pane = np.asarray(reference.pane_starts, dtype=np.int64) // layout.pane_ms
    for number, place in enumerate(yardstick.places):
        profile = None if place.held == NOT_HELD else yardstick.profiles[place.held]
        if isinstance(profile, NumericProfile) and profile.pane_counts:
            found = baseline_of(pane_table(profile, live_pane))
            if found is not None and found.blocks >= LEAST_BLOCKS:
                yield number, found


def _ints(values: Iterator[int] | tuple[int, ...]) -> Ints:
    return np.fromiter(values, dtype=np.int64)
