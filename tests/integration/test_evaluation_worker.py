"""Evaluation in a real worker: what it closed is what `driftline counts` shows, its conclusions arrive on Kafka, and a feature that
is served otherwise than its store says becomes an incident.  One worker for both: its start takes longer than either.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis
import yaml
from confluent_kafka import Consumer
from redis.asyncio import Redis as AsyncRedis

from schemas import findings, reports
from schemas.findings import Progress
from stream.evaluate.own_topics import ensure_topics
from stream.evaluate.panes.tiers import tiers_of
from stream.state.columns import layouts_of
from stream.state.generations import read, read_reference
from stream.state.layout import Layout
from stream.state.packing import Partial, empty, unpack
from stream.state.summary import summary_of
from tests.support.command import driftline
from tests.support.generated import PANE_MS, START_MS, generate, reference_of, write_monitors
from tests.support.models import reference as temperatures
from tests.support.observed import apply, counts
from tests.support.worker import PARTITIONS, Deployment

MODEL = "alpha"
REFERENCE = reference_of(generate(MODEL, 2_000, seed=1, features=3))
EVENTS = generate(MODEL, 8_000, seed=2, features=3, span_ms=130 * PANE_MS)
END_MS = START_MS + 130 * PANE_MS


@pytest.fixture(scope="module")
def deployment(kafka_bootstrap: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A worker that was sent both models' events, up to the end of all."""
    folder = tmp_path_factory.mktemp("worker")
    made = Deployment(kafka_bootstrap, redis_url, f"t{uuid.uuid4().hex[:10]}", folder)
    made.create_topics()
    ensure_topics(made.settings)
    apply(made, _with_store(write_monitors(folder, {MODEL: REFERENCE})))
    made.start_worker()
    made.send(_stored(), stream="features")
    made.send([*_served(), *EVENTS.records(), *[_control(END_MS)] * PARTITIONS])
    yield made
    made.stop()


def test_closed_panes_hold_what_was_counted_and_reports_and_marks_are_on_kafka(deployment: Deployment) -> None:
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

    told = [m for m in map(findings.decode, _read(deployment, "findings")) if m.model == MODEL]
    marks = [m for m in told if isinstance(m, Progress)]
    assert [mark.at for mark in marks] == sorted({mark.at for mark in marks})
    assert marks[-1].at == END_MS
    found = [one for one in map(reports.decode, _read(deployment, "drift-reports")) if one.model == MODEL]
    hours = [START_MS // 3_600_000 * 3_600_000 + hour * 3_600_000 for hour in (1, 2)]
    assert [report.end for report in found] == hours
    wanted = [int(((EVENTS.times >= end - 3_600_000) & (EVENTS.times < end)).sum()) for end in hours]
    assert [report.events for report in found] == wanted


def test_a_feature_served_in_another_unit_than_the_store_has_is_an_incident_that_names_it(
    deployment: Deployment,
) -> None:
    def incidents() -> list[dict[str, str]]:
        shown = driftline("incident", "ls", "--all", "--json", env=deployment.variables).json["incidents"]
        return [one for one in shown if one["title"].startswith("store:")]

    deployment.wait_until(lambda: bool(incidents()))
    (incident,) = incidents()
    assert (incident["title"], incident["severity"]) == ("store: temp not as in the feature store", "P2")
    deployment.wait_until(lambda: len(_compared(deployment)) == 3)
    assert _compared(deployment) == ["warming", "drift", "drift"]


def test_an_xid_in_samples_of_a_gpu_is_shown_and_an_incident_and_nobody_else_is_hurt(deployment: Deployment) -> None:
    """The last ten minutes of a GPU, in every partition and twice, then the watermark that ends them."""
    now = int(time.time() * 1000)
    samples = [_sample(now - minutes * 60_000, xid=79 if minutes < 3 else None) for minutes in range(10, 0, -1)]
    broken = json.dumps({"timestamp": now, "gpu": 0, "metrics": {}}).encode()
    deployment.send([*samples, *samples, broken, *[_control(now)] * PARTITIONS], stream="serving")

    def incidents() -> list[dict[str, str]]:
        shown = driftline("incident", "ls", "--all", "--json", env=deployment.variables).json["incidents"]
        return [one for one in shown if one["title"].startswith("GPU")]

    deployment.wait_until(lambda: bool(incidents()))
    (incident,) = incidents()
    assert (incident["title"], incident["severity"]) == ("GPU node-7/0: Xid 79", "P1")
    (gpu,) = driftline("gpus", "--json", env=deployment.variables).json["gpus"]
    assert (gpu["state"], gpu["timestamp"], gpu["metrics"]) == (
        "firing", now - 60_000, {"temperature_celsius": 71.0, "xid": 79.0},
    )  # fmt: skip
    refused = driftline("status", "--json", env=deployment.variables).json["streams"]["serving"]["rejected"]
    assert refused == {"missing_field": 1}
    with redis.Redis.from_url(deployment.redis_url) as client:
        assert client.zcard(deployment.names.of_gpu("node-7/GPU-1", "history")) == 10


def _sample(at: int, **metrics: float | None) -> bytes:
    found = {"temperature_celsius": 71, "power_watts": -1, "fan_speed": 12} | metrics
    return json.dumps({"timestamp": at, "gpu": 0, "uuid": "GPU-1", "host": "node-7", "metrics": found}).encode()


def _compared(deployment: Deployment) -> list[str]:
    """The states of the comparison's windows."""
    with redis.Redis.from_url(deployment.redis_url) as client:
        history: Any = client.xrange(deployment.names.history("store", "skew:short"))
    return [reports.decode(fields[b"document"]).state for _, fields in history]


def _with_store(file: Path) -> Path:
    """A model ``store`` beside the others, which promises to serve what its feature store says."""
    document = yaml.safe_load(file.read_text())
    (file.parent / "store.json").write_bytes(temperatures().to_json())
    document["models"]["store"] = {
        "reference": "store.json", "skew": 0.2, "windows": {"short": "2m"}, "step": "1m", "lateness": "0s",
        "features": {"temp": {"type": "numeric", "fixed": {"psi": 99}}},
    }  # fmt: skip
    file.write_text(yaml.safe_dump(document))
    return file


def _served() -> Iterator[bytes]:
    """Three minutes of 120 values, ten higher than the store's."""
    for at in range(360):
        event = {"timestamp": START_MS + at * 500, "model": "store", "features": {"temp": 14.0 + at % 3}}
        yield json.dumps(event).encode()


def _stored() -> Iterator[bytes]:
    """The same of the store, and the watermark at their end."""
    for at in range(360):
        event = {"timestamp": START_MS + at * 500, "feature": "temp", "source": "weather", "values": [4.0 + at % 3]}
        yield json.dumps(event).encode()
    yield from [_control(START_MS + 3 * PANE_MS)] * PARTITIONS


def _control(watermark: int) -> bytes:
    return json.dumps({"control": "watermark", "timestamp": watermark}).encode()


def _last(deployment: Deployment) -> int:
    async def ask() -> int:
        async with AsyncRedis.from_url(deployment.redis_url) as redis:
            return int(await redis.hget(deployment.names.evaluation(MODEL, "predictions"), "last") or 0)

    return asyncio.run(ask())


async def _closed(deployment: Deployment) -> tuple[Layout, dict[int, Partial]]:
    async with AsyncRedis.from_url(deployment.redis_url) as redis:
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
