"""Events of which each brings a category that nobody has seen, counted by a real worker: what it and Redis hold of them.

Half of them are single events, half columnar batches; ``city`` is counted by name, ``tail`` by a hash.  A neighbour's events lie
among them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import redis
import yaml

from tests.support.generated import PANE_MS, START_MS, generate, reference_of, write_monitors
from tests.support.observed import apply, counts
from tests.support.worker import Deployment

MODEL, NEIGHBOUR = "alpha", "beta"
PANES = 10
BATCH = 500


@dataclass(frozen=True, slots=True)
class Held:
    """Memory of the worker and what panes of the model take in Redis (bytes), CPU that the worker took (s), and the counts."""

    worker: int
    panes: int
    cpu_s: float
    counts: dict[str, Any]


def prepare(deployment: Deployment) -> None:
    """Put both models into force, and start a worker."""
    models = {model: reference_of(generate(model, 500, seed=1, features=1)) for model in (MODEL, NEIGHBOUR)}
    file = write_monitors(deployment.folder, models)
    document = yaml.safe_load(file.read_text())
    document["models"][MODEL]["features"]["tail"] = {"type": "categorical", "hash": True}
    file.write_text(yaml.safe_dump(document))
    apply(deployment, file)
    deployment.start_worker()


def send(deployment: Deployment, numbers: range, *, distinct: int, longer: int = 0) -> None:
    """An event for each number, with one of so many names, of four times ``longer`` letters more, and some of the neighbour's."""
    deployment.send(_records(iter(numbers), distinct, longer=longer))
    deployment.wait_until_stored(timeout_s=300)


def held(deployment: Deployment) -> Held:
    """What is held now."""
    pid = deployment.workers[0].pid
    status = Path(f"/proc/{pid}/status").read_text()
    ticks = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    with redis.Redis.from_url(deployment.redis_url) as client:
        of_all = client.scan_iter(match=deployment.names.key("*", "panes", MODEL, "*"), count=1000)
        panes = sum(int(client.memory_usage(key) or 0) for key in of_all)
    resident = next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmRSS"))
    return Held(resident, panes, (int(ticks[11]) + int(ticks[12])) / 100, counts(deployment, MODEL))


def _records(numbers: Iterator[int], distinct: int, *, longer: int) -> Iterator[bytes]:
    while some := list(islice(numbers, BATCH)):
        yield from (json.dumps(_event(number, distinct, longer)).encode() for number in some)
        yield json.dumps(_event(some[0], 1, longer) | {"model": NEIGHBOUR}).encode()
        if columns := list(islice(numbers, BATCH)):
            rows = [_event(number, distinct, longer) for number in columns]
            features = {name: [row["features"][name] for row in rows] for name in ("city", "tail")}
            batch = {"model": MODEL, "timestamp": [row["timestamp"] for row in rows], "features": features}
            yield json.dumps(batch).encode()


def _event(number: int, distinct: int, longer: int) -> dict[str, Any]:
    name = f"{number % distinct:x}-\u00fc\x00{'long' * (longer + number % 7)}"
    features = {"city": name, "tail": name}
    return {"model": MODEL, "timestamp": START_MS + number % PANES * PANE_MS, "features": features}
