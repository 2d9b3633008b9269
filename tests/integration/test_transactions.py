"""Transactional producers: what was aborted was never produced, and what ends a transaction is no record left to read."""

from __future__ import annotations

import json
import time

from confluent_kafka import Producer

from tests.support.generated import START_MS, generate, reference_of, write_monitors
from tests.support.observed import apply, counts, offset_hash
from tests.support.worker import Deployment


def send(producer: Producer, deployment: Deployment, events: int) -> None:
    value = json.dumps({"model": "alpha", "timestamp": START_MS}).encode()
    for _ in range(events):
        producer.produce(deployment.names.topic("predictions"), value, partition=0)
    producer.flush(30)


def test_aborted_events_are_not_counted_and_an_idle_topic_is_at_its_end(deployment: Deployment) -> None:
    apply(deployment, write_monitors(deployment.folder, {"alpha": reference_of(generate("alpha", 500, seed=1))}))
    producer = Producer({"bootstrap.servers": deployment.kafka, "transactional.id": deployment.environment})
    producer.init_transactions(30)
    for events, commit in ((300, True), (100, False), (200, True)):
        producer.begin_transaction()
        send(producer, deployment, events)
        producer.commit_transaction(30) if commit else producer.abort_transaction(30)

    deployment.sent["predictions", 0] = 602  # 600 records, the marks that end three transactions, the last one unread
    deployment.start_worker(idle_after_s="1", config_poll_s="0.2")
    deployment.wait_until(lambda: deployment.stored()["predictions", 0] >= 602)
    deployment.wait_until(lambda: offset_hash(deployment).get("idle") == "1", timeout_s=15)
    time.sleep(1)
    assert counts(deployment, "alpha")["events"] == 500
