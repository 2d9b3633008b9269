"""Bad ``serving`` events sent to a real worker: each is refused with a reason or counted, it is shown, and nobody else is hurt.

One worker reads it all once; each test looks at one of the places where it is to be seen.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.command import driftline
from tests.support.console_site import ConsoleSite
from tests.support.generated import PANE_MS, START_MS, generate, reference_of, write_monitors
from tests.support.observed import apply, counts, page
from tests.support.worker import PARTITIONS, QUICK, Deployment

#: What is refused, each as often as its place here says: the field, its value and the reason.
REFUSED: list[tuple[str, Any, str]] = [
    ("latency_s", -0.2, "out_of_range"),
    ("latency_s", "0.2", "wrong_type"),
    ("input_tokens", "12", "wrong_type"),
    ("output_tokens", -1, "out_of_range"),
    ("status", "ok", "wrong_type"),
    ("status", "500", "wrong_type"),
    ("perplexity", -3.0, "out_of_range"),
    ("version", {"major": 4}, "wrong_type"),
]
#: What counts, and where it is seen in the counts: of the column, and how often.
COUNTED: list[tuple[dict[str, Any], str, str]] = [
    ({"perplexity": float("nan")}, "perplexity", "nan"),
    ({"perplexity": float("inf")}, "perplexity", "positive_infinity"),
    ({"input_tokens": float("nan")}, "input_tokens", "nan"),
    ({"input_tokens": 10**400}, "input_tokens", "positive_infinity"),
    ({"latency_s": None}, "latency_s", "missing"),
]
#: Requests with latencies in milliseconds, and the other model's.
SLOW, WELL = 40, 60
VERSION = 'model_version_info{model_name="bad",version="2026-rc7"}'


@dataclass(frozen=True, slots=True)
class Read:
    """A deployment whose worker has read it all, and what that exports."""

    deployment: Deployment
    series: dict[str, float]

    def ran(self, *command: str) -> Any:
        return driftline(*command, "--json", env=self.deployment.variables).json


@pytest.fixture(scope="module")
def read(kafka_bootstrap: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    folder = tmp_path_factory.mktemp("serving")
    deployment = Deployment(kafka_bootstrap, redis_url, f"t{uuid.uuid4().hex[:10]}", folder, program=("-c", QUICK))
    deployment.create_topics()
    apply(deployment, _monitors(folder))
    worker = deployment.start_worker(config_poll_s="0.1", flush_interval_s="0.1")
    deployment.send(_records(), stream="serving")
    deployment.send([_closing()] * PARTITIONS, stream="serving")
    try:
        deployment.wait_until_stored()
        deployment.wait_until(lambda: _whole(_series(page(worker, "metrics")[1])))
        yield Read(deployment, _series(page(worker, "metrics")[1]))
        assert worker.alive
        assert page(worker, "health")[0] == 200
    finally:
        deployment.stop()


def _monitors(folder: Path) -> Path:
    references = {name: reference_of(generate(name, 200, seed=1, features=1)) for name in ("bad", "well")}
    file = write_monitors(folder, references)
    found = yaml.safe_load(file.read_text())
    for model in found["models"].values():
        model["serving"] = {"from": "serving", "slo": {"errors": 0.05, "latency_p95": "500ms"}}
    file.write_text(yaml.safe_dump(found))
    return file


def _records() -> list[bytes]:
    """All in one pane; the models' requests one after the other, so that bad ones stand among good ones."""
    bad = [{name: value} for often, (name, value, _) in enumerate(REFUSED, 1) for _ in range(often)]
    odd = [fields for often, (fields, _, _) in enumerate(COUNTED, 1) for _ in range(often)]
    mine = [_request("bad", **fields) for fields in (*bad, *odd, *[{"latency_s": 230.0}] * SLOW)]
    others = [_request("well", status="error" if number % 20 == 0 else "success") for number in range(WELL)]
    return [record for pair in zip(mine, others, strict=False) for record in pair] + mine[WELL:]


def _request(model: str, **fields: Any) -> bytes:
    whole = {"version": "2026-rc7", "latency_s": 0.25, "input_tokens": 12.5, "perplexity": 7.5}
    return json.dumps({"model": model, "timestamp": START_MS, **whole, **fields}).encode()


def _closing() -> bytes:
    return json.dumps({"control": "watermark", "timestamp": START_MS + 2 * PANE_MS}).encode()


def _series(text: str) -> dict[str, float]:
    pairs = (line.rpartition(" ")[::2] for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def _whole(found: dict[str, float]) -> bool:
    """All is counted, and the version told, which workers do in a round of its own."""
    names = [f'model_predictions_total{{model_name="{model}",service="{model}"}}' for model in ("bad", "well")]
    return [found.get(name) for name in names] == [SLOW + 15, WELL] and VERSION in found


def test_each_that_is_refused_is_a_dead_letter_with_its_reason_and_field(read: Read) -> None:
    letters = read.ran("dlq", "ls", "--limit", "100")["dead_letters"]
    found = Counter((one["field"], one["reason"]) for one in letters)
    wanted: Counter[tuple[str, str]] = Counter()
    for often, (name, _, reason) in enumerate(REFUSED, 1):
        wanted[name, reason] += often
    assert found == wanted


def test_status_and_metrics_count_them_by_reason(read: Read) -> None:
    refused = {"out_of_range": 1 + 4 + 7, "wrong_type": 2 + 3 + 5 + 6 + 8}
    assert read.ran("status")["streams"]["serving"]["rejected"] == refused
    name = 'driftline_rejected_events_total{reason="%s",stream="serving"}'
    assert {reason: read.series[name % reason] for reason in refused} == refused


def test_what_is_no_number_counts_as_such_in_its_column(read: Read) -> None:
    found = counts(read.deployment, "bad", stream="serving")
    assert found["events"] == SLOW + 15
    kinds = [(column, kind) for _, column, kind in COUNTED]
    assert [found[column][kind] for column, kind in kinds] == [1, 2, 3, 4, 5]


def test_latencies_in_milliseconds_are_said_to_be(read: Read) -> None:
    console = ConsoleSite(read.deployment.redis_url, read.deployment.environment)
    text = console.get("/service-levels").text
    assert text.count("latency: milliseconds?") == 1
    assert read.series['model_inference_latency_seconds_bucket{le="60.0",model_name="bad",service="bad"}'] == 10
    assert read.series['model_inference_latency_seconds_count{model_name="bad",service="bad"}'] == SLOW + 10


def test_a_version_never_seen_is_shown(read: Read) -> None:
    assert read.series[VERSION] == 1


def test_the_mean_perplexity_is_of_what_is_a_number(read: Read) -> None:
    assert read.series['model_perplexity{model_name="bad"}'] == 7.5


def test_the_other_model_is_as_if_it_were_alone(read: Read) -> None:
    labels = 'model_name="well",service="well"'
    assert read.series[f"model_prediction_errors_total{{{labels}}}"] == 3
    assert read.series['model_requests_total{model_name="well",status="success"}'] == WELL - 3
    assert read.series[f"model_inference_latency_seconds_sum{{{labels}}}"] == WELL * 0.25
    assert read.series['model_input_tokens_sum{model_name="well"}'] == WELL * 12.5
    assert read.series['model_perplexity{model_name="well"}'] == 7.5
