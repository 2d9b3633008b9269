"""What the counts of some panes come to, worked out for all of them in a few passes of numpy: values, charts, what stands still.

Pure; for each pane to the last digit what it would come to alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.evaluate.columns.watched import Watched
from stream.state.packing import Partial

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Counted:
    """By pane: how many ``values`` each place has; ``x`` and ``rows`` of each charted column.

    ``still``: which of the features that may stand still hold no two values.
    """

    values: Ints
    x: Floats
    rows: Ints
    still: Bools


@dataclass(frozen=True, eq=False, slots=True)
class PaneCounts:
    """One pane, and its part of ``Counted.values`` and ``Counted.still``."""

    partial: Partial
    values: Ints
    still: Bools


def counted_of(watched: Watched, panes: Sequence[Partial]) -> Counted:
    """Of panes in the layout of what is watched; one at least."""
    width = len(panes[0].cells)
    cells = np.empty((len(panes), width + 1), np.int64)
    cells[:, width] = 0  # the last bound may be the end itself
    for row, pane in zip(cells, panes, strict=True):
        row[:width] = pane.cells
    x, rows = watched.charted.values(cells)
    return Counted(_values(watched, cells), x, rows, _still(watched, panes))


def _values(watched: Watched, cells: Ints) -> Ints:
    bounds = watched.yardstick.bounds
    found: Ints = np.add.reduceat(cells, bounds, axis=1)[:, 0::3] if len(bounds) else cells[:, :0]
    return found


def _still(watched: Watched, panes: Sequence[Partial]) -> Bools:
    """A feature without any value has a minimum above its maximum."""
    at = watched.quality.able
    if not len(at):
        return np.zeros((len(panes), 0), np.bool_)
    extrema = np.stack([pane.extrema for pane in panes])
    found: Bools = extrema[:, at] >= extrema[:, at + 1]
    return found
