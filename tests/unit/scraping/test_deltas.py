"""What counters grow by: resets, gaps, restarts, series that come and go; and that nothing is counted twice or not at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.scraping.batches import records
from stream.scraping.broken import Broken
from stream.scraping.counters import Counters
from stream.scraping.deltas import Growth, since
from stream.scraping.meters import Meter, Owner, Reading, Series
from stream.scraping.rows import Rows, placed, rows_of, times
from stream.scraping.waiting import Part, Waiting, added, allotted, take
from tests.support.exporter import parts, target
from tests.support.exporter import seen as pages_seen

OWNER = Owner("m")
REQUESTS, ERRORS, LATENCY = (Series(OWNER, name, frozenset()) for name in ("requests", "errors", "latency"))


def counted(*readings: dict[Series, Meter], started: Sequence[float | None] = ()) -> Counters:
    counters = Counters()
    for number, meters in enumerate(readings):
        counters.see(Reading(meters, started[number] if started else None), at_ms=(number + 1) * 10_000)
    return counters


def requests(*values: float) -> list[dict[Series, Meter]]:
    return [{REQUESTS: Meter(value)} for value in values]


def test_a_reset_counts_from_zero() -> None:
    assert counted(*requests(100, 110, 4)).waiting == 14


def test_a_restart_that_the_target_tells_is_seen_although_its_counter_is_past_the_old_value() -> None:
    assert counted(*requests(10, 25), started=[1000.0, 1000.4]).waiting == 15
    assert counted(*requests(10, 25), started=[1000.0, 5000.0]).waiting == 25
    assert counted(*requests(10, 11, 25), started=[1000.0, None, 5000.0]).waiting == 26


def test_a_series_that_appears_counts_whole_and_one_that_was_gone_goes_on() -> None:
    assert counted({}, *requests(5)).waiting == 5
    assert counted(*requests(100), {}, *requests(103)).waiting == 3


def test_a_gap_is_one_delta_with_its_time() -> None:
    counters = Counters()
    for at_ms, meters in zip((0, 15_000, 615_000), requests(0, 10, 70), strict=True):
        counters.see(Reading(meters), at_ms=at_ms)
        found = parts(counters)
    [part] = found[OWNER]
    assert (part.begin_ms, part.end_ms, part.rows) == (15_000, 615_000, 60)


def test_a_gap_of_days_has_times_of_the_last_day() -> None:
    counters = Counters()
    for at_ms, meters in zip((0, 9 * 86_400_000), requests(0, 10), strict=True):
        counters.see(Reading(meters), at_ms=at_ms)
    [part] = parts(counters)[OWNER]
    assert (part.begin_ms, part.end_ms) == (8 * 86_400_000, 9 * 86_400_000)


def test_a_clock_set_back_gives_all_rows_one_time() -> None:
    counters = Counters()
    for at_ms, meters in zip((50_000, 20_000), requests(0, 3), strict=True):
        counters.see(Reading(meters), at_ms=at_ms)
    [part] = parts(counters)[OWNER]
    assert rows_of(part).timestamps_ms.tolist() == [20_000] * 3


def test_more_requests_than_a_server_has_are_refused_and_are_the_new_baseline() -> None:
    counters = counted(*requests(10))
    with pytest.raises(Broken, match="implausible"):
        counters.see(Reading({REQUESTS: Meter(2e15)}), at_ms=20_000)
    counters.see(Reading({REQUESTS: Meter(2e15 + 8)}), at_ms=30_000)
    assert counters.waiting == 8


def test_a_histogram_of_which_one_bucket_fell_was_begun_anew() -> None:
    def state(*counts: float) -> dict[Series, Meter]:
        return {REQUESTS: Meter(sum(counts)), LATENCY: Meter(None, (1.0, 2.0), counts)}

    counters = counted(state(5, 0, 0))
    counters.see(Reading(state(1, 6, 1)), at_ms=20_000)  # more than before in all, but fewer in the first bucket
    [part] = parts(counters)[OWNER]
    assert (part.rows, part.measures["latency"][0].counts) == (3, (1.0, 2.0, 0.0))
    counters.see(Reading(state(3, 6, 1)), at_ms=30_000)
    [part] = parts(counters)[OWNER]
    # Eight were observed since the restart, of which three had a request; two more go with these two.
    assert (part.rows, sum(part.measures["latency"][0].counts)) == (2, 2)


def test_one_less_in_one_bucket_is_a_beginning_anew_and_a_sum_that_fell_alone_is_unknown() -> None:
    before = Meter(9.0, (1.0,), (3.0, 1.0))
    assert since(before, Meter(12.0, (1.0,), (2.0, 5.0))) == Meter(12.0, (1.0,), (2.0, 5.0))
    assert since(before, Meter(3.0, (1.0,), (4.0, 1.0))) == Meter(None, (1.0,), (1.0, 0.0))


def test_what_is_less_than_a_request_has_no_time_of_its_own() -> None:
    more = Growth(2.0)
    assert added(Waiting(0, 10, requests=0.5), more, begin_ms=100, end_ms=200).begin_ms == 100
    assert added(Waiting(0, 10, requests=1.0), more, begin_ms=100, end_ms=200).begin_ms == 0


def test_parts_of_a_delta_have_parts_of_its_time() -> None:
    counters = Counters()
    for at_ms, meters in zip((0, 10_000), requests(0, 10), strict=True):
        counters.see(Reading(meters), at_ms=at_ms)
    found = parts(counters, most=4)[OWNER]
    assert [(part.begin_ms, part.end_ms, part.rows) for part in found] == [
        (0, 4_000, 4),
        (4_000, 8_000, 4),
        (8_000, 10_000, 2),
    ]


def test_what_waits_for_the_broker_keeps_the_time_of_its_oldest_request() -> None:
    [part] = parts(counted(*requests(0, 10, 20, 30)))[OWNER]
    assert (part.begin_ms, part.end_ms, part.rows) == (10_000, 40_000, 30)


def test_a_value_is_never_at_the_lower_bound_of_its_bucket() -> None:
    low = 2.0**40
    for meter in (Meter(0.0, (low, low + 2.0**-10), (0.0, 3.0, 0.0)), Meter(low, (low,), (0.0, 1.0))):
        assert (placed(meter) > low).all()


def test_a_fraction_of_a_request_waits_for_the_rest_of_it() -> None:
    counters = counted(*requests(0, 1.5))
    assert [part.rows for part in parts(counters)[OWNER]] == [1]
    counters.see(Reading({REQUESTS: Meter(2.0)}), at_ms=30_000)
    assert [part.rows for part in parts(counters)[OWNER]] == [1]


def test_latencies_that_are_counted_before_their_requests_wait_for_them() -> None:
    def state(ended: float, first: float, second: float) -> dict[Series, Meter]:
        return {REQUESTS: Meter(ended), LATENCY: Meter(first * 0.5 + second * 1.5, (1.0, 2.0), (first, second, 0.0))}

    counters = counted(state(0, 0, 0), state(3, 2, 2))
    [part] = parts(counters)[OWNER]
    assert (part.rows, sum(part.measures["latency"][0].counts)) == (3, 3)
    counters.see(Reading(state(4, 2, 2)), at_ms=30_000)
    [part] = parts(counters)[OWNER]
    assert (part.rows, sum(part.measures["latency"][0].counts)) == (1, 1)


@given(
    counter=st.lists(st.integers(0, 400), min_size=2, max_size=12).map(sorted),
    reset=st.integers(0, 12),
    most=st.integers(1, 500),
    publish=st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_over_any_split_of_scrapes_rows_are_what_the_counter_grew_by(
    counter: list[int], reset: int, most: int, publish: list[bool]
) -> None:
    values = counter[:reset] + [value // 2 for value in counter[reset:]]
    expected = sum(b - a if b >= a else b for a, b in pairwise(values))
    counters, rows, errors = Counters(), 0, 0
    for number, value in enumerate(values):
        meters = {REQUESTS: Meter(value), ERRORS: Meter(value // 4)}
        counters.see(Reading(meters), at_ms=number * 15_000)
        if publish[number]:  # else Kafka is away
            found = parts(counters, most=most).get(OWNER, [])
            rows, errors = rows + sum(p.rows for p in found), errors + sum(p.errors for p in found)
    left = parts(counters, most=most).get(OWNER, [])
    assert rows + sum(part.rows for part in left) == expected
    grown = sum(b - a if b >= a else b for a, b in pairwise([value // 4 for value in values]))
    assert errors + sum(part.errors for part in left) <= grown


@given(
    counts=st.lists(st.integers(0, 30), min_size=4, max_size=4),
    most=st.integers(1, 40),
    where=st.floats(0, 1),
)
def test_parts_of_a_histogram_add_up_to_its_buckets_and_its_sum(counts: list[int], most: int, where: float) -> None:
    bounds, n = (0.1, 0.5, 2.0), sum(counts)
    total = sum(
        c * (low + where * width) for c, low, width in zip(counts, (0, 0.1, 0.5, 2), (0.1, 0.4, 1.5, 3), strict=True)
    )
    waiting = Waiting(0, 1000, float(n), 0.0, {"latency": {bounds: Meter(total, bounds, tuple(map(float, counts)))}})
    values: list[float] = []
    while (taken := take(waiting, most))[0] is not None:
        part, waiting = taken
        assert part is not None
        values += rows_of(part).measures.get("latency", np.empty(0)).tolist()

    assert len(values) == n
    assert not any(map(math.isnan, values))
    assert np.histogram(values, [0, *(np.nextafter(b, np.inf) for b in bounds), np.inf])[0].tolist() == counts
    if most >= n:  # as one part; with parts each has its own share of the sum
        assert sum(values) == pytest.approx(total, rel=1e-4, abs=1e-5)


def test_a_sum_that_no_rows_of_these_buckets_have_leaves_the_buckets_right() -> None:
    for impossible in (0.0, 1e9):
        values = placed(Meter(impossible, (1.0, 2.0), (2.0, 3.0, 0.0)))
        assert [int((values <= 1).sum()), int((values > 1).sum()), int((values <= 2).sum())] == [2, 3, 5]


def test_the_stretch_of_a_bucket_is_as_wide_as_the_mean_allows() -> None:
    assert placed(Meter(None, (1.0,), (4.0, 0.0))).tolist() == [0.125, 0.375, 0.625, 0.875]
    assert placed(Meter(1.0, (1.0,), (4.0, 0.0))).tolist() == [0.0625, 0.1875, 0.3125, 0.4375]


def test_any_half_of_the_time_holds_a_fair_sample() -> None:
    counts = (500.0, 300.0, 200.0, 0.0)
    part = Part(0, 60_000, 1000, 100, {"latency": (Meter(None, (0.1, 0.5, 2.0), counts),)})
    rows = rows_of(part)
    for half in (slice(0, 500), slice(500, 1000)):
        latencies = rows.measures["latency"][half]
        found = np.histogram(latencies, [0, 0.1, 0.5, 2.0])[0]
        assert abs(found - np.array([250, 150, 100])).max() <= 3
        assert int(rows.errors[half].sum()) == 50


def test_allotting_never_takes_more_of_a_bucket_than_it_has() -> None:
    assert allotted([1.0, 1.0, 1.0], 2) == [1, 1, 0]
    assert allotted([0.5, 2.5], 3) == [0, 2]


def test_a_record_has_at_most_4000_rows_of_at_most_1000_times() -> None:
    rows = Rows(times(20_000, begin_ms=0, end_ms=86_400_000), np.zeros(20_000, dtype=bool), {})
    made = list(records(OWNER, rows))

    assert [record.events for record in made] == [4000] * 5
    assert max(len(record.value) for record in made) < 2**20
    stamps = [rows.timestamps_ms[first : first + 4000] for first in range(0, 20_000, 4000)]
    assert [len(set(each.tolist())) for each in stamps] == [1000] * 5
    assert int(stamps[-1][-1]) == 86_400_000
    assert bool((np.diff(rows.timestamps_ms) >= 0).all())


def test_errors_beside_successes_are_further_requests() -> None:
    text = 'nv_inference_request_success{{model="m",version="1"}} {}\nnv_inference_request_failure{{model="m",version="1"}} {}\n'
    [part] = parts(pages_seen(target("triton"), text.format(0, 0), text.format(3, 2)))[("m", "1")]
    assert (part.rows, part.errors) == (5, 2)
