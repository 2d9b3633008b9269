"""The verdict on a pair of columns: a p-value of the calibrated test, whatever the distances beside it say.

Two files of rows have no order: rows count as independent, on both sides.  Where their times are known, the reference's panes say
how far honest windows of the current rows' length wander.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from detectors.calibration.calibrate import Window, calibrate_named, calibrate_ordered
from detectors.calibration.independent import named_p_value, ordered_p_value
from detectors.calibration.judge import judge
from detectors.conventions.measure import EMPTY, state_of
from detectors.conventions.pair import CountedPair, NamesPair, NumericPair, Pair
from detectors.conventions.vectors import LEAST_ROWS, VectorsPair, squared_mmd
from detectors.profile import pane_matrix
from detectors.psi import decile_and_atom_edges, fold_to
from detectors.segments import Ints

State = Literal["ok", "drift", "not_enough_data", "no_traffic", "no_reference"]


@dataclass(frozen=True, slots=True)
class Decided:
    """The test's p-value; without one, ``state`` and ``reason`` say why. ``enough``: whether the p-value may decide."""

    p_value: float | None
    state: State
    reason: str = ""

    @property
    def enough(self) -> bool:
        return self.state == "ok"


def independent(pair: Pair) -> Decided:
    """The verdict where every row is independent of every other.

    >>> from detectors.conventions.pair import numeric_pair
    >>> independent(numeric_pair(np.arange(100.0), np.arange(100.0))).state
    'ok'
    >>> independent(numeric_pair(np.arange(3.0), np.arange(100.0))).state
    'not_enough_data'
    """
    state = state_of(pair, counts_missing=True)
    if state != "ok":
        return Decided(None, state, EMPTY[state])
    if isinstance(pair, VectorsPair):
        return _of_vectors(pair)
    return _told(_independent(pair), "a bin needs to expect five rows of both sides")


def in_order(pair: Pair, panes: int) -> Decided:
    """The verdict where the reference's rows are in panes and the current ones span so many of them.

    With fewer than twenty blocks of the reference the p-value is told and decides nothing.
    """
    state = state_of(pair, counts_missing=False)
    if state != "ok":
        return Decided(None, state, EMPTY[state])
    if isinstance(pair, VectorsPair):
        return Decided(
            squared_mmd(pair)[1], "not_enough_data", "its p-value takes rows as independent, and here they are in order"
        )
    window = Window(panes=panes, rows=pair.n_current)
    then, now = _panes(pair), _bins(pair, 1)
    calibration = (calibrate_named if isinstance(pair, NamesPair) else calibrate_ordered)(then, window)
    verdict = None if calibration is None else judge(calibration, now)
    if calibration is None or verdict is None:
        return Decided(
            None, "not_enough_data", "nothing is left to compare, or the reference has fewer than two blocks"
        )
    if not calibration.enough:
        return Decided(verdict.p, "not_enough_data", f"{calibration.scale.blocks} blocks of this length, fewer than 20")
    return Decided(verdict.p, "ok")


def _of_vectors(pair: VectorsPair) -> Decided:
    _, p_value = squared_mmd(pair)
    if min(map(len, pair.rows)) < LEAST_ROWS:
        return Decided(p_value, "not_enough_data", f"an embedding needs {LEAST_ROWS} rows on each side")
    return _told(p_value, "nothing varies")


def _independent(pair: CountedPair) -> float | None:
    then, now = _bins(pair, 0), _bins(pair, 1)
    p_value = named_p_value if isinstance(pair, NamesPair) else ordered_p_value
    return p_value(then, now, missing=pair.without_value)


def _told(p_value: float | None, reason: str) -> Decided:
    return Decided(None, "not_enough_data", reason) if p_value is None else Decided(p_value, "ok")


def _bins(pair: CountedPair, side: int) -> Ints:
    """One side's rows with a value: between deciles and atoms, or by name, unseen ones together."""
    if isinstance(pair, NumericPair):
        return _folded(pair, np.asarray((pair.profile.counts, pair.counts)[side]))
    now = [*pair.counts, pair.other, pair.unseen]
    return np.array([[*pair.profile.counts, pair.profile.other, 0], now][side], dtype=np.int64)


def _panes(pair: CountedPair) -> Ints:
    """The reference's panes over the same bins."""
    matrix = pane_matrix(pair.profile)
    if isinstance(pair, NumericPair):
        return _folded(pair, matrix[:, :-2])
    return np.column_stack([matrix[:, :-1], np.zeros(len(matrix), dtype=np.int64)])


def _folded(pair: NumericPair, counts: Ints) -> Ints:
    return fold_to(pair.profile.edges, decile_and_atom_edges(pair.profile), counts)
