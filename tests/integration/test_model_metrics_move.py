"""The series of models over real workers: every event once, before and after a worker that exports some of them is killed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from stream.evaluate.storing.shards import shard_of
from tests.support.generated import PANE_MS, START_MS, Events, generate, reference_of, write_monitors
from tests.support.observed import apply, page
from tests.support.process import Process
from tests.support.worker import PARTITIONS, QUICK, Deployment

#: One in each quarter of the 64 shards: of two workers, each of which has half of them in a row, both have some.
MODELS = ("theta", "zeta", "beta", "iota")
SPAN_MS = 10 * PANE_MS
REFERENCES = {model: reference_of(generate(model, 1_000, seed=1, features=2)) for model in MODELS}
BUDGET = "driftline_slo_budget_remaining_ratio"
#: That a model has of these events: counters and histograms from the start, and gauges once a pane was closed.
FAMILIES = {
    "model_predictions_total", "model_prediction_errors_total", "model_requests_total", "model_perplexity", BUDGET,
    "driftline_slo_burn_rate", "driftline_expected_false_alarms_total", "driftline_alarms_total",
    *(f"{name}_{part}" for part in ("bucket", "count", "sum") for name in (
        "model_inference_latency_seconds", "model_inference_duration_seconds", "model_input_tokens", "model_output_tokens",
    )),
    "model_baseline_mean", "feature_last_updated_timestamp",
}  # fmt: skip
EACH, FAILED = 300, 7
Series = dict[str, float]


def test_the_models_lie_in_every_quarter_of_the_shards() -> None:
    assert [shard_of(model) // 16 for model in MODELS] == [0, 1, 2, 3]


@pytest.mark.long
def test_a_killed_workers_models_go_on_from_their_sums_where_the_others_are(deployment: Deployment) -> None:
    """One of the two evaluates in a process beside it, which dies with it; the other one in its own."""
    apply(deployment, _promising(write_monitors(deployment.folder, REFERENCES)))
    deployment.program = ("-c", QUICK)
    killed, survivor = deployment.start_worker(evaluate="beside"), deployment.start_worker()
    events = [generate(model, EACH, seed=2, features=2, span_ms=SPAN_MS) for model in MODELS]
    deployment.send([record for of_model in events for record in of_model.records()])
    deployment.send([_answered(model, START_MS) for model in MODELS], stream="serving")
    for stream in ("predictions", "serving"):
        deployment.send([_closing(START_MS + SPAN_MS)] * PARTITIONS, stream=stream)
    deployment.wait_until_shared(killed, survivor)
    deployment.wait_until(lambda: _is_whole(_all(killed, survivor)) and all(_all(one) for one in (killed, survivor)))
    before = _all(killed, survivor)
    assert {name.partition("{")[0] for name in _of(before, "beta")} >= FAMILIES
    assert len({len(_of(before, model)) for model in MODELS}) == 1
    updated = {name: at for of_model in events for name, at in _updated(of_model).items()}
    assert {name: before.get(name) for name in updated} == updated

    killed.kill()
    deployment.send([_failed(model, START_MS + SPAN_MS + at) for model in MODELS for at in range(FAILED)])
    deployment.send([_closing(START_MS + SPAN_MS + PANE_MS)] * PARTITIONS)
    deployment.wait_until(lambda: _has_gone_on(before, _all(survivor)))
    after = _all(survivor)
    assert after.keys() >= before.keys()
    assert {name: after.get(name) for name in updated} == updated  # the failed ones had no features
    for model in MODELS:
        assert after[f'model_prediction_errors_total{{model_name="{model}",service="{model}"}}'] == FAILED
        assert after[f'model_inference_latency_seconds_count{{model_name="{model}",service="{model}"}}'] == FAILED
        assert after[f'{BUDGET}{{model_name="{model}",slo="errors"}}'] == 1 - FAILED / (EACH + FAILED) / 0.05
        assert after[f'{BUDGET}{{model_name="{model}",slo="latency"}}'] == 1.0


def _promising(file: Path) -> Path:
    """The monitors file with a service level for every model."""
    found = yaml.safe_load(file.read_text())
    for model in found["models"].values():
        model["serving"] = {"slo": {"errors": 0.05, "latency_p95": "500ms"}}
    file.write_text(yaml.safe_dump(found))
    return file


def _updated(events: Events) -> Series:
    """The time of the newest value of each feature, to the millisecond."""
    held = {name: ~np.isnan(values) for name, values in events.numbers.items()} | {"city": events.cities != ""}
    return {
        f'feature_last_updated_timestamp{{feature_name="{name}",model_name="{events.model}"}}': int(at.max()) / 1000
        for name, at in ((name, events.times[here]) for name, here in held.items())
    }


def _all(*workers: Process) -> Series:
    """Every series of a model, of all workers; none of two."""
    lines = [line for worker in workers for line in page(worker, "metrics")[1].splitlines() if 'model_name="' in line]
    pairs = [line.rpartition(" ")[::2] for line in lines]
    assert len({name for name, _ in pairs}) == len(pairs)
    return {name: float(value) for name, value in pairs if "_created" not in name}


def _of(found: Series, model: str) -> Series:
    return {name: value for name, value in found.items() if f'model_name="{model}"' in name}


def _counted(found: Series) -> list[float | None]:
    names = [f'model_predictions_total{{model_name="{model}",service="{model}"}}' for model in MODELS]
    return [found.get(name) for name in names]


def _is_whole(found: Series) -> bool:
    perplexities = [found.get(f'model_perplexity{{model_name="{model}"}}') for model in MODELS]
    return (_counted(found), perplexities) == ([EACH] * len(MODELS), [7.5] * len(MODELS))


def _has_gone_on(before: Series, now: Series) -> bool:
    """Whether every model has the further events; until then no counter, nor a part of a histogram, began anew."""
    assert {name: now[name] for name in before.keys() & now.keys() if _falls(name, before, now)} == {}
    return _counted(now) == [EACH + FAILED] * len(MODELS) and before.keys() <= now.keys()


def _falls(name: str, before: Series, now: Series) -> bool:
    counted = name.partition("{")[0].endswith(("_total", "_count", "_sum", "_bucket"))
    return counted and now[name] < before[name]


def _answered(model: str, timestamp: int) -> bytes:
    return json.dumps({"model": model, "timestamp": timestamp, "perplexity": 7.5}).encode()


def _closing(watermark: int) -> bytes:
    return json.dumps({"control": "watermark", "timestamp": watermark}).encode()


def _failed(model: str, timestamp: int) -> bytes:
    return json.dumps({"model": model, "timestamp": timestamp, "status": "error", "latency_s": 0.25}).encode()
