"""driftline: all columns counted in their fifty bins, the calibrated test and PSI of each, the reference's profile given.

Names come as Arrow text, as a reader of files gives them, and are counted inside the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import numpy as np
import pyarrow as pa

from detectors.bin_counts import Binning
from detectors.calibration.calibrate import Calibration, Window, calibrate_named, calibrate_ordered
from detectors.calibration.judge import judge_all
from detectors.profile import Coded, Panes, coded, pane_matrix, panes_of, profile_of
from detectors.psi import decile_and_atom_edges, driftline_categorical, driftline_numeric, fold_to
from schemas.reference import CategoricalProfile, NumericProfile, Profile

PANE_ROWS = 100


class Numeric:
    """A numeric column: its profile, its bins, and the calibrated test of them."""

    def __init__(self, profile: NumericProfile, window: Window) -> None:
        self._profile, self._binning, self._edges = profile, Binning(profile.edges), decile_and_atom_edges(profile)
        self.test = _there(calibrate_ordered(self._folded(pane_matrix(profile)[:, :-2]), window))

    def counted(self, values: Any) -> tuple[Any, float | None]:
        counts = self._binning.count(values).bins
        return self._folded(counts), driftline_numeric(self._profile, counts)

    def _folded(self, counts: Any) -> Any:
        return fold_to(self._profile.edges, self._edges, counts)


class Names:
    """A column of names: its profile, and the calibrated test of it."""

    def __init__(self, profile: CategoricalProfile, window: Window) -> None:
        self._profile, self._place = profile, {name: at for at, name in enumerate(profile.categories)}
        self.test = _there(calibrate_named(pane_matrix(profile)[:, :-1], window))

    def counted(self, names: Any) -> tuple[Any, float | None]:
        counts, found = np.zeros(len(self._place) + 1, np.int64), names.value_counts()
        for name, rows in zip(found.field(0).to_pylist(), found.field(1).to_pylist(), strict=True):
            counts[self._place.get(name, -1)] += rows
        return counts, driftline_categorical(self._profile, counts[:-1], unseen=int(counts[-1]))


def prepare() -> Callable[[], int]:
    timing = import_module("timing")
    reference, current = timing.read("reference"), timing.read("current")
    rows = len(next(iter(current.values())))
    window = Window(rows // PANE_ROWS, rows)
    panes = panes_of(np.arange(rows), pane_ms=PANE_ROWS)
    columns = {name: _column(_profile(column, panes), window) for name, column in reference.items()}
    given = {name: pa.array(one.tolist()) if one.dtype.kind == "U" else one for name, one in current.items()}
    return lambda: len(list(_compared(columns, given)))


def _compared(columns: dict[str, Numeric | Names], current: dict[str, Any]) -> Iterator[tuple[str, float, float]]:
    counted = {name: column.counted(current[name]) for name, column in columns.items()}
    verdicts = judge_all([(column.test, counted[name][0]) for name, column in columns.items()])
    for name, verdict in zip(columns, verdicts, strict=True):
        psi = counted[name][1]
        assert verdict is not None
        assert psi is not None
        yield name, verdict.p, psi


def _column(profile: Profile, window: Window) -> Numeric | Names:
    return Numeric(profile, window) if isinstance(profile, NumericProfile) else Names(profile, window)


def _profile(column: Any, panes: Panes) -> Profile:
    found: Coded | Any = coded(column.tolist()) if column.dtype.kind == "U" else column
    return profile_of(found, panes)


def _there(test: Calibration | None) -> Calibration:
    assert test is not None
    return test


if __name__ == "__main__":
    import_module("timing").measure(prepare)
