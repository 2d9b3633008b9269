"""Watermarks of a partition, when it is idle, and which run ahead of the others."""

from __future__ import annotations

import pytest

from stream.state.watermarks import (
    PartitionClock,
    ahead_of,
    clock_of,
    is_idle,
    partition_watermark,
)

HOUR = 3_600_000


def test_a_partition_waits_for_events_as_old_as_the_lateness_allows() -> None:
    assert partition_watermark(PartitionClock(clock=10 * HOUR), lateness_ms=2 * HOUR) == 8 * HOUR


def test_a_control_record_closes_what_the_events_alone_leave_open() -> None:
    assert partition_watermark(PartitionClock(10 * HOUR, closed=24 * HOUR), lateness_ms=2 * HOUR) == 24 * HOUR
    assert partition_watermark(PartitionClock(10 * HOUR, closed=3 * HOUR), lateness_ms=2 * HOUR) == 8 * HOUR


def test_what_is_stored_of_a_partition_gives_its_clock() -> None:
    assert clock_of({b"clock": b"5", b"closed": b"7", b"idle": b"1"}) == PartitionClock(5, 7, idle=True)
    assert clock_of({b"next": b"0", b"clock": b"", b"idle": b"0"}) == PartitionClock()


@pytest.mark.parametrize(
    ("unread", "quiet_s", "empty", "idle"),
    [
        (None, 99.0, True, False),  # the end is not known yet
        (1, 99.0, False, False),  # something is left to read
        (0, 9.9, False, False),  # not quiet for long enough
        (0, 10.0, False, True),
        (0, 0.0, True, True),  # an empty partition, as soon as its end is known
    ],
)
def test_idle_is_at_the_end_and_quiet(unread: int | None, quiet_s: float, empty: bool, idle: bool) -> None:
    assert is_idle(unread=unread, quiet_s=quiet_s, idle_after_s=10.0, empty=empty) is idle


def test_partitions_that_run_ahead_of_the_slowest_active_one_are_named() -> None:
    clocks = {
        0: PartitionClock(HOUR),
        1: PartitionClock(3 * HOUR),
        2: PartitionClock(3 * HOUR + 1),
        3: PartitionClock(idle=True),
    }
    assert ahead_of(clocks, ahead_ms=2 * HOUR) == {2}
    assert ahead_of({**clocks, 4: PartitionClock()}, ahead_ms=2 * HOUR) == {0, 1, 2}
    assert ahead_of({}, ahead_ms=HOUR) == set()
    assert ahead_of({0: PartitionClock(9 * HOUR), 1: PartitionClock(HOUR, behind=True)}, ahead_ms=HOUR) == set()
    assert clock_of({b"behind": b"{}"}).behind
    assert not clock_of({b"behind": b""}).behind


def test_a_partition_of_events_without_a_time_holds_nobody() -> None:
    undated = clock_of({b"next": b"900"})
    assert undated == PartitionClock(begun=True)
    assert ahead_of({0: undated, 1: PartitionClock(HOUR), 2: PartitionClock(9 * HOUR)}, ahead_ms=HOUR) == {2}
