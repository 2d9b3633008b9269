"""A configuration that a newer program wrote, met by workers of before: the one in force goes on, and that is said; nobody ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
import redis

from tests.support.generated import assert_counts, expected, generate, reference_of, write_monitors
from tests.support.observed import apply, counts, page, printed
from tests.support.process import Process
from tests.support.worker import Deployment

MODEL = "alpha"
REFERENCE = reference_of(generate(MODEL, 500, seed=1, features=1))
EVENTS = generate(MODEL, 900, seed=2, features=1)
RECORDS = list(EVENTS.records())
CALM = "16 partitions, 0 records to read"
UNKNOWN = "the stored configuration cannot be followed: models.alpha.monitor.weather: Extra inputs are not permitted"
STAYS = ("configuration stays at generation 1: ", "incidents stay with the configuration that they had: ")
NO_NUMBER = "the stored configuration cannot be followed: generation: is no number"


@pytest.fixture
def upgraded(deployment: Deployment) -> Deployment:
    """A deployment whose first generation this program wrote."""
    apply(deployment, write_monitors(deployment.folder, {MODEL: REFERENCE}))
    return deployment


def test_a_worker_goes_on_with_the_generation_that_it_has_and_says_so(upgraded: Deployment) -> None:
    worker = upgraded.start_worker(config_poll_s="0.1", flush_interval_s="0.1")
    with redis.Redis.from_url(upgraded.redis_url) as client:
        key = upgraded.names.config
        ours: dict[Any, Any] = client.hgetall(key)
        _count(upgraded, RECORDS[:300])
        client.hset(key, mapping={**ours, b"generation": 2, b"document": _newer(ours[b"document"], number=2)})
        _wait_until_said(upgraded, worker, UNKNOWN)
        _count(upgraded, RECORDS[300:600])
        upgraded.wait_until(lambda: _says(worker) == f"{CALM}; the configuration stays at generation 1: {UNKNOWN}")

        client.hset(key, "generation", "seven")
        _wait_until_said(upgraded, worker, NO_NUMBER)
        _count(upgraded, RECORDS[600:])
        assert NO_NUMBER in _says(worker)

        shown = page(worker, "metrics")[1]
        assert "driftline_config_generation 1.0" in shown
        assert "driftline_config_refused_total 0.0" not in shown

        client.hset(
            key, mapping={**ours, b"applied_ms": 8}
        )  # the program of before is back, with a configuration of its own
        upgraded.wait_until(lambda: _says(worker) == CALM)
    for why in (UNKNOWN, NO_NUMBER):
        assert [printed(worker, said + why) for said in STAYS] == [1, 1]
    assert_counts(counts(upgraded, MODEL), expected(EVENTS, REFERENCE))
    assert worker.alive


def _wait_until_said(deployment: Deployment, worker: Process, why: str) -> None:
    """Until those who count and those who decide about pages have both looked: each does at times of its own."""
    deployment.wait_until(lambda: all(printed(worker, said + why) for said in STAYS))


def _newer(document: bytes, *, number: int) -> str:
    """The configuration as a program of tomorrow writes it: with a key that today's does not know."""
    found = json.loads(document)
    found["models"][MODEL]["monitor"]["weather"] = "cloudy"
    return json.dumps(found | {"number": number})


def _count(deployment: Deployment, records: list[bytes]) -> None:
    deployment.send(records)
    deployment.wait_until_stored()


def _says(worker: Process) -> str:
    status, body = page(worker, "health")
    assert status == 200  # else an orchestrator ends it, and the next one could follow nothing
    found: str = json.loads(body)["says"]
    return found
