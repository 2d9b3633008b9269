"""Ids in both arms from two vectors: the size of the leak, an alarm that keeps its rate whatever the ids, and how rows repeat."""

from __future__ import annotations

import math

import numpy as np
import pytest

from detectors.experiments.overlap import FALSE_ALARM, by_chance, effect, overlap
from stream.ingest.codes import scattered
from tests.support.sketches import leaking_arms, sketched


def test_buckets_and_signs_of_numbered_ids_are_even_and_have_nothing_to_do_with_each_other() -> None:
    """A sign is the last bit of the bucket that `stream.evaluate.columns.arms` reads two by two."""
    cell = np.array([scattered(f"user-{number:06d}", 128) for number in range(1 << 16)])
    counts = np.bincount(cell, minlength=128).reshape(64, 2)
    assert (np.abs(counts.sum(axis=1) - 1_024) < 6 * 32).all()
    assert np.abs(counts[:, 0] - counts[:, 1]).max() < 5 * 32


@pytest.mark.parametrize(("share", "leak"), [(0.5, 0.0), (0.5, 0.3), (0.5, 1.0), (0.05, 0.0), (0.05, 1.0)])
def test_the_leak_is_found_within_its_error(share: float, leak: float) -> None:
    rng, z = np.random.default_rng(20130101), []
    for _ in range(30):
        (u, v), rows = leaking_arms(rng, share=share, leak=leak)
        found = overlap(u, v, rows=rows)
        assert found.leak is not None
        assert found.error is not None
        z.append((found.leak - leak) / found.error)
    assert abs(float(np.mean(z))) < 3.5 / np.sqrt(30)
    assert (0.6 if leak < 1.0 else 0.1) < float(np.std(z)) < 1.4


@pytest.mark.parametrize("heavy", [0, 3])
def test_sticky_ids_raise_no_alarm_more_often_than_stated(heavy: int) -> None:
    rng = np.random.default_rng(20130102)
    p = []
    for _ in range(2_000):
        u, v = (sketched(rng, np.append(rng.poisson(3.0, 300), [5_000] * heavy)) for _ in range(2))
        p.append(overlap(u, v, rows=(900, 900)).p_value)
    for level in (FALSE_ALARM, 0.05):
        assert np.mean(np.array(p) <= level) <= level + 2.0 * np.sqrt(level / 2_000)


@pytest.mark.parametrize(
    ("share", "leak", "buckets", "verdict"),
    [
        (0.5, 0.0, 16_384, "sticky"),
        (0.5, 0.3, 1_024, "leaking"),
        (0.5, 1.0, 1_024, "leaking"),
        (0.05, 0.0, 1_024, "unsure"),
        (0.05, 0.3, 16_384, "leaking"),
        (0.05, 1.0, 1_024, "leaking"),
    ],
)
def test_verdicts(share: float, leak: float, buckets: int, verdict: str) -> None:
    vectors, rows = leaking_arms(np.random.default_rng(20130103), share=share, leak=leak, buckets=buckets)
    assert overlap(*vectors, rows=rows).verdict == verdict


def test_where_no_id_comes_twice_nothing_can_be_said() -> None:
    rng = np.random.default_rng(20130104)
    u, v = (sketched(rng, np.ones(3_000, dtype=np.int64)) for _ in range(2))
    assert overlap(u, v, rows=(3_000, 3_000)).verdict == "not_enough_data"
    assert overlap(u, np.zeros_like(u), rows=(3_000, 0)).verdict == "not_enough_data"


def test_vectors_of_two_hashes_are_refused() -> None:
    with pytest.raises(ValueError, match="the champion has 4 buckets and the challenger 2"):
        overlap([1, 0, 0, 1], [1, 0], rows=(2, 1))


@pytest.mark.parametrize(("vector", "rows"), [([math.nan, 1.0], (5, 5)), ([3.0, 1.0], (-5, 5))])
def test_what_cannot_be_is_refused(vector: list[float], rows: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="finite numbers, rows of 0 or more"):
        overlap(vector, [1.0, 1.0], rows=rows)


def test_how_many_rows_count_as_one() -> None:
    rng = np.random.default_rng(20130105)
    rows = rng.poisson(10.0, 2_000)
    exact = np.square(rows).sum() / rows.sum()
    assert effect(sketched(rng, rows), int(rows.sum())) == pytest.approx(exact, rel=0.2)
    assert effect([1, 0, 0], 3) == 1.0


def test_the_bound_is_above_the_exact_chance_of_fair_signs() -> None:
    signs = np.array(np.meshgrid(*[[-1, 1]] * 10)).reshape(10, -1)
    for parts in (np.ones(10), np.arange(1.0, 11.0), np.array([10.0, *[1.0] * 9])):
        sums, spread = parts @ signs, float(np.sqrt((parts**2).sum()))
        for product in np.unique(sums[sums > 0]):
            assert by_chance(float(product), spread) >= float((sums >= product).mean())
