"""The pooled test of the middle, source by source: made from the reference's panes, and what it says of a window.

Pure.  Like the calibrated tests it is made beside the event loop and kept (:attr:`Watched.pooled`); it depends on a window's name
and length alone.  A feature with too few values in the window says nothing in it.

A source's p-value is Bonferroni's: the least of its features', times how many there are, at most 1.  So is its limit: it has
the rate of one process, and each of F features an F-th of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.budget.limits import MARGIN
from detectors.budget.sliding import p_threshold
from detectors.calibration.calibrate import shares_of
from detectors.calibration.location import normal_scores
from detectors.calibration.pooled import Pooled, p_of_shifts, pooled
from detectors.segments import totals
from schemas.reports import Measure, Source
from stream.evaluate.calibration.budget_share import rate_of
from stream.evaluate.calibration.calibrated import bins_in, folded_panes, window_in
from stream.evaluate.calibration.pools import Pool, pools_of
from stream.evaluate.columns.rules import LEAST_ROWS, POOLED_RULE
from stream.evaluate.columns.watched import Watched

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CONVENTION = "pooled"


@dataclass(frozen=True, eq=False, slots=True)
class PooledTest:
    """The test of one pool.  ``bins``: its features' folded bins in the yardstick, behind one another, each from its ``starts`` on.

    ``scores``: of the bins; ``limit``: for the source's p-value, where the budget decides by it.
    """

    pool: Pool
    test: Pooled
    bins: Ints
    starts: Ints
    scores: Floats
    limit: float | None


def known_pooled(watched: Watched, window: str, length_ms: int) -> tuple[PooledTest, ...]:
    """The tests of the window's pools, made where they are not known yet."""
    known: tuple[PooledTest, ...] | None = watched.pooled.get((window, length_ms))
    if known is None:
        made = (_made(watched, pool, length_ms) for pool in pools_of(watched, window, length_ms))
        known = watched.pooled[window, length_ms] = tuple(one for one in made if one is not None)
    return known


def sources_of(tests: tuple[PooledTest, ...], folded: Ints) -> dict[str, Source]:
    """What each test says of a window, by source; ``folded``: its counts in the yardstick's folded bins."""
    return {one.pool.source: found for one in tests if (found := _source(one, folded[one.bins])) is not None}


def _source(made: PooledTest, counts: Ints) -> Source | None:
    rows = totals(counts, made.starts).astype(np.float64)
    means = totals(counts * made.scores, made.starts) / np.maximum(rows, 1.0)
    shifts = means - made.test.middle
    three = zip(made.pool.places, shifts.tolist(), p_of_shifts(made.test, shifts, rows).tolist(), strict=True)
    said = {
        place.name: Measure(shift, CONVENTION, p_value=p)
        for (place, shift, p), n in zip(three, rows.tolist(), strict=True)
        if n >= LEAST_ROWS
    }
    if not said:
        return None
    strongest, least = min(((name, one.p_value or 0.0) for name, one in said.items()), key=lambda one: one[1])
    p, limit = min(1.0, least * len(said)), made.limit if made.test.enough else None
    exceeded = limit is not None and p < limit
    return Source(
        state="drift" if exceeded else "ok" if made.test.enough else "not_enough_data",
        feature=strongest,
        features=said,
        measures={POOLED_RULE: Measure(p, CONVENTION, p_value=p, threshold=limit, exceeded=exceeded)},
    )


def _made(watched: Watched, pool: Pool, length_ms: int) -> PooledTest | None:
    pane_ms = watched.reference.pane_ms
    if pane_ms is None or length_ms % pane_ms:
        return None
    panes = [folded_panes(watched, place) for place in pool.places]
    scores = [_scores(one.sum(axis=0)) for one in panes]
    # Rows do not fold a pool's bins: a window of any size has the same test.
    window = window_in(length_ms, pane_ms, 1.0)
    sums = [one @ score for one, score in zip(panes, scores, strict=True)]
    test = pooled(sums, [one.sum(axis=1).astype(np.float64) for one in panes], window)
    if test is None:
        return None
    sizes = [len(score) for score in scores]
    return PooledTest(
        pool=pool,
        test=test,
        bins=np.concatenate([bins_in(watched, place) for place in pool.places]),
        starts=np.cumsum([0, *sizes[:-1]]),
        scores=np.concatenate(scores),
        limit=_limit(watched, pool, length_ms),
    )


def _scores(counts: Ints) -> Floats:
    return normal_scores(shares_of(counts.astype(np.float64)))


def _limit(watched: Watched, pool: Pool, length_ms: int) -> float | None:
    """What the budget allows, where it decides about the source."""
    if not pool.decides:
        return None
    members, step_ms = len(pool.places), watched.monitor.step_ms
    each = p_threshold(
        MARGIN * rate_of(watched, every_ms=step_ms) / members, judgements=max(1.0, length_ms / step_ms), freedom=1.0
    )
    return min(1.0, members * each)
