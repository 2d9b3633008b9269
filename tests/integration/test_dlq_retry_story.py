"""Events of a model that nobody had applied yet: after ``apply`` and ``dlq retry --all`` the counts are those of what was sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from tests.support.command import driftline
from tests.support.generated import assert_counts, expected, generate, reference_of, write_monitors
from tests.support.observed import apply, counts, printed
from tests.support.worker import Deployment

EARLY, LATE = generate("early", 900, seed=1, features=2), generate("late", 900, seed=2, features=2)
REFERENCES = {"early": reference_of(EARLY), "late": reference_of(LATE)}


@pytest.mark.long
def test_what_came_before_its_model_is_counted_exactly_once(deployment: Deployment) -> None:
    apply(deployment, write_monitors(deployment.folder, {"early": REFERENCES["early"]}))
    records = _mixed()
    deployment.send([b"not JSON", *records])
    worker = deployment.start_worker()
    deployment.wait_until_stored()
    assert counts(deployment, "early")["events"] == 900
    apply(deployment, write_monitors(deployment.folder, REFERENCES))
    deployment.wait_until(lambda: printed(worker, "following generation 2") == 1)
    _cut(deployment, partition=0, before=1)

    found = _retried(deployment, "--all")
    assert (found["sent"], found["skipped"], found["failed"]) == (len(records), 0, 1)
    [gone] = [one for one in found["records"] if one["state"] == "failed"]
    assert gone["why"] == "the record is gone: retention took it, the log begins at 1; send it from the source"
    for one in found["records"]:
        if one["sent_to"]:
            _, partition, _ = one["sent_to"].rsplit(":", 2)
            deployment.sent["predictions", int(partition)] += 1
    deployment.wait_until_stored()
    for events in (EARLY, LATE):
        assert_counts(counts(deployment, events.model), expected(events, REFERENCES[events.model]))
    assert _retried(deployment, "--reason", "unknown_model")["skipped"] == len(records)


def _mixed() -> list[bytes]:
    """Arrays of 300 events of each model, more than there are letters of one record, and a batch of each hundred of the rest."""
    pairs = [[json.loads(record) for record in events.records()] for events in (EARLY, LATE)]
    arrays = [json.dumps([one for at in range(first, first + 300) for one in (pairs[0][at], pairs[1][at])]).encode()
              for first in (0, 300)]  # fmt: skip
    batches = [
        [one for pair in zip(*pairs, strict=True) for one in pair][2 * at : 2 * at + 100] for at in range(600, 900, 50)
    ]
    return [*arrays, *(json.dumps(_columns(batch)).encode() for batch in batches)]


def _columns(events: list[dict[str, Any]]) -> dict[str, Any]:
    features = {name: [one["features"][name] for one in events] for name in events[0]["features"]}
    scores = [one["prediction"]["score"] for one in events]
    plain = {name: [one[name] for one in events] for name in ("model", "timestamp")}
    return plain | {"features": features, "prediction": {"score": scores}}


def _retried(deployment: Deployment, *arguments: str) -> Any:
    ended = driftline("dlq", "retry", *arguments, "--json", env=deployment.variables)
    assert ended.err == ""
    return json.loads(ended.out)


def _cut(deployment: Deployment, *, partition: int, before: int) -> None:
    admin = AdminClient({"bootstrap.servers": deployment.kafka})
    place = TopicPartition(deployment.names.topic("predictions"), partition, before)
    for done in admin.delete_records([place]).values():
        done.result()
