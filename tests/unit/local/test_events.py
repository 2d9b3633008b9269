"""The year as events: complete, in order, spread, and such as the strict contract accepts."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pandas as pd
import pytest

from schemas.events import Label, Prediction, parse_record
from stream.local.events import Record, records_of
from stream.local.flights import FEATURES


@pytest.fixture(scope="module")
def records(flights: pd.DataFrame) -> list[Record]:
    return list(records_of(flights, flights["distance"].to_numpy() / 10_000))


def test_the_year_is_complete(records: list[Record]) -> None:
    events: Counter[str] = Counter()
    for record in records:
        events[record.stream] += record.events
    assert events == {"predictions": 336_776, "labels": 327_346, "serving": 336_776}


def test_records_come_in_event_time_and_say_it(records: list[Record]) -> None:
    times = [record.timestamp_ms for record in records]
    assert times == sorted(times)
    single = [record for record in records[:1000] if record.stream != "serving"]
    assert all(json.loads(record.value)["timestamp"] == record.timestamp_ms for record in single)


def test_partitions_share_the_load(records: list[Record]) -> None:
    sizes = Counter(record.partition for record in records)
    assert set(sizes) == {0, 1, 2, 3}
    assert max(sizes.values()) < 1.02 * min(sizes.values())


def test_a_label_follows_its_prediction_on_the_same_partition(records: list[Record]) -> None:
    of = "UA1545-EWR-2013-01-01"
    prediction, label = (record for record in records[:1000] if record.stream != "serving" and parsed(record).id == of)
    assert (prediction.stream, label.stream) == ("predictions", "labels")
    assert (prediction.partition, prediction.key) == (label.partition, label.key) == (0, b"flight-delay#0")


def parsed(record: Record) -> Any:
    (event,) = parse_record(record.stream, record.value)
    return event


def test_the_first_prediction_is_accepted_with_its_features(records: list[Record]) -> None:
    event = parsed(records[0])
    assert isinstance(event, Prediction)
    assert (event.model, event.timestamp_ms, event.score) == ("flight-delay", 1357035300000, 0.14)
    assert tuple(event.features) == FEATURES
    assert (event.features["temp"], event.features["wind_gust"], event.features["dest"]) == (
        39.02,
        None,
        "IAH",
    )
    assert event.label == "on_time"
    assert event.unknown_keys == ()


def test_an_outcome_is_zero_or_one(records: list[Record]) -> None:
    outcomes = Counter(parsed(record).outcome for record in records if record.stream == "labels")
    assert outcomes == {0: 249_716, 1: 77_630}
    assert isinstance(parsed(next(r for r in records if r.stream == "labels")), Label)
