"""The series of a model over real workers: their sum is every event once, before and after the worker that exports it is killed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.support.generated import PANE_MS, START_MS, generate, reference_of, write_monitors
from tests.support.observed import apply, page
from tests.support.process import Process
from tests.support.worker import PARTITIONS, Deployment

MODEL = "alpha"
SPAN_MS = 10 * PANE_MS
REFERENCE = reference_of(generate(MODEL, 2_000, seed=1, features=2))
OF_MODEL = f'model_name="{MODEL}"'
BUDGET = "driftline_slo_budget_remaining_ratio"
#: That the model has of these events: counters and histograms from the start, and gauges once a pane was closed.
FAMILIES = {
    "model_predictions_total", "model_prediction_errors_total", "model_requests_total", "model_perplexity", BUDGET,
    "driftline_slo_burn_rate", "driftline_expected_false_alarms_total", "driftline_alarms_total",
    *(f"{name}_{part}" for part in ("bucket", "count", "sum") for name in (
        "model_inference_latency_seconds", "model_inference_duration_seconds", "model_input_tokens", "model_output_tokens",
    )),
    "model_baseline_mean", "feature_last_updated_timestamp",
}  # fmt: skip
FIRST = generate(MODEL, 1_500, seed=2, features=2, span_ms=SPAN_MS)


@pytest.mark.slow
def test_a_killed_owner_is_followed_by_one_that_goes_on_from_its_sums(deployment: Deployment) -> None:
    apply(deployment, _promising(write_monitors(deployment.folder, {MODEL: REFERENCE})))
    owner = deployment.start_worker()
    deployment.wait_until_shared(owner)
    deployment.send(FIRST.records())
    deployment.send([_closing(START_MS + SPAN_MS)] * PARTITIONS)
    deployment.send([_answered(START_MS + at) for at in range(4)], stream="serving")
    deployment.send([_closing(START_MS + SPAN_MS)] * PARTITIONS, stream="serving")
    deployment.wait_until(lambda: _shown([owner]) == [len(FIRST)])
    deployment.wait_until(lambda: _shown([owner], "model_perplexity") == [7.5])
    before = _all([owner])
    assert {name.partition("{")[0] for name in before} >= FAMILIES

    survivor = deployment.start_worker()
    deployment.wait_until_shared(owner, survivor)
    # One of them shows the model, whichever has the lease, and shows all of it.
    deployment.wait_until(lambda: _all([owner, survivor]) == before)
    owner.kill()
    deployment.wait_until(lambda: _all([survivor]) == before)

    deployment.send([_failed(START_MS + SPAN_MS + at) for at in range(7)])
    deployment.send([_closing(START_MS + SPAN_MS + PANE_MS)] * PARTITIONS)
    deployment.wait_until(lambda: _shown([survivor]) == [len(FIRST) + 7])
    assert _shown([survivor], "model_prediction_errors_total") == [7]
    assert _shown([survivor], "model_inference_latency_seconds_count") == [7]
    deployment.wait_until(lambda: _shown([survivor], BUDGET) == [1 - 7 / (len(FIRST) + 7) / 0.05, 1.0])
    after = _all([survivor])
    assert after.keys() >= before.keys()
    assert {name: after[name] for name in before if _falls(name, before, after)} == {}


def _promising(file: Path) -> Path:
    """The monitors file with a service level for every model."""
    found = yaml.safe_load(file.read_text())
    for model in found["models"].values():
        model["serving"] = {"slo": {"errors": 0.05, "latency_p95": "500ms"}}
    file.write_text(yaml.safe_dump(found))
    return file


def _all(workers: list[Process]) -> dict[str, float]:
    """Every series of the model, of all workers; none of two."""
    lines = [line for worker in workers for line in page(worker, "metrics")[1].splitlines() if OF_MODEL in line]
    pairs = [line.rpartition(" ")[::2] for line in lines]
    assert len({name for name, _ in pairs}) == len(pairs)
    return {name: float(value) for name, value in pairs if "_created" not in name}


def _falls(name: str, before: dict[str, float], after: dict[str, float]) -> bool:
    """Whether a counter, or a part of a histogram, began anew."""
    counted = name.partition("{")[0].endswith(("_total", "_count", "_sum", "_bucket"))
    return counted and after[name] < before[name]


def _answered(timestamp: int) -> bytes:
    return json.dumps({"model": MODEL, "timestamp": timestamp, "perplexity": 7.5}).encode()


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
