"""The series of a model over real workers: their sum is every event once, before and after the worker that exports it is killed."""

from __future__ import annotations

import json

import pytest

from tests.support.generated import PANE_MS, START_MS, generate, reference_of, write_monitors
from tests.support.observed import apply, page
from tests.support.process import Process
from tests.support.worker import PARTITIONS, Deployment

MODEL = "alpha"
SPAN_MS = 10 * PANE_MS
REFERENCE = reference_of(generate(MODEL, 2_000, seed=1, features=2))
FIRST = generate(MODEL, 1_500, seed=2, features=2, span_ms=SPAN_MS)


@pytest.mark.slow
def test_a_killed_owner_is_followed_by_one_that_goes_on_from_its_sums(deployment: Deployment) -> None:
    apply(deployment, write_monitors(deployment.folder, {MODEL: REFERENCE}))
    owner = deployment.start_worker()
    deployment.wait_until_shared(owner)
    deployment.send(FIRST.records())
    deployment.send([_closing(START_MS + SPAN_MS)] * PARTITIONS)
    deployment.wait_until(lambda: _shown([owner]) == [len(FIRST)])

    survivor = deployment.start_worker()
    deployment.wait_until_shared(owner, survivor)
    assert _shown([owner, survivor]) == [len(FIRST)]  # one of them, whichever has the lease
    owner.kill()
    deployment.wait_until(lambda: _shown([survivor]) == [len(FIRST)])

    deployment.send([_failed(START_MS + SPAN_MS + at) for at in range(7)])
    deployment.send([_closing(START_MS + SPAN_MS + PANE_MS)] * PARTITIONS)
    deployment.wait_until(lambda: _shown([survivor]) == [len(FIRST) + 7])
    assert _shown([survivor], "model_prediction_errors_total") == [7]
    assert _shown([survivor], "model_inference_latency_seconds_count") == [7]


def _closing(watermark: int) -> bytes:
    return json.dumps({"control": "watermark", "timestamp": watermark}).encode()


def _failed(timestamp: int) -> bytes:
    return json.dumps({"model": MODEL, "timestamp": timestamp, "status": "error", "latency_s": 0.25}).encode()


def _shown(workers: list[Process], series: str = "model_predictions_total") -> list[float]:
    """The values of a model's series, of every worker that exports it."""
    bodies = [page(worker, "metrics")[1] for worker in workers]
    lines = [
        line for body in bodies for line in body.splitlines() if line.startswith(f'{series}{{model_name="{MODEL}"')
    ]
    return [float(line.rpartition(" ")[2]) for line in lines]
