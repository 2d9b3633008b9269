"""How many rows bear an id that came before: right on average, by chance as seldom as said, and merged by addition."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from detectors.quality.repeats import by_chance, duplicates, repeats

Ints = NDArray[np.int64]

BUCKETS = 4_096


def counts(ids: Ints) -> Ints:
    """Ids, which are numbers here, by bucket of a good hash."""
    bucket = np.random.default_rng(7).integers(0, BUCKETS, size=200_000)[ids]
    found: Ints = np.bincount(bucket, minlength=BUCKETS).astype(np.int64)
    return found


@pytest.mark.parametrize(
    ("rows", "again", "share"),
    [
        (1_000, 0, 0.0), (50_000, 0, 0.0),
        (1_000, 100, 100 / 1_100), (50_000, 5_000, 1 / 11), (50_000, 50_000, 0.5),
    ],
)  # fmt: skip
def test_the_share_of_rows_whose_id_came_before(rows: int, again: int, share: float) -> None:
    ids = np.concatenate([np.arange(rows), np.arange(again)])
    assert repeats(counts(ids)) == pytest.approx(share, abs=0.035)  # three standard errors


def test_one_id_that_comes_all_the_time_is_counted_row_by_row() -> None:
    ids = np.concatenate([np.arange(10_000), np.zeros(5_000, dtype=np.int64)])
    assert repeats(counts(ids)) == pytest.approx(1 / 3, abs=0.035)
    assert repeats([500] + [0] * (BUCKETS - 1)) == pytest.approx(499 / 500, abs=0.001)


@pytest.mark.parametrize("rows", [100, 1_000, 20_000])
def test_different_ids_seem_to_repeat_by_a_normal_error_and_hardly_ever_beyond_the_limit(rows: int) -> None:
    random = np.random.default_rng(rows)
    found = random.multinomial(rows, [1 / BUCKETS] * BUCKETS, size=300)
    over = np.array([repeats(one) for one in found])
    assert over.max() < by_chance(rows, BUCKETS)
    # Half of the errors are below zero and cut off: the mean of the others' squares is that of all.
    assert np.sqrt(2.0 * (over**2).mean()) == pytest.approx((2 * BUCKETS) ** -0.5, rel=0.25)


def test_a_promise_is_broken_beyond_chance() -> None:
    ids = np.concatenate([np.arange(20_000), np.arange(2_000)])
    broken, kept = (duplicates(counts(ids), allowed=allowed) for allowed in (0.01, 0.05))
    assert (broken.state, kept.state, broken.n) == ("drift", "ok", 22_000)
    assert broken.threshold == pytest.approx(0.01 + by_chance(22_000, BUCKETS) * 1.02)
    assert duplicates([1] * 99, allowed=0.0).state == "not_enough_data"
    assert duplicates([], allowed=0.0).state == "not_enough_data"


def test_counts_of_panes_add_up_to_those_of_the_window() -> None:
    ids = np.concatenate([np.arange(5_000), np.arange(1_000)])
    panes = [counts(part) for part in np.split(ids, 6)]  # the last one repeats the first
    assert max(map(repeats, panes)) < 0.035
    assert repeats(sum(panes, np.zeros(BUCKETS, dtype=np.int64))) == repeats(counts(ids))
    assert repeats(counts(ids)) == pytest.approx(1 / 6, abs=0.035)
