"""A partition that runs ahead of the others in event time is not fetched until they have caught up."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.generated import PANE_MS, START_MS, generate, reference_of, write_monitors
from tests.support.observed import apply, counts
from tests.support.worker import Deployment

FAST, SLOW = 0, 1
#: Far more than what may wait between Kafka and the agent, so that a held partition cannot run through.
MANY = 120_000
RUN = 500


@pytest.fixture
def deployment(kafka_bootstrap: str, redis_url: str, environment_name: str, tmp_path: Path) -> Iterator[Deployment]:
    """Without topics: they appear under the worker."""
    made = Deployment(kafka_bootstrap, redis_url, environment_name, tmp_path)
    yield made
    made.stop()


def event(minute: float) -> bytes:
    return json.dumps({"model": "alpha", "timestamp": int(START_MS + minute * PANE_MS)}).encode()


def send(deployment: Deployment, partition: int, minutes: list[float]) -> None:
    """Send events of these minutes to one partition."""
    producer, place = deployment.producer(), ("predictions", partition)
    for number, minute in enumerate(minutes):
        producer.produce(deployment.names.topic("predictions"), event(minute), partition=partition)
        if number % 1000 == 0:
            producer.poll(0)
    assert producer.flush(30) == 0
    deployment.sent[place] = deployment.sent.get(place, 0) + len(minutes)


@pytest.mark.long
def test_a_partition_that_runs_ahead_waits_for_the_slowest(deployment: Deployment) -> None:
    apply(deployment, write_monitors(deployment.folder, {"alpha": reference_of(generate("alpha", 500, seed=1))}))
    send(deployment, FAST, [600 * number / MANY for number in range(MANY)])  # ten hours
    send(deployment, SLOW, [0.0])
    # The slow one never counts as idle here, and the fast one may be an hour ahead.
    pace = {"run_ahead_s": "3600", "idle_after_s": "3600", "max_run_records": str(RUN)}
    deployment.start_worker(**pace, config_poll_s="0.1", flush_interval_s="0.1")
    deployment.wait_until(lambda: deployment.stored()["predictions", SLOW] == 1)
    time.sleep(3)
    held_at = deployment.stored()["predictions", FAST]
    assert MANY / 10 < held_at < 0.8 * MANY  # past the hour by what was counted before the hold, and far from the end
    time.sleep(
        10
    )  # metadata of the new topics arrives meanwhile: the hold outlasts the rebalance, but for a fetch under way
    assert deployment.stored()["predictions", FAST] <= held_at + 4 * RUN

    send(deployment, SLOW, [600.0])
    deployment.wait_until_stored()
    assert counts(deployment, "alpha", to_ms=START_MS + 700 * PANE_MS)["events"] == MANY + 2
