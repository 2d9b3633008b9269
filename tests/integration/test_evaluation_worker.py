"""Evaluation in a real worker: what it closed is what `driftline counts` shows, and its conclusions arrive on Kafka."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import numpy as np
from confluent_kafka import Consumer
from redis.asyncio import Redis

from schemas import findings, reports
from schemas.findings import Progress
from stream.evaluate.panes.tiers import tiers_of
from stream.state.columns import layouts_of
from stream.state.generations import read, read_reference
from stream.state.layout import Layout
from stream.state.packing import Partial, empty, unpack
from stream.state.summary import summary_of
from tests.support.generated import PANE_MS, START_MS, generate, reference_of, write_monitors
from tests.support.observed import apply, counts
from tests.support.worker import PARTITIONS, Deployment

MODEL = "alpha"
REFERENCE = reference_of(generate(MODEL, 2_000, seed=1, features=3))
EVENTS = generate(MODEL, 8_000, seed=2, features=3, span_ms=130 * PANE_MS)
END_MS = START_MS + 130 * PANE_MS


def test_closed_panes_hold_what_was_counted_and_reports_and_marks_are_on_kafka(deployment: Deployment) -> None:
    apply(deployment, write_monitors(deployment.folder, {MODEL: REFERENCE}))
    deployment.start_worker()
    deployment.send(EVENTS.records())
    deployment.send([_control(END_MS)] * PARTITIONS)
    deployment.wait_until(lambda: _last(deployment) == END_MS)

    shown = counts(deployment, MODEL, from_ms=START_MS, to_ms=END_MS)
    layout, panes = asyncio.run(_closed(deployment))
    total = empty(layout.cells, len(layout.numeric))
    for pane in panes.values():
        total += pane
    merged = summary_of(layout, total)
    assert {name: shown[name] for name in merged} == json.loads(json.dumps(merged))
    assert shown["events"] == len(EVENTS) == int(total.cells[1])
    assert len(panes) == len(np.unique(EVENTS.times // PANE_MS))

    marks = [m for m in map(findings.decode, _read(deployment, "findings")) if isinstance(m, Progress)]
    assert [mark.at for mark in marks] == sorted({mark.at for mark in marks})
    assert marks[-1].at == END_MS
    found = [reports.decode(value) for value in _read(deployment, "drift-reports")]
    hours = [START_MS // 3_600_000 * 3_600_000 + hour * 3_600_000 for hour in (1, 2)]
    assert [report.end for report in found] == hours
    wanted = [int(((EVENTS.times >= end - 3_600_000) & (EVENTS.times < end)).sum()) for end in hours]
    assert [report.events for report in found] == wanted


def _control(watermark: int) -> bytes:
    return json.dumps({"control": "watermark", "timestamp": watermark}).encode()


def _last(deployment: Deployment) -> int:
    async def ask() -> int:
        async with Redis.from_url(deployment.redis_url) as redis:
            return int(await redis.hget(deployment.names.evaluation(MODEL, "predictions"), "last") or 0)

    return asyncio.run(ask())


async def _closed(deployment: Deployment) -> tuple[Layout, dict[int, Partial]]:
    async with Redis.from_url(deployment.redis_url) as redis:
        generation = await read(redis, deployment.names)
        assert generation is not None
        force = generation.models[MODEL]
        reference = await read_reference(redis, deployment.names, force.reference)
        layout = layouts_of(MODEL, force.monitor, reference, digest=force.reference)["predictions"]
        pane = tiers_of(layout.pane_ms)[0]
        pattern = deployment.names.of_model(MODEL, "closed", "predictions", layout.hash, pane.name, "*")
        found: dict[int, Partial] = {}
        async for key in redis.scan_iter(match=pattern, count=10_000):
            stored: dict[Any, Any] = await redis.hgetall(key)
            found |= {int(start): unpack(packed, layout.cells) for start, packed in stored.items()}
        return layout, found


def _read(deployment: Deployment, topic: str) -> list[bytes]:
    """Everything on a topic of ours, in order."""
    consumer = Consumer(
        {
            "bootstrap.servers": deployment.kafka,
            "group.id": f"{deployment.environment}-test",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([deployment.names.topic(topic)])
    found: list[bytes] = []
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < (2 if found else 20):
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            found.append(message.value() or b"")
            quiet_since = time.monotonic()
    consumer.close()
    return found
