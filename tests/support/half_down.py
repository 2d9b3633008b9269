"""An hour of one model in two parts: every request fails from the tenth minute to the thirtieth, and the parts meet between."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.faults import records_with_fault, routed
from tests.support.generated import PANE_MS, START_MS, generate, reference_of, write_monitors
from tests.support.worker import PARTITIONS

MODEL = "alpha"
EVENTS = generate(MODEL, 6_000, seed=90, features=2, span_ms=60 * PANE_MS)
REFERENCE = reference_of(generate(MODEL, 2_000, seed=91, features=2))
END_MS = START_MS + 60 * PANE_MS


def monitors(folder: Path) -> Path:
    """The model, and a route that rings PagerDuty for a P0."""
    return routed(write_monitors(folder, {MODEL: REFERENCE}))


def parts() -> tuple[list[bytes], list[bytes]]:
    """What comes until the fault is half over, and the rest, with what closes its last pane."""
    records = records_with_fault(EVENTS, from_ms=START_MS + 10 * PANE_MS, to_ms=START_MS + 30 * PANE_MS)
    first = int((EVENTS.times < START_MS + 20 * PANE_MS).sum())
    closing = json.dumps({"control": "watermark", "timestamp": END_MS}).encode()
    return records[:first], [*records[first:], *[closing] * PARTITIONS]
