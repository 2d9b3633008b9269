"""What the API in front of the demo's model would say of itself. Synthetic: no such measurements exist of these flights.

One request a prediction, at the same instant. Latency, tokens and the rare error follow from the flight's id by a hash, so the
same year gives the same events. Two faults are built in, to show what a fault looks like: on 14 August every request fails for
three hours, and on 22 October the API is twenty times slower than usual for half a day.

Requests are sent as columnar batches, an hour of a partition each, as a gateway that collects them would do.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from stream.local.flights import Instants
from stream.local.watched import MODEL

_HOUR = 3_600_000
USUAL_LATENCY_S, SPREAD = 0.024, 0.6
SLOWER = 20.0
ERROR_RATE = 0.004

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def _instant(month: int, day: int, hour: int) -> int:
    return round(datetime(2013, month, day, hour, tzinfo=UTC).timestamp() * 1000)


#: Half-open, epoch milliseconds.
OUTAGE = (_instant(8, 14, 14), _instant(8, 14, 17))
SLOW = (_instant(10, 22, 10), _instant(10, 22, 22))


@dataclass(frozen=True, slots=True, order=True)
class Batch:
    """The requests of one hour and partition, as a columnar event; ``last_ms`` is when the last of them came."""

    last_ms: int
    partition: int
    requests: int
    value: bytes


def serving_batches(flights: pd.DataFrame, parts: list[int]) -> list[Batch]:
    """Every hour's and partition's batch, by the time of its last request.

    :param flights: of `load_flights`, in time order; ``parts``: the partition of each.
    """
    departures = flights["departure_ms"].to_numpy()
    columns = _columns(flights["id"].tolist(), departures)
    partition = np.asarray(parts)
    hour = departures // _HOUR
    order = np.lexsort((np.arange(len(hour)), partition, hour))
    starts = np.flatnonzero(np.diff(hour[order] * 64 + partition[order], prepend=-1))
    return sorted(
        Batch(int(departures[rows[-1]]), int(partition[rows[0]]), len(rows), _event(columns, departures, rows))
        for rows in np.split(order, starts[1:])
    )


def _columns(ids: list[str], departures: Instants) -> dict[str, NDArray[Any]]:
    first, second, third = (_uniform(ids, salt) for salt in ("latency", "error", "tokens"))
    slow, down = _within(departures, SLOW), _within(departures, OUTAGE)
    latency = USUAL_LATENCY_S * np.exp(SPREAD * ndtri(first)) * np.where(slow, SLOWER, 1.0)
    return {
        "status": np.where(down | (second < ERROR_RATE), "error", "success"),
        "latency_s": latency.round(5),
        "input_tokens": (120 + 400 * third**3).astype(np.int64),
        "output_tokens": (15 + 90 * third * first).astype(np.int64),
    }


def _event(columns: dict[str, NDArray[Any]], departures: Instants, rows: NDArray[np.int64]) -> bytes:
    lists = {name: values[rows].tolist() for name, values in columns.items()}
    return msgspec.json.encode({"model": MODEL, "timestamp": departures[rows].tolist(), **lists})


def _uniform(ids: list[str], salt: str) -> Floats:
    """A number in (0, 1) for each id, the same each time."""
    start = zlib.crc32(salt.encode())
    hashes = np.fromiter((zlib.crc32(name.encode(), start) for name in ids), np.float64, len(ids))
    return (hashes + 0.5) / 2.0**32


def _within(instants: Instants, span: tuple[int, int]) -> Bools:
    return (instants >= span[0]) & (instants < span[1])
