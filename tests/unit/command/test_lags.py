"""The lag of a partition: what can still be read of what is not stored."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stream.command.lag import Lag, lags, over_quota
from stream.state.progress import PartitionProgress

PLACE = ("predictions", 3)


def progress(stored: int | None, *, clock_ms: int | None = None) -> PartitionProgress:
    return PartitionProgress("predictions", 3, stored, clock_ms, None, None, "host:1", {}, 0, None)


def test_it_is_the_log_s_end_less_what_is_stored() -> None:
    [found] = lags({PLACE: (100, 1000)}, {PLACE: progress(400, clock_ms=1357035300000)}, now=1357035301.5)

    assert found == Lag("predictions", 3, 400, 1000, 600, "host:1", 1.5)


def test_a_partition_behind_others_says_for_whom() -> None:
    [found] = lags({PLACE: (100, 1000)}, {PLACE: replace(progress(400), behind=("noisy", "other"))}, now=0.0)

    assert over_quota(found.behind) == "behind others: noisy, other over quota"
    assert over_quota(()) == ""


@pytest.mark.parametrize("stored", [None, 50, 1001])
def test_where_nothing_of_this_log_is_stored_all_of_it_is_to_be_read(stored: int | None) -> None:
    [found] = lags({PLACE: (100, 1000)}, {PLACE: progress(stored)}, now=0.0)

    assert (found.stored, found.lag, found.watermark_delay_s) == (stored, 900, None)


def test_a_partition_that_nobody_took_is_shown_without_an_owner() -> None:
    [found] = lags({PLACE: (0, 7)}, {}, now=0.0)

    assert (found.stored, found.lag, found.owner) == (None, 7, None)
