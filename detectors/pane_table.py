"""A reference's counts in the panes of a live stream, which may be longer than its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.sparse_panes import sparse_panes
from schemas.reference import NumericProfile

Ints = NDArray[np.int64]


def pane_table(profile: NumericProfile, live_pane: Ints) -> Ints:
    """(live panes, bins) counts of values; a pane that the reference has no row of is a row of zeros.

    :param live_pane: the number of the live pane that each of the reference's panes is a part of; rising.
    """
    rows, width, panes = sparse_panes(profile), len(profile.counts), int(live_pane[-1] - live_pane[0]) + 1
    valued = rows.column < width
    cell = (live_pane - live_pane[0])[rows.pane[valued]] * width + rows.column[valued]
    found: Ints = np.bincount(cell, weights=rows.count[valued], minlength=panes * width).astype(np.int64)
    return found.reshape(panes, width)
