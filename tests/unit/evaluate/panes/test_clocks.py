"""How far a stream is complete: the minimum over all partitions, read or not."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

from schemas.monitored import FeatureMonitor
from stream.evaluate.closing.polls import watermarks
from stream.evaluate.closing.unit import Unit
from stream.evaluate.panes.clocks import (
    UNTOUCHED,
    PartitionState,
    Rebuild,
    closed_before,
    state_of,
    stream_watermark,
    together,
    waited_for,
)
from stream.evaluate.panes.windows import boundary_before, windows_of
from stream.state.behind import Behind
from stream.state.watermarks import UNREAD, PartitionClock
from tests.support.ingest import HOUR, monitor


def of(clock: int | None, *, idle: bool = False, closed: int | None = None) -> PartitionState:
    return PartitionState(PartitionClock(clock, closed, idle=idle))


def test_an_unread_partition_holds_everything_back() -> None:
    assert stream_watermark([of(9_000), UNTOUCHED, of(8_000)], lateness_ms=1_000) == UNREAD
    assert stream_watermark([of(9_000), of(8_000)], lateness_ms=1_000) == 7_000
    assert stream_watermark([], lateness_ms=0) == UNREAD
    assert closed_before(UNREAD, pane_ms=60_000) == UNREAD


def test_an_idle_partition_is_left_out_and_where_all_are_the_slowest_says_it() -> None:
    assert stream_watermark([of(9_000), of(2_000, idle=True), of(None, idle=True)], lateness_ms=0) == 9_000
    assert stream_watermark([of(9_000, idle=True), of(2_000, idle=True)], lateness_ms=0) == 2_000
    assert stream_watermark([of(9_000, idle=True), of(None, idle=True)], lateness_ms=0) == UNREAD


def test_what_control_records_closed_is_closed_also_when_all_is_idle() -> None:
    ended = [of(9_000, idle=True, closed=20_000), of(None, idle=True, closed=20_000)]
    assert stream_watermark(ended, lateness_ms=5_000) == 20_000


def test_an_offset_hash_is_read_field_by_field() -> None:
    found = state_of([b"5", b"", b"1", b"7", b"2", b"1", b"warming", None, b"40", None, None, b"90", b""])
    assert found == PartitionState(
        PartitionClock(5, None, idle=True, idle_ms=90), 7, 2, 1, warming=True, warming_until=None, taken=True
    )
    assert state_of([None] * 13) == UNTOUCHED


def test_a_partition_that_was_idle_when_it_was_put_behind_others_is_not_idle() -> None:
    """It is not fetched any more: what it vouched for would hold the clocks of all others where they are."""
    noisy = Behind(frozenset({"noisy"}), frozenset({"noisy"}))
    fields = [b"5", None, b"1", None, None, None, None, None, b"40", None, None, b"90"]
    found = state_of([*fields, noisy.to_text().encode()])
    assert (found.clock.idle, found.behind) == (False, noisy)


def test_what_an_emptied_redis_counts_again_is_no_warming_of_windows_and_ends_where_kafka_did() -> None:
    found = state_of([b"5", None, None, None, None, None, b"warming", None, b"40", b"100", None, None, None])
    assert (found.warming, found.rebuild, found.unread) == (False, Rebuild(running=True), 60)
    read = state_of([b"5", None, None, None, None, None, b"warming", None, b"100", b"100", None, None, None])
    assert (read.rebuild.running, read.unread) == (True, 0)
    over = state_of([b"5", None, None, None, None, None, None, None, b"120", None, b"5000", None, None])
    assert (over.rebuild, over.unread) == (Rebuild(running=False, quiet_to=5000), 0)
    assert together([read.rebuild, over.rebuild]) == Rebuild(running=True, quiet_to=5000)


NOISY = Behind(frozenset({"noisy"}), frozenset({"noisy", "neighbour"}))


def watching(model: str, *, lateness_ms: int = 0) -> Unit:
    watched = SimpleNamespace(monitor=monitor(lateness_ms=lateness_ms))
    return cast(Unit, SimpleNamespace(model=model, phase=SimpleNamespace(watched=watched)))


def test_who_is_not_in_a_partition_that_was_put_behind_does_not_wait_for_it() -> None:
    behind = replace(of(1_000), behind=NOISY)
    partitions = [of(9_000), behind, of(8_000)]
    units = [watching("noisy"), watching("neighbour"), watching("quiet"), watching("slow", lateness_ms=500)]
    assert watermarks(units, partitions) == {"noisy": 1_000, "neighbour": 1_000, "quiet": 8_000, "slow": 7_500}
    assert watermarks([watching("quiet")], [behind]) == {"quiet": 1_000}  # there is no other
    assert watermarks([watching("quiet")], [of(9_000), UNTOUCHED, behind]) == {"quiet": UNREAD}
    assert list(waited_for(partitions, "quiet")) == [of(9_000), of(8_000)]


def test_what_is_said_of_a_partition_behind_is_read_with_its_hash() -> None:
    stored = NOISY.to_text().encode()
    found = state_of([b"5", None, None, None, None, None, None, None, b"1", None, None, None, stored])
    assert found.behind == NOISY
    assert state_of([None] * 12 + [b"damaged"]) == UNTOUCHED


def test_windows_end_on_multiples_of_the_step_from_the_epoch() -> None:
    assert boundary_before(25 * HOUR - 1, step_ms=24 * HOUR) == 24 * HOUR
    assert boundary_before(24 * HOUR, step_ms=24 * HOUR) == 24 * HOUR


def test_each_slow_length_has_a_window_on_predictions_only() -> None:
    slow = {
        "a": FeatureMonitor(type="numeric", slow_window_ms=672 * HOUR),
        "b": FeatureMonitor(type="numeric", slow_window_ms=672 * HOUR),
        "c": FeatureMonitor(type="numeric"),
    }
    watched = monitor(features=slow)
    assert [(w.name, w.length_ms, w.label) for w in windows_of(watched, "predictions")] == [
        ("day", 24 * HOUR, "day"), ("slow", 672 * HOUR, "slow")
    ]  # fmt: skip
    assert [(w.name, w.label) for w in windows_of(watched, "features")] == [("day", "features:day")]
    assert windows_of(watched, "labels") == ()
    two = monitor(features=slow | {"c": FeatureMonitor(type="numeric", slow_window_ms=48 * HOUR)})
    assert [(w.name, w.label) for w in windows_of(two, "predictions")][1:] == [
        ("slow", "slow-48h"), ("slow", "slow-672h")
    ]  # fmt: skip
    declared = monitor(features=slow, windows={"slow": 48 * HOUR})
    assert [(w.name, w.length_ms) for w in windows_of(declared, "predictions")] == [("slow", 48 * HOUR)]
