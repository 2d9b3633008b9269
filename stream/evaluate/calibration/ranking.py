"""The order of a report's features: by the rate of false discoveries at which each would be one.  Pure.

Twenty features have twenty p-values, one of which is below .05 by chance.  So a list of them is ranked by Benjamini's and
Yekutieli's q, and those are discoveries whose q is at most the ``fdr`` of the model's budget: of such a list that share is false in
the mean.  It ranks and marks; who is told is the budget's to say, as one list each hour would be many false ones a month.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from detectors.calibration.false_discovery import adjusted
from stream.evaluate.calibration.calibrated import Said
from stream.evaluate.columns.yardstick import Place


@dataclass(frozen=True, slots=True)
class Ranked:
    """q by held column, of features alone; those at most ``rate`` are discoveries (None: no budget says what is one)."""

    q: Mapping[int, float]
    rate: float | None

    def is_discovery(self, held: int) -> bool:
        """Whether a column is one."""
        found = self.q.get(held)
        return found is not None and self.rate is not None and found <= self.rate


def ranked(places: Iterable[Place], said: Mapping[int, Said], *, rate: float | None) -> Ranked:
    """The features of a window, of which the calibrated test says something."""
    p = {place.held: said[place.held].verdict.p for place in places if place.room == "features" and place.held in said}
    return Ranked(adjusted(p), rate)
