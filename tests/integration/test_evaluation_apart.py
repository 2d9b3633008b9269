"""Evaluation in a process of its own: workers that only count, a process that only evaluates, and another that takes over."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import urllib.request
from pathlib import Path

import pytest
import redis
from redis.asyncio import Redis

from tests.support.generated import PANE_MS, START_MS, generate, reference_of, write_monitors
from tests.support.observed import apply, page, printed
from tests.support.process import Process
from tests.support.worker import PARTITIONS, Deployment

MODEL = "alpha"
REFERENCE = reference_of(generate(MODEL, 2_000, seed=1, features=3))
FIRST = generate(MODEL, 4_000, seed=2, features=3, span_ms=65 * PANE_MS)
HALF_MS, END_MS = START_MS + 65 * PANE_MS, START_MS + 130 * PANE_MS


def test_a_worker_counts_and_others_evaluate_until_the_last(deployment: Deployment) -> None:
    apply(deployment, write_monitors(deployment.folder, {MODEL: REFERENCE}))
    worker = deployment.start_worker(evaluate="elsewhere")
    deployment.send(FIRST.records())
    deployment.send([_control(HALF_MS)] * PARTITIONS)
    deployment.wait_until_stored()
    assert "this worker counts and does not evaluate" in worker.log.read_text()
    assert (_last(deployment), _leases(deployment)) == (0, 0)

    killed = deployment.start_evaluator()
    deployment.wait_until(lambda: _last(deployment) == HALF_MS)
    assert _leases(deployment) == 64
    deployment.wait_until(lambda: f'model_name="{MODEL}"' in _page(killed, "metrics"))
    assert re.search(r"^driftline_closed_panes_total 6[0-9]\.0$", _page(killed, "metrics"), re.MULTILINE)
    assert json.loads(_page(killed, "health")) == {"well": True, "says": "64 shards of models"}
    assert json.loads(_page(killed, "ready")) == {"ready": True}
    killed.kill()

    successor = deployment.start_evaluator()
    deployment.send([_control(END_MS)] * PARTITIONS)
    deployment.wait_until(lambda: _last(deployment) == END_MS)
    assert successor.stop() == 0
    assert _leases(deployment) == 0
    assert worker.alive


def test_a_worker_with_evaluation_beside_it_is_one_thing_to_start_to_look_at_and_to_stop(
    deployment: Deployment,
) -> None:
    apply(deployment, write_monitors(deployment.folder, {MODEL: REFERENCE}))
    worker = deployment.start_worker(evaluate="beside")
    deployment.send(FIRST.records())
    deployment.send([_control(HALF_MS)] * PARTITIONS)
    deployment.wait_until(lambda: _last(deployment) == HALF_MS)
    deployment.wait_until(lambda: f'model_predictions_total{{model_name="{MODEL}"' in page(worker, "metrics")[1])
    names = re.findall(r"^# TYPE (\S+)", page(worker, "metrics")[1], re.MULTILINE)
    assert {"driftline_events_total", "driftline_closed_panes_total", "model_predictions_total"} <= set(names)
    assert len(names) == len(set(names))
    assert worker.stop() == 0
    assert _leases(deployment) == 0


@pytest.mark.long
def test_neither_outlives_the_other(deployment: Deployment) -> None:
    apply(deployment, write_monitors(deployment.folder, {MODEL: REFERENCE}))
    worker = deployment.start_worker(evaluate="beside")
    deployment.wait_until(lambda: _leases(deployment) == 64)
    os.kill(_child(worker), signal.SIGKILL)
    deployment.wait_until(lambda: not worker.alive)
    assert worker.stop() == 70

    killed = deployment.start_worker(evaluate="beside")
    deployment.wait_until(lambda: printed(killed, "evaluator: http") == 1)
    child = _child(killed)
    os.kill(killed.pid, signal.SIGKILL)
    deployment.wait_until(lambda: not Path(f"/proc/{child}").exists())


def _child(worker: Process) -> int:
    (child,) = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
    return int(child)


def _control(watermark: int) -> bytes:
    return json.dumps({"control": "watermark", "timestamp": watermark}).encode()


def _page(process: Process, path: str) -> str:
    said = re.search(r"evaluator: (http://\S+)", process.log.read_text())
    assert said
    with urllib.request.urlopen(f"{said[1]}/{path}", timeout=5) as answer:
        return str(answer.read().decode())


def _last(deployment: Deployment) -> int:
    async def ask() -> int:
        async with Redis.from_url(deployment.redis_url) as client:
            return int(await client.hget(deployment.names.evaluation(MODEL, "predictions"), "last") or 0)

    return asyncio.run(ask())


def _leases(deployment: Deployment) -> int:
    """Shards that somebody holds now."""
    with redis.Redis.from_url(deployment.redis_url) as client:
        return sum(1 for _ in client.scan_iter(match=deployment.names.key("evaluation", "lease", "*")))
