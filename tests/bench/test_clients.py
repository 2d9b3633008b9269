"""What reading a record costs with each client of Kafka: the experiment behind decision 0048."""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median

import pytest

from schemas.names import Names
from tests.bench.clients import CLIENTS, PARTITIONS
from tests.bench.events import Flow
from tests.bench.filling import fill, topics_of
from tests.bench.lineup import ROOT

NAMES = [client.__name__ for client in CLIENTS]


@pytest.mark.bench
def test_records_taken_batch_by_batch_cost_less_than_one_by_one(kafka_bootstrap: str, environment_name: str) -> None:
    found = cost_of(kafka_bootstrap, environment_name, events=400_000, rounds=5)
    for name, runs in found.items():
        print(f"{name:12} {median(runs):5.2f} µs of CPU a record ({', '.join(map(str, runs))})")
    assert median(found["batches"]) < median(found["aiokafka"])


def test_every_client_reads_to_the_end(kafka_bootstrap: str, environment_name: str) -> None:
    assert list(cost_of(kafka_bootstrap, environment_name, events=5_000, rounds=1)) == NAMES


def cost_of(kafka: str, environment: str, *, events: int, rounds: int) -> dict[str, list[float]]:
    """µs of CPU a record of each client, round by round."""
    found: dict[str, list[float]] = {name: [] for name in NAMES}
    names = Names(environment)
    topic = names.topic("predictions")
    with topics_of(kafka, names, partitions=PARTITIONS):
        fill(kafka, topic, Flow(20, PARTITIONS, events), told=lambda done: None)
        for name in NAMES * rounds:
            found[name].append(_one(name, kafka, topic, events))
    return found


def _one(client: str, kafka: str, topic: str, events: int) -> float:
    command = [sys.executable, "-m", "tests.bench.clients", client, kafka, topic, str(events)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=120)
    return float(done.stdout)
