"""The demo's synthetic requests: one a prediction, the same each time, with the two faults that are promised."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import pandas as pd
import pytest

from schemas.events import Serving, parse_record
from stream.local.events import partition_of
from stream.local.serving import OUTAGE, SLOW, Batch, serving_batches


@pytest.fixture(scope="module")
def batches(flights: pd.DataFrame) -> list[Batch]:
    return serving_batches(flights, [partition_of(flight) for flight in flights["id"]])


def requests_of(batches: list[Batch], span: tuple[int, int]) -> Iterator[Serving]:
    for batch in batches:
        if span[0] <= batch.last_ms < span[1] + 3_600_000:
            events = cast("list[Serving]", parse_record("serving", batch.value))
            yield from (event for event in events if span[0] <= event.timestamp_ms < span[1])


def test_every_prediction_has_a_request(batches: list[Batch]) -> None:
    assert sum(batch.requests for batch in batches) == 336_776
    assert len(batches) == 26_429


def test_batches_come_by_their_last_request_and_span_an_hour(batches: list[Batch]) -> None:
    assert [batch.last_ms for batch in batches] == sorted(batch.last_ms for batch in batches)
    for batch in batches[::1000]:
        events = parse_record("serving", batch.value)
        times = [cast("Serving", event).timestamp_ms for event in events]
        assert len({time // 3_600_000 for time in times}) == 1
        assert max(times) == batch.last_ms


def test_in_the_outage_every_request_fails_and_an_hour_later_hardly_any(batches: list[Batch]) -> None:
    during = [event.status for event in requests_of(batches, OUTAGE)]
    after = [event.status for event in requests_of(batches, (OUTAGE[1], OUTAGE[1] + 3_600_000))]
    assert (len(during), set(during)) == (156, {"error"})
    assert after.count("error") <= 2


def test_in_the_slow_hours_latency_is_twenty_times_what_it_is(batches: list[Batch]) -> None:
    day_before = (SLOW[0] - 86_400_000, SLOW[1] - 86_400_000)
    slow, usual = (np.median([event.latency_s for event in requests_of(batches, span)]) for span in (SLOW, day_before))
    assert usual == pytest.approx(0.024, rel=0.1)
    assert slow == pytest.approx(0.48, rel=0.1)


def test_the_same_flights_give_the_same_bytes(flights: pd.DataFrame, batches: list[Batch]) -> None:
    first = flights.head(500)
    parts = [partition_of(flight) for flight in first["id"]]
    assert serving_batches(first, parts) == serving_batches(first, parts)
    assert serving_batches(first, parts)[0].value == batches[0].value
