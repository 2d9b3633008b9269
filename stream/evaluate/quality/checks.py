"""Whether the data of a window is sound: every check of data quality that its counts can answer, as measures by place.  Pure.

All columns are looked at in one pass; measures are made only of those with something to say, so a check without a measure found
nothing.  A share of rows has its own name: of what the events hold but for ``unseen``, ``outside`` and ``range``, which are of
values.

* What was agreed needs one row: ``type``, ``range``.
* What was learned from the reference decides on predictions, where its panes teach it
  (:mod:`stream.evaluate.calibration.quality_limits`).
* ``constant`` and ``vanished`` are decided by chance: no less than one in a million.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from detectors.quality.limits import LEARNED, Learned
from detectors.quality.stillness import constant
from detectors.quality.verdict import BY_CHANCE
from schemas.reference import NumericProfile
from schemas.reports import Measure
from stream.evaluate.calibration.quality_limits import QualityLimits
from stream.evaluate.columns.measuring import Sizes
from stream.evaluate.columns.quality_cells import Cells
from stream.evaluate.columns.rules import LEAST_ROWS
from stream.evaluate.columns.yardstick import Yardstick
from stream.state.packing import Partial

Ints = NDArray[np.int64]
Measures = dict[int, dict[str, Measure]]

ROWS, VALUES = "share of rows", "share of values"
#: What each learned check's share is of, and its convention where there is a limit.
OF: dict[Learned, str] = {"missing": ROWS, "nonfinite": ROWS, "outside": VALUES, "unseen": VALUES}
LEARNED_BY: dict[Learned, str] = {
    "missing": "share of rows, beta-binomial", "nonfinite": "share of rows, beta-binomial",
    "outside": "share of values, beta-binomial", "unseen": "share of values, block Good-Turing",
}  # fmt: skip
LEAST = "share of values, at least"
#: Fewer rows than this are without a value where nearly every row holds one.
RARE = 0.1
CHANCE = "by chance 1e-6"


def quality_of(
    yardstick: Yardstick, cells: Cells, window: Partial, *, sizes: Sizes, limits: QualityLimits, panes: int, alone: bool
) -> Measures:
    """The measures of every place that has any.

    :param panes: in the window.
    :param alone: the columns are of a feature's own events, of which each holds one feature: none can vanish from a row.
    """
    values, missing = (np.array(each, dtype=np.int64) for each in (sizes.values, sizes.missing))
    rows = values + missing
    found: Measures = {}
    hits = {
        "missing": np.where(cells.features, missing, 0),
        "nonfinite": window.cells[cells.nonfinite].sum(axis=1),
        "outside": window.cells[cells.ends].sum(axis=1),
        "unseen": window.cells[cells.unseen],
    }
    for check in LEARNED:
        _learned(found, check, hits=hits[check], of=values if OF[check] == VALUES else rows, limits=limits)
    _wrong_types(found, window.cells[cells.wrong_type], rows)
    _ranges(found, cells, window, values=values)
    _constants(found, yardstick, cells, window=window, values=values, panes=panes)
    if not alone:
        _vanished(found, cells, values=values, rows=rows, limits=limits)
    return found


def _learned(found: Measures, check: Learned, *, hits: Ints, of: Ints, limits: QualityLimits) -> None:
    limit, expected = limits.limit[check], limits.expected[check]
    able = (hits > 0) & (of >= LEAST_ROWS)
    for at in np.flatnonzero(able & ~np.isnan(limit)).tolist():
        value, threshold = int(hits[at]) / int(of[at]), float(limit[at])
        found.setdefault(at, {})[check] = Measure(
            value, LEARNED_BY[check], expected=float(expected[at]), threshold=threshold, exceeded=value > threshold
        )
    if check != "missing":  # every column has its missing ratio
        for at in np.flatnonzero(able & np.isnan(limit)).tolist():
            found.setdefault(at, {})[check] = Measure(int(hits[at]) / int(of[at]), OF[check])


def _wrong_types(found: Measures, hits: Ints, rows: Ints) -> None:
    for at in np.flatnonzero(hits).tolist():
        measure = Measure(int(hits[at]) / int(rows[at]), ROWS, threshold=0.0, exceeded=True)
        found.setdefault(at, {})["type"] = measure


def _ranges(found: Measures, cells: Cells, window: Partial, *, values: Ints) -> None:
    """Whether a value is out of range is exact; how many are, no less than what lies in cells that are wholly outside."""
    if not len(cells.ranged):
        return
    at = cells.minimum[cells.ranged]
    below, above = window.extrema[at] < cells.low, window.extrema[at + 1] > cells.high
    least = np.maximum(window.cells[cells.out].sum(axis=1), below.astype(np.int64) + above)
    for number in np.flatnonzero(below | above).tolist():
        place = int(cells.ranged[number])
        measure = Measure(int(least[number]) / int(values[place]), LEAST, threshold=0.0, exceeded=True)
        found.setdefault(place, {})["range"] = measure


def _constants(
    found: Measures, yardstick: Yardstick, cells: Cells, *, window: Partial, values: Ints, panes: int
) -> None:
    """One value in a whole window that is longer than the feature may stand still."""
    able = cells.varies & (values >= LEAST_ROWS) & (panes > cells.still)
    low, high = (window.extrema[np.where(able, cells.minimum, 0) + side] for side in (0, 1))
    for at in np.flatnonzero(able & (low == high)).tolist():
        profile = yardstick.profiles[yardstick.places[at].held]
        if isinstance(profile, NumericProfile):
            said = constant(profile, int(values[at]), ends=(float(low[at]), float(low[at])))
            if said.fails:
                found.setdefault(at, {})["constant"] = Measure(
                    1.0, CHANCE, p_value=said.p, threshold=0.0, exceeded=True
                )


def _vanished(found: Measures, cells: Cells, *, values: Ints, rows: Ints, limits: QualityLimits) -> None:
    """No value at all, where that is no chance; it says all that the share of missing rows would."""
    # Where nothing is known of how they come together, only of a feature that nearly every row holds.
    together = np.where(
        np.isnan(limits.together), np.where(cells.absent < math.log(RARE), 1.0, np.inf), limits.together
    )
    chance = rows / together * cells.absent
    for at in np.flatnonzero((values == 0) & (chance < math.log(BY_CHANCE))).tolist():
        found[at] = {"vanished": Measure(1.0, ROWS, p_value=math.exp(chance[at]), threshold=0.0, exceeded=True)}
