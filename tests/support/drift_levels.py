"""How often the drift test alarms on streams of which the truth is known: the level, and the power, of a cell of the table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.calibration.calibrate import Window, calibrate_named, calibrate_ordered
from detectors.calibration.judge import judge_all
from tests.support.simulated import Floats, Kind, edges_for, normal_rows, pane_counts

PANE_ROWS, REFERENCE_ROWS = 20, 20_000
#: Share of the variance that is of panes, where panes wander.
PANES_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Cell:
    """A kind of column, rows in a window, correlation of rows, and by how many sd the windows' rows are shifted.

    :param panes_phi: where not None, panes wander too: a tenth of the variance is theirs (intraclass correlation), and they are
        correlated so one with the next.
    """

    kind: Kind
    rows: int
    phi: float
    shift: float = 0.0
    panes_phi: float | None = None


def p_values(cell: Cell, *, seed: int, references: int, windows: int) -> Floats:
    """(references, windows) p-values of windows that never met their reference."""
    random = np.random.default_rng(seed)
    return np.array([_of_one_reference(cell, random, windows) for _ in range(references)])


def _of_one_reference(cell: Cell, random: np.random.Generator, windows: int) -> list[float]:
    reference = cell.kind.of_normal(_rows(cell, random, (1, REFERENCE_ROWS))[0])
    edges = edges_for(cell.kind, reference)
    counts = pane_counts(reference, edges, pane_rows=PANE_ROWS)
    calibrate = calibrate_ordered if cell.kind.ordered else calibrate_named
    test = calibrate(counts, Window(cell.rows // PANE_ROWS, cell.rows))
    assert test is not None
    assert test.enough
    rows = cell.kind.of_normal(_rows(cell, random, (windows, cell.rows)) + cell.shift)
    live = pane_counts(rows.ravel(), edges, pane_rows=cell.rows)
    found = [one.p for one in judge_all([(test, window) for window in live]) if one is not None]
    assert len(found) == windows
    return found


def _rows(cell: Cell, random: np.random.Generator, shape: tuple[int, int]) -> Floats:
    rows = normal_rows(random, shape, phi=cell.phi)
    if cell.panes_phi is None:
        return rows
    panes = normal_rows(random, (shape[0], shape[1] // PANE_ROWS), phi=cell.panes_phi)
    found: Floats = np.sqrt(1.0 - PANES_SHARE) * rows + np.sqrt(PANES_SHARE) * np.repeat(panes, PANE_ROWS, axis=1)
    return found
