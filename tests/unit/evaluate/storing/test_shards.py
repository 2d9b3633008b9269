"""Shards: every model has one, every shard is wanted by somebody, and nobody keeps more than a fair share."""

from __future__ import annotations

from collections import Counter

from stream.evaluate.storing.shards import SHARDS, fair_share, shard_of, surplus, wanted


def test_models_spread_over_all_shards() -> None:
    sizes = Counter(shard_of(f"model-{number}") for number in range(6_400))
    assert set(sizes) == set(range(SHARDS))
    assert max(sizes.values()) < 200


def test_shares_cover_all_shards_however_many_workers() -> None:
    for workers in range(1, 130):
        assert fair_share(workers) * workers >= SHARDS
    assert [fair_share(workers) for workers in (0, 1, 2, 3, 64, 65)] == [64, 64, 32, 22, 1, 1]


def test_what_is_beyond_the_share_is_given_back_the_highest_first() -> None:
    assert surplus({3, 1, 2}, workers=64) == [3, 2]
    assert surplus({3, 1, 2}, workers=22) == []


def test_a_worker_asks_for_all_that_it_has_not_and_for_none_at_its_share() -> None:
    asked = wanted({5}, workers=1, worker="a")
    assert sorted([*asked, 5]) == list(range(SHARDS))
    assert asked[0] != wanted({5}, workers=1, worker="b")[0]
    assert wanted(set(range(32)), workers=2, worker="a") == []
