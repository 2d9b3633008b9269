"""A reference's counts in the panes of a live stream, which may be longer than its own."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from schemas.reference import NumericProfile

Ints = NDArray[np.int64]


def pane_table(profile: NumericProfile, live_pane: Ints) -> Ints:
    """(live panes, bins) counts of values; a pane that the reference has no row of is a row of zeros.

    :param live_pane: the number of the live pane that each of the reference's panes is a part of; rising.
    """
    flat = np.fromiter(itertools.chain.from_iterable(profile.pane_counts), dtype=np.int64)
    pairs = np.fromiter(map(len, profile.pane_counts), dtype=np.int64) // 2
    column, count = flat[0::2], flat[1::2]
    valued = column < len(profile.counts)
    width, panes = len(profile.counts), int(live_pane[-1] - live_pane[0]) + 1
    cell = np.repeat(live_pane - live_pane[0], pairs)[valued] * width + column[valued]
    found: Ints = np.bincount(cell, weights=count[valued], minlength=panes * width).astype(np.int64)
    return found.reshape(panes, width)
