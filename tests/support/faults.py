"""Models that are down for a while: a monitors file that rings PagerDuty for it, events that fail, and what was found of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import yaml
from confluent_kafka import Consumer, TopicPartition

from schemas import findings
from schemas.findings import Finding
from tests.support.generated import Events
from tests.support.worker import Deployment

OK = b'{"model"'
FAILED = b'{"status": "error", "model"'


def routed(file: Path) -> Path:
    """The monitors file with a route: P0 rings PagerDuty at once, everything else is the console's."""
    (file.parent / "key").write_text("k" * 32)
    document = yaml.safe_load(file.read_text())
    document["receivers"] = {
        "console": {},
        "oncall": {"pagerduty": {"routing_key": {"file": str(file.parent / "key")}}},
    }
    document["route"] = {
        "receiver": "console",
        "routes": [{"match": ['severity="P0"'], "receiver": "oncall", "open_wait": "0s"}],
    }
    file.write_text(yaml.safe_dump(document))
    return file


def records_with_fault(events: Events, *, from_ms: int, to_ms: int) -> list[bytes]:
    """The events as JSON; every request in [from, to) failed."""
    down = (events.times >= from_ms) & (events.times < to_ms)
    pairs = zip(events.records(), down.tolist(), strict=True)
    return [record.replace(OK, FAILED, 1) if failed else record for record, failed in pairs]


def failing_panes(events: Events, *, from_ms: int, to_ms: int, pane_ms: int) -> list[int]:
    """Ends of the panes in which every request failed, and 20 at least came: numpy's own count."""
    starts = events.times // pane_ms * pane_ms
    down = (events.times >= from_ms) & (events.times < to_ms)
    found, counts = np.unique(starts, return_counts=True)
    failed = [int(down[starts == start].sum()) for start in found]
    return [int(s) + pane_ms for s, n, k in zip(found, counts, failed, strict=True) if n == k and n >= 20]


def findings_on(deployment: Deployment) -> Iterator[tuple[int, Finding]]:
    """(Kafka's time in ms, finding) of everything on the topic ``findings``, in order, repeats too."""
    topic = deployment.names.topic("findings")
    consumer = Consumer({"bootstrap.servers": deployment.kafka, "group.id": f"{deployment.environment}-test"})
    try:
        end = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)[1]
        consumer.assign([TopicPartition(topic, 0, 0)])
        read = 0
        while read < end:
            for record in consumer.consume(min(1000, end - read), timeout=10):
                read = (record.offset() or 0) + 1
                message = findings.decode(record.value() or b"")
                if isinstance(message, Finding):
                    yield record.timestamp()[1], message
    finally:
        consumer.close()
