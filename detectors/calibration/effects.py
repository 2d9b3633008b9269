"""Design effects: the variance of a window's shares around the reference's, component by component.

Of independent rows each component has variance 1/n + 1/M.  Rows of a stream are not independent, and a component's *effect* says
how much more it wanders: ``size`` for a block, and with it the autocorrelation of blocks, for what lies beyond a block.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.calibration.correlation import inflation

Floats = NDArray[np.float64]

_LEAST_FREE = 0.1


@dataclass(frozen=True, slots=True)
class Effects:
    """Of each component: its design effect, and how much correlation adds in the window and in the reference.

    :param size: mean square of a block's whitened residual, freed of what the reference's own mean took from it.
    :param freedom: degrees of freedom with which ``size`` is known.
    """

    size: Floats
    freedom: Floats
    in_window: Floats
    in_reference: Floats


@dataclass(frozen=True, slots=True)
class Scale:
    """Rows in the reference and in a mean block of it, and blocks in the reference and in a window."""

    rows: float
    block_rows: float
    blocks: int
    window_blocks: float


def effects_of(size: Floats, phi: Floats, scale: Scale) -> Effects:
    """Effects from the mean squares of blocks and their autocorrelations."""
    in_reference = inflation(phi, scale.blocks)
    return Effects(
        size=size / np.maximum(1.0 - in_reference / scale.blocks, _LEAST_FREE),
        freedom=(scale.blocks - 1) * (1.0 - phi) / (1.0 + phi),
        in_window=inflation(phi, scale.window_blocks),
        in_reference=in_reference,
    )
