"""Events of every kind and stream, alone and in batches, narrow and packed, whole and broken: what a worker may meet.

Run as a program it warms all kernels, counts these events, and prints which kernel met arguments of other types than before.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from schemas.names import Stream
from stream.compiled.jit import KERNELS
from stream.ingest.forms import stored_forms
from stream.ingest.warm import warm
from tests.support.arms import RELEASE
from tests.support.ingest import HOUR, NOON, Stored, both, counter, run, tenure

#: So many rows are counted by whole columns where they come as such, and fewer are not.
MANY, FEW = 400, 3
NUMBERS = (3.5, None, 7, -0.0, 1e9, True, "x")

EVENTS: dict[Stream, tuple[dict[str, Any], ...]] = {
    "predictions": (
        {
            "model": "trees", "version": "3", "id": "a", "features": {"temp": 3.5, "wide": 1, "gust": 1, "carrier": "UA"},
            "prediction": {"score": 0.25, "label": "yes"}, "latency_s": 0.1, "status": "error", "note": "x",
        },
        {"model": "prices", "features": {"temp": 3.5}, "prediction": {"value": 9.5}, "version": 4},
        {"model": "nobody's", "features": {"temp": 3.5}},
    ),
    "labels": ({"model": "trees", "id": "a", "outcome": "yes", "metrics": {"delay": 4.5}, "rating": 1},),
    "features": ({"feature": "temp", "source": "w", "value": 3.5}, {"feature": "carrier", "source": "w", "value": "UA"}),
    "serving": (
        {"model": "trees", "status": "success", "latency_s": 0.5, "input_tokens": 3, "host": "h", "version": "4"},
        {"host": "h", "gpu": "0", "uuid": "GPU-1", "metrics": {"gpu_utilization": 0.5}},
    ),
}  # fmt: skip


def records(stream: Stream) -> Iterator[bytes | None]:
    """Values of records, of times around two panes, some late, some broken."""
    for at, event in enumerate(EVENTS[stream]):
        for number in range(2 * len(NUMBERS)):
            changed = event | {"timestamp": NOON + at + number * HOUR // 7}
            yield json.dumps(_with(changed, NUMBERS[number % len(NUMBERS)])).encode()
        for rows in (FEW, MANY):
            yield from _batches(event, rows)
    yield from (
        b"",
        b"{",
        b"[1]",
        b'{"model": "trees"}',
        b'{"model": "trees", "timestamp": "2013-01-01T10:30:00Z"}',
        None,
    )


def _with(event: Mapping[str, Any], value: Any) -> dict[str, Any]:
    features = event.get("features")
    return dict(event) | ({"features": {**features, "temp": value}} if features else {})


def _batches(event: Mapping[str, Any], rows: int) -> Iterator[bytes]:
    times = [NOON + at for at in range(rows)]
    columns = {**{key: value for key, value in event.items() if key != "value"}, "timestamp": times}
    if "value" in event:
        columns["values"] = [event["value"]] * rows
    yield json.dumps(columns).encode()
    if "features" in event:
        floats = np.linspace(-1.0, 30.0, rows).tolist()
        yield json.dumps(columns | {"features": event["features"] | {"temp": floats, "wide": floats}}).encode()
        packed = {"f64": base64.b64encode(np.array(floats, "<f8").tobytes()).decode()}
        yield json.dumps(columns | {"features": event["features"] | {"temp": packed, "wide": packed}}).encode()


async def count(stream: Stream) -> int:
    """Count them, and how many there were."""
    plans = both(duplicates=0.01, release=RELEASE)
    counting, owner = counter({stream: plans[stream]}), tenure(stream=stream, clock=NOON + HOUR)
    for number, value in enumerate(records(stream)):
        await counting.add(run([Stored(value, number, NOON + HOUR)], owner), owner)
        if number % 9 == 0:
            await counting.drain()
        await counting.learn()
    await counting.drain()
    stored_forms(list(owner.panes.values()), counting.rooms)
    return counting.events


def signatures() -> dict[str, int]:
    """Of each kernel for how many types there is machine code."""
    return {kernel.function.__name__: len(kernel.signatures) for kernel in KERNELS}


if __name__ == "__main__":
    warm()
    before = signatures()
    events = {stream: asyncio.run(count(stream)) for stream in EVENTS}
    met = {name: many for name, many in signatures().items() if many > before.get(name, 0)}
    print(json.dumps({"events": events, "compiled later": met}))
