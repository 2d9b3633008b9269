"""How a model's mean score behaved while it was built: the mean, and the spread of the means of whole windows.

A window's mean is compared with ``baseline_mean`` in units of ``baseline_std``.  The spread of single scores would be the
wrong unit: means of windows of many events lie much closer together, and days differ more than chance alone would make them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import stdev

import numpy as np
import numpy.typing as npt

from schemas.reference import NumericProfile, Reference

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Baseline:
    """``std`` is None where the reference holds fewer than two whole windows with scores."""

    mean: float
    std: float | None


def baseline(reference: Reference, window_ms: int) -> Baseline | None:
    """The score's mean over the reference, and the standard deviation (divisor k - 1) of the means of its k whole windows.

    Windows are disjoint, begin at multiples of ``window_ms`` and hold every one of their panes.  A window's mean is taken from
    the counts of its panes over the bins, each bin standing for its middle: raw scores are not kept.  What that shifts
    every mean by drops out of the spread.  None where the reference has no score.
    """
    score = reference.score
    if score is None or score.mean is None:
        return None
    means = _window_means(reference, score, window_ms=window_ms)
    return Baseline(score.mean, stdev(means) if len(means) > 1 else None)


def _window_means(reference: Reference, score: NumericProfile, *, window_ms: int) -> list[float]:
    pane_ms, starts = reference.pane_ms, reference.pane_starts
    if not pane_ms or not starts or window_ms % pane_ms:
        return []
    counts = _counts(score)
    window_of = np.array(starts, np.int64) // window_ms
    sums = counts @ _middles(score)
    means = []
    for window in np.unique(window_of):
        within = window_of == window
        events = float(counts[within].sum())
        if within.sum() == window_ms // pane_ms and events:
            means.append(float(sums[within].sum()) / events)
    return means


def _counts(score: NumericProfile) -> Floats:
    """(panes × bins), without the columns for missing and non-finite."""
    rows: Sequence[tuple[int, ...]] = score.pane_counts
    lengths = np.fromiter((len(row) // 2 for row in rows), np.int64, len(rows))
    flat = np.fromiter(chain.from_iterable(rows), np.int64).reshape(-1, 2)
    found = np.zeros((len(rows), score.pane_columns))
    found[np.repeat(np.arange(len(rows)), lengths), flat[:, 0]] = flat[:, 1]
    return found[:, : len(score.counts)]


def _middles(score: NumericProfile) -> Floats:
    """The middle of each bin; the two open ones, empty in a reference, stand for the edge beside them."""
    edges = np.array(score.edges)
    return np.concatenate([edges[:1], (edges[:-1] + edges[1:]) / 2, edges[-1:]])
