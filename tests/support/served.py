"""A model that is called all the time, and whose trouble can be turned on and off: for tests that wait for alerts.

Its panes are a second long and event time is the clock's, so what is produced now is judged within two seconds.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from detectors.profile import build_reference, panes_of
from tests.support.worker import PARTITIONS, Deployment

MODEL = "served"
PANE_MS = 1000
#: Requests a second: usually, and when most callers have gone.
USUAL, FEW = 100, 20
#: Longer ago than half an hour, the short window of a burn rate, its first requests were made.
KNOWN_FOR_MS = 31 * 60_000
MONITORS = {
    "schema": 1,
    "defaults": {"pane": "1s", "windows": {"short": "2s"}, "step": "2s", "lateness": "0s", "revise_within": "1d"},
    "models": {
        MODEL: {
            "service": "api",
            "reference": f"{MODEL}.json",
            "prediction": {"kind": "binary", "classes": ["no", "yes"], "positive": "yes", "threshold": 0.5},
            "serving": {"from": "predictions", "slo": {"errors": 0.01, "latency_p95": "1s"}},
            "features": {
                "temp": {"type": "numeric", "importance": 0.9},
                "gust": {"type": "numeric", "importance": 0.1, "freshness_sla": "5s"},
            },
        }
    },
}


def write_monitors(folder: Path) -> Path:
    """The monitors file, with a reference of two minutes of the model as it is when it is well."""
    rng = np.random.default_rng(1)
    rows = 120 * USUAL
    panes = panes_of(np.sort(rng.integers(0, 120 * PANE_MS, rows)), pane_ms=PANE_MS)
    columns: Any = {"temp": rng.normal(10, 2, rows), "gust": rng.normal(5, 1, rows)}
    (folder / f"{MODEL}.json").write_bytes(
        build_reference(MODEL, columns, panes=panes, score=rng.beta(2, 5, rows)).to_json()
    )
    file = folder / "monitors.yaml"
    file.write_text(yaml.safe_dump(MONITORS))
    return file


def record(rng: np.random.Generator, *, at_ms: int, ill: bool) -> bytes:
    """One prediction; an ill model errs, is slow, talks long, misses features and scores otherwise, as another version."""
    failed = ill and rng.random() < 0.3
    temp = None if ill and rng.random() < 0.5 else float(rng.normal(18 if ill else 10, 2))
    event = {
        "model": MODEL,
        "version": "4" if ill else "3",
        "timestamp": at_ms,
        "features": {"temp": temp, "gust": None if ill else float(rng.normal(5, 1))},
        "prediction": {"score": float(rng.beta(5, 2) if ill else rng.beta(2, 5))},
        "latency_s": 3.0 if ill else 0.02,
        "status": "error" if failed else "success",
        "input_tokens": 100,
        "output_tokens": 1500 if ill else 150,
    }
    return json.dumps(event).encode()


@contextmanager
def called(deployment: Deployment) -> Iterator[threading.Event]:
    """Calls go on in the background while the block runs; the model is ill while the event that it gets is set."""
    ill, over = threading.Event(), threading.Event()
    caller = threading.Thread(target=_call, args=(deployment, ill, over), daemon=True)
    caller.start()
    try:
        yield ill
    finally:
        over.set()
        caller.join(20)


def _call(deployment: Deployment, ill: threading.Event, over: threading.Event) -> None:
    producer, rng = deployment.producer(), np.random.default_rng(2)
    topic = deployment.names.topic("predictions")
    for number in range(4 * PARTITIONS):  # a burn rate speaks of a model that was known before its short window
        early = int(time.time() * 1000) - KNOWN_FOR_MS
        producer.produce(topic, record(rng, at_ms=early, ill=False), partition=number % PARTITIONS)
    while not over.is_set():
        now, sick = int(time.time() * 1000), ill.is_set()
        for number in range((FEW if sick else USUAL) // 5):
            producer.produce(topic, record(rng, at_ms=now, ill=sick), partition=number % PARTITIONS)
        producer.flush(10)
        over.wait(0.2)
