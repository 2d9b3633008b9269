"""The flights as the events that a serving system would send, in the order in which they happened.

A prediction is made at the scheduled departure, its label is known at the actual arrival; both streams, and the
synthetic requests of `stream.local.serving`, are merged by that time. A flight's events go to one of four
partitions by its id, with the record key ``flight-delay#k``: with the model's name alone, every event would land
in one partition.
"""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from schemas.names import Stream
from stream.local.broker import PARTITIONS
from stream.local.flights import FEATURES
from stream.local.model import Floats
from stream.local.serving import serving_batches
from stream.local.watched import CLASSES, MODEL

VERSION = "1"
SERVICE = "flight-api"
THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record to be: ``timestamp_ms`` is the event's time, which ``value`` carries too."""

    stream: Stream
    partition: int
    key: bytes
    value: bytes
    timestamp_ms: int
    events: int = 1


def records_of(flights: pd.DataFrame, scores: Floats) -> Iterator[Record]:
    """Every prediction, label and serving batch, by event time; in this order where times are equal."""
    return heapq.merge(_of_flights(flights, scores), _of_serving(flights), key=lambda record: record.timestamp_ms)


def _of_serving(flights: pd.DataFrame) -> Iterator[Record]:
    parts = [partition_of(flight) for flight in flights["id"]]
    for batch in serving_batches(flights, parts):
        yield Record("serving", batch.partition, KEYS[batch.partition], batch.value, batch.last_ms, batch.requests)


def _of_flights(flights: pd.DataFrame, scores: Floats) -> Iterator[Record]:
    encode = msgspec.json.Encoder().encode  # writes NaN, which is what a missing name is too, as null
    times = np.concatenate([flights["departure_ms"].to_numpy(), flights["arrival_ms"].to_numpy()])
    order = np.argsort(times, kind="stable")
    order = order[times[order] > 0]  # no arrival, no label
    rows = _Rows(flights, scores)
    for position in order.tolist():
        is_label, row = divmod(position, len(flights))
        event = rows.label(row) if is_label else rows.prediction(row)
        stream: Stream = "labels" if is_label else "predictions"
        part = rows.parts[row]
        yield Record(stream, part, KEYS[part], encode(event), event["timestamp"])


def partition_of(flight: str) -> int:
    """Where a flight's events go.

    >>> partition_of("UA1545-EWR-2013-01-01")
    0
    """
    return zlib.crc32(flight.encode()) % PARTITIONS


KEYS = tuple(f"{MODEL}#{part}".encode() for part in range(PARTITIONS))


class _Rows:
    """The columns as plain lists: indexing a table row by row takes minutes."""

    def __init__(self, flights: pd.DataFrame, scores: Floats) -> None:
        self.features = list(zip(*(flights[name].tolist() for name in FEATURES), strict=True))
        self.ids = flights["id"].tolist()
        self.parts = [partition_of(flight) for flight in self.ids]
        self.departures = flights["departure_ms"].tolist()
        self.arrivals = flights["arrival_ms"].tolist()
        self.outcomes = flights["outcome"].tolist()
        self.scores = scores.tolist()

    def prediction(self, row: int) -> dict[str, Any]:
        score = self.scores[row]
        return {
            "model": MODEL,
            "version": VERSION,
            "id": self.ids[row],
            "timestamp": self.departures[row],
            "features": dict(zip(FEATURES, self.features[row], strict=True)),
            "prediction": {"score": score, "label": CLASSES[float(score >= THRESHOLD)]},
            "status": "success",
            "service": SERVICE,
        }

    def label(self, row: int) -> dict[str, Any]:
        return {
            "model": MODEL,
            "id": self.ids[row],
            "timestamp": self.arrivals[row],
            "outcome": int(self.outcomes[row]),
        }
