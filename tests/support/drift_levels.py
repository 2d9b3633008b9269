"""How often the drift test alarms on streams of which the truth is known: the level, and the power, of a cell of the table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.calibration.calibrate import Window, calibrate_named, calibrate_ordered
from detectors.calibration.judge import judge_all
from tests.support.simulated import Floats, Kind, edges_for, normal_rows, pane_counts

PANE_ROWS, REFERENCE_ROWS = 20, 20_000


@dataclass(frozen=True, slots=True)
class Cell:
    """A kind of column, rows in a window, correlation of rows, and by how many sd the windows' rows are shifted."""

    kind: Kind
    rows: int
    phi: float
    shift: float = 0.0


def p_values(cell: Cell, *, seed: int, references: int, windows: int) -> Floats:
    """(references, windows) p-values of windows that never met their reference."""
    random = np.random.default_rng(seed)
    return np.array([_of_one_reference(cell, random, windows) for _ in range(references)])


def _of_one_reference(cell: Cell, random: np.random.Generator, windows: int) -> list[float]:
    reference = cell.kind.of_normal(normal_rows(random, (1, REFERENCE_ROWS), phi=cell.phi)[0])
    edges = edges_for(cell.kind, reference)
    counts = pane_counts(reference, edges, pane_rows=PANE_ROWS)
    calibrate = calibrate_ordered if cell.kind.ordered else calibrate_named
    test = calibrate(counts, Window(cell.rows // PANE_ROWS, cell.rows))
    assert test is not None
    assert test.enough
    rows = cell.kind.of_normal(normal_rows(random, (windows, cell.rows), phi=cell.phi) + cell.shift)
    live = pane_counts(rows.ravel(), edges, pane_rows=cell.rows)
    found = [one.p for one in judge_all((test, window) for window in live) if one is not None]
    assert len(found) == windows
    return found
