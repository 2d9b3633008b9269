"""A model without traffic, by the wall clock of a worker: P0 once it was silent too long, over with the next event."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import yaml
from confluent_kafka import Consumer, TopicPartition

from schemas import findings
from schemas.findings import Finding
from tests.support.generated import generate, reference_of, write_monitors
from tests.support.observed import apply
from tests.support.worker import PARTITIONS, Deployment

MODEL = "alpha"
PATIENCE_S = 6


def test_silence_is_told_as_p0_and_its_end_as_ok(deployment: Deployment) -> None:
    now_ms = int(time.time() * 1000)
    before = generate(MODEL, 400, seed=2, features=1)
    before = replace(before, times=before.times - before.times[-1] + now_ms - 3_600_000)
    apply(deployment, _impatient(write_monitors(deployment.folder, {MODEL: reference_of(before)})))
    deployment.start_worker(idle_after_s="1")
    deployment.send(before.records())
    deployment.send([_control(now_ms)] * PARTITIONS)
    consumer = Consumer({"bootstrap.servers": deployment.kafka, "group.id": f"{deployment.environment}-test"})
    consumer.assign([TopicPartition(deployment.names.topic("findings"), 0, 0)])

    silent = _next(consumer)
    assert (silent.state, silent.severity, silent.rule, silent.subject) == ("firing", "P0", "no_traffic", "model:alpha")
    assert PATIENCE_S <= (silent.value or 0.0) < 4 * PATIENCE_S
    assert (silent.threshold, silent.n) == (PATIENCE_S, 0)
    # Dated by the model's events, which are an hour old; decided by the wall's clock.
    assert silent.refresh_by is not None
    assert silent.at < silent.refresh_by
    assert now_ms < silent.seen < now_ms + 120_000

    after = generate(MODEL, 40, seed=3, features=1)
    deployment.send(replace(after, times=0 * after.times + int(time.time() * 1000)).records())
    told = silent
    while told.state == "firing":  # it is said again at each look
        assert told.key == silent.key
        last, told = told, _next(consumer)
        assert told.rev > last.rev
    assert (told.key, told.state) == (silent.key, "ok")
    consumer.close()


def _impatient(file: Path) -> Path:
    document = yaml.safe_load(file.read_text())
    document["models"][MODEL]["no_traffic_after"] = f"{PATIENCE_S}s"
    file.write_text(yaml.safe_dump(document))
    return file


def _control(watermark: int) -> bytes:
    return json.dumps({"control": "watermark", "timestamp": watermark}).encode()


def _next(consumer: Consumer) -> Finding:
    """The next finding of this rule."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            found = findings.decode(message.value() or b"")
            if isinstance(found, Finding) and found.rule == "no_traffic":
                return found
    raise AssertionError("no finding within a minute")
