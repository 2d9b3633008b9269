"""What a reference allows in a window of a feature: limits of shares that were learned from it, made once for many windows.

The reference is cut into the blocks of the calibrated test (:mod:`detectors.calibration.blocks`): how a share differs between
them says how many rows count as one, and its autocorrelation how much more a window of several blocks wanders.  Without twenty
blocks, or without panes in time order, nothing is learned: there is no limit that would hold its level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from detectors.calibration.blocks import LEAST_BLOCKS, block_length
from detectors.calibration.calibrate import Window
from detectors.calibration.correlation import believed, inflation, lag_one
from detectors.quality.shares import Share, design_effect, share_of
from detectors.quality.shares import limit_of as limit_of_share
from detectors.quality.unseen import Blocks, blocks_of, longest
from detectors.quality.unseen import limit_of as limit_of_unseen
from detectors.quality.verdict import LEVEL
from detectors.sparse_panes import SparsePanes, sparse_panes
from schemas.reference import CategoricalProfile, NumericProfile, Profile

Ints = NDArray[np.int64]

#: Checks whose limits are learned.
Learned = Literal["missing", "nonfinite", "outside", "unseen"]
LEARNED: tuple[Learned, ...] = get_args(Learned)


@dataclass(frozen=True, slots=True)
class Limit:
    """Above ``limit`` a share is unlike the reference; ``expected``: with nothing wrong; ``effect`` rows count as one."""

    limit: float
    expected: float
    effect: float = 1.0


@dataclass(frozen=True, eq=False, slots=True)
class _Blocks:
    """A profile's pane rows, to be cut into blocks of ``length`` panes; a window is so many ``blocks``."""

    profile: Profile
    rows: SparsePanes
    length: int
    blocks: float

    @property
    def filled(self) -> int:
        return int(np.count_nonzero(self.rows.block_hits((), length=self.length)[1]))

    def share(self, *columns: int) -> Share:
        """The reference's share of rows in some columns, with as many rows to one as such windows need."""
        hits, rows = self.rows.block_hits(columns, length=self.length)
        effect = design_effect(hits, rows) * _wandering(hits, rows, self.blocks)
        return share_of(int(hits.sum()), self.profile.rows, effect=effect)


def learned_limits(profile: Profile, window: Window, *, level: float = LEVEL) -> dict[Learned, Limit]:
    """The limits of a feature's learned checks; none where the reference shows too few blocks, or the window is empty.

    :param level: the chance that a window like the reference passes one of them.
    """
    rows = int(window.rows)
    values = int(rows * sum(profile.counts) / profile.rows) if profile.rows else 0
    if not profile.pane_counts or not values:
        return {}
    length = block_length(len(profile.pane_counts), window.panes, day=window.day)
    blocks = _Blocks(profile, sparse_panes(profile), length, window.panes / length)
    if blocks.filled < LEAST_BLOCKS:
        return {}
    if isinstance(profile, CategoricalProfile):
        return _of_names(profile, blocks, window, level=level)
    return _of_numbers(profile, blocks, rows=rows, values=values, level=level)


def _of_numbers(
    profile: NumericProfile, blocks: _Blocks, *, rows: int, values: int, level: float
) -> dict[Learned, Limit]:
    missing = len(profile.counts)
    # Of exchangeable rows the share beyond both ends of M is beta(2, M - 1); rows of the outermost bins show how they cluster.
    effect = blocks.share(1, missing - 2).effect
    beyond = Share(2.0, max(sum(profile.counts) / effect - 1.0, 1.0), effect)
    return {
        "missing": _limit(blocks.share(missing, missing + 1), rows, level),
        "nonfinite": _limit(blocks.share(missing + 1), rows, level),
        "outside": _limit(beyond, values, level),
    }


def _of_names(profile: CategoricalProfile, blocks: _Blocks, window: Window, *, level: float) -> dict[Learned, Limit]:
    rows = int(window.rows)
    found: dict[Learned, Limit] = {"missing": _limit(blocks.share(len(profile.counts) + 1), rows, level)}
    of, length = blocks_of(profile, blocks.length), longest(profile, window.panes)
    whole = blocks_of(profile, length) if length > blocks.length else None
    unseen = limit_of_unseen(of, window_blocks=max(blocks.blocks, 1.0), level=level, whole=whole)
    if unseen is None:
        return found
    limit = unseen.limit if level >= LEVEL else max(unseen.limit, _of_rows_alone(of, rows, level))
    # Where nobody counted which names the rest would list, as many rows again as hold a further one are allowed.
    further = 0 if profile.unlisted else profile.other
    unlisted = further / (sum(profile.counts) + profile.other)
    return found | {"unseen": Limit(min(1.0, limit + unlisted), unseen.mean + unlisted)}


def _of_rows_alone(blocks: Blocks, rows: int, level: float) -> float:
    """Far out a count of rare names is not normal, and of none at all has no sd: there the beta-binomial law is asked too."""
    alone, held = int(blocks.alone.sum()), int(blocks.rows.sum())
    share = share_of(alone, held, effect=design_effect(blocks.alone, blocks.rows))
    return limit_of_share(share, rows, level=level)


def _limit(share: Share, rows: int, level: float) -> Limit:
    return Limit(limit_of_share(share, rows, level=level), share.a / (share.a + share.b), share.effect)


def _wandering(hits: Ints, rows: Ints, blocks: float) -> float:
    """How much more the mean of so many successive blocks varies than that of independent ones, at least 1."""
    held, of = hits[rows > 0], rows[rows > 0]
    off = held - of * (held.sum() / of.sum())
    if blocks <= 1.0 or not off.any():
        return 1.0
    phi = believed(float(lag_one(off[:, None])[0]), len(of))
    return float(inflation(np.array([phi]), math.ceil(blocks))[0])
