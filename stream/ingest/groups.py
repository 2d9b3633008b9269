"""The rows of a block by the pane they are counted in: what has to be in memory before any of them is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stream.ingest.block import Block
from stream.state.layout import Layout

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class Groups:
    """Distinct (tenure, layout, pane) of a block, and for each row which of them it is in; ``layouts`` are by number."""

    layouts: Sequence[Layout]
    tenure: Ints
    layout: Ints
    pane: Ints
    of_row: Ints

    def __len__(self) -> int:
        return len(self.pane)


def groups_of(block: Block, layouts: Sequence[Layout]) -> Groups:
    """By one sort over a composite key."""
    if not len(block.row):
        return Groups(layouts, block.tenure, block.layout, block.pane, block.row)
    panes, pane_of = np.unique(block.pane, return_inverse=True)
    numbers = int(block.layout.max()) + 1
    composite = (block.tenure * numbers + block.layout) * len(panes) + pane_of
    _, first, of_row = np.unique(composite, return_index=True, return_inverse=True)
    return Groups(layouts, block.tenure[first], block.layout[first], block.pane[first], of_row)
