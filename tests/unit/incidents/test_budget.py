"""The token bucket: never more than the vendor takes in any minute, and always something left for P0."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.deliveries import ReceiverKind
from schemas.findings import Severity
from stream.incidents.budget import RATES, SKEW_MS, UNIT, Bucket, Rate, taken

STEPS = st.lists(st.tuples(st.integers(0, 3_000), st.sampled_from(["P0", "P1"])), max_size=400)
PER_MINUTE: dict[ReceiverKind, int] = {"pagerduty": 120, "slack": 65}


def given_at(rate: Rate, steps: list[tuple[int, Severity]]) -> list[int]:
    bucket, now, times = None, 0, []
    for pause, severity in steps:
        now += pause
        bucket, wait = taken(bucket, rate, severity=severity, now=now)
        times += [now] if wait == 0 else []
    return times


@pytest.mark.parametrize("kind", ["pagerduty", "slack"])
@given(steps=STEPS)
def test_no_minute_has_more_than_the_vendor_takes(kind: ReceiverKind, steps: list[tuple[int, Severity]]) -> None:
    times = given_at(RATES[kind], steps)
    assert all(len([t for t in times if start <= t < start + 60_000]) <= PER_MINUTE[kind] for start in times)


def test_asked_all_the_time_pagerdutys_bucket_gives_119_in_the_first_minute_and_then_96() -> None:
    times = given_at(RATES["pagerduty"], [(10, "P0")] * 12_000)
    minutes = [len([t for t in times if start <= t < start + 60_000]) for start in (10, 60_010)]
    assert minutes == [119, 96]


def test_a_fifth_is_left_for_p0() -> None:
    storm: list[tuple[int, Severity]] = [(0, "P1")] * 150
    urgent: list[tuple[int, Severity]] = [(0, "P0")] * 150
    assert [len(given_at(rate, storm)) for rate in RATES.values()] == [19, 4, 108]
    assert [len(given_at(rate, storm + urgent)) for rate in RATES.values()] == [24, 5, 120]


def test_the_wait_it_names_is_exact() -> None:
    bucket = Bucket(0, 1_000)
    _, wait = taken(bucket, RATES["slack"], severity="P0", now=1_000)
    assert wait == 1_000
    assert taken(bucket, RATES["slack"], severity="P0", now=1_999)[1] == 1
    assert taken(bucket, RATES["slack"], severity="P0", now=2_000)[1] == 0


def test_a_clock_that_goes_back_gains_nothing_and_one_that_was_far_ahead_is_forgotten() -> None:
    rate = RATES["slack"]
    ahead = Bucket(0, 30_000)
    assert taken(ahead, rate, severity="P0", now=0) == (ahead, 31_000)
    assert taken(Bucket(0, SKEW_MS + 1), rate, severity="P0", now=0) == (Bucket(0, 0), 1_000)


def test_a_bucket_never_holds_more_than_is_full_nor_less_than_nothing() -> None:
    rate, bucket = RATES["slack"], Bucket(0, 0)
    parts = [0]
    for now in (0, 10_000_000, 10_000_000):
        bucket, _ = taken(bucket, rate, severity="P0", now=now)
        parts.append(bucket.parts)
    assert parts == [0, 0, rate.full - UNIT, rate.full - 2 * UNIT]
    assert all(one >= 0 for pair in pairwise(parts) for one in pair)
