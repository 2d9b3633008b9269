"""While partitions are idle the others' clocks are believed as they were when nothing of the idle ones was left to read."""

from __future__ import annotations

from stream.evaluate.panes.clocks import UNTOUCHED, PartitionState, stream_watermark
from stream.evaluate.panes.quiet import MOST_LOOKS, Quiet, leaves_out, vouched_ms
from stream.state.watermarks import UNREAD, PartitionClock


def busy(clock: int) -> PartitionState:
    return PartitionState(PartitionClock(clock))


def idle(clock: int | None, *, vouched: int | None) -> PartitionState:
    return PartitionState(PartitionClock(clock, idle=True, idle_ms=vouched))


def told(quiet: Quiet, *partitions: PartitionState, now_ms: int) -> int:
    return stream_watermark(quiet.known(list(partitions), now_ms=now_ms), lateness_ms=0)


def test_what_the_others_counted_is_believed_once_the_idle_one_was_looked_at_since() -> None:
    quiet = Quiet()
    assert told(quiet, busy(5_000), idle(100, vouched=999), now_ms=1_000) == UNREAD
    assert told(quiet, busy(6_000), idle(100, vouched=1_000), now_ms=1_500) == 5_000
    assert told(quiet, busy(9_000), idle(100, vouched=1_400), now_ms=2_000) == 5_000
    assert told(quiet, busy(9_500), idle(100, vouched=2_100), now_ms=2_500) == 9_000


def test_a_partition_whose_traffic_returned_before_that_holds_the_watermark_from_its_first_event_on() -> None:
    quiet = Quiet()
    quiet.all_known([busy(5_000), busy(4_900)])
    assert told(quiet, busy(90_000), idle(4_900, vouched=999), now_ms=1_000) == 5_000
    woken = [busy(90_000), busy(5_100)]
    assert not leaves_out(woken)
    assert stream_watermark(quiet.all_known(woken), lateness_ms=0) == 5_100


def test_of_several_idle_ones_the_one_heard_of_longest_ago_says_it() -> None:
    partitions = [idle(1, vouched=700), busy(5), idle(2, vouched=300), idle(3, vouched=None)]
    assert vouched_ms(partitions) == 300


def test_a_worker_of_before_says_no_time_and_is_believed() -> None:
    assert told(Quiet(), busy(5_000), idle(100, vouched=None), now_ms=1_000) == 5_000


def test_an_idle_worker_that_is_gone_holds_what_was_not_vouched_for_and_costs_no_memory() -> None:
    quiet = Quiet()
    told(quiet, busy(1_000), idle(0, vouched=10), now_ms=10)
    found = {told(quiet, busy(1_000 + now), idle(0, vouched=10), now_ms=now) for now in range(11, 5_000)}
    assert found == {1_000}
    assert len(quiet._looks) == MOST_LOOKS
    assert told(quiet, busy(9_000), idle(0, vouched=5_000), now_ms=5_001) == 1_000 + 10 + MOST_LOOKS


def test_partitions_that_were_added_are_waited_for() -> None:
    quiet = Quiet()
    quiet.all_known([busy(7_000)])
    assert told(quiet, busy(7_000), UNTOUCHED, idle(None, vouched=10), now_ms=20) == UNREAD


def test_where_all_are_idle_none_is_left_out() -> None:
    assert not leaves_out([idle(5, vouched=1), idle(None, vouched=1)])
    assert leaves_out([idle(5, vouched=1), busy(6)])
